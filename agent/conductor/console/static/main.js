// The page: login, the stream of changes, and what is drawn of them.
import { arrange, el, replace } from "./dom.js";
import { otherLanguage, word } from "./words.js";
import { Player } from "./whep.js";

const QUIET_MILLISECONDS = 12000;
const PAGE = 16;
const app = document.getElementById("app");
const lostBand = document.getElementById("lost");
const said = document.getElementById("said");

let me = null;
let stream = null;
let rooms = new Map();
let meetings = [];
let day = [];
let trouble = "";
let heardAt = 0;
let ending = null;
let pictures = false;
let page = 0;
let players = new Map();
let form = { id: "giao-ban", title: "", chair: "", rooms: "", group: "", mode: "chair-grants", length: "" };
let parts = null;

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (me) headers["X-CSRF"] = me.csrf;
  try {
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const document = await answer.json();
    if (answer.status === 401 && path !== "/login") showLogin();
    return answer.ok ? document : { error: document };
  } catch {
    return { error: { code: "no-answer", text: "" } };
  }
}

function say(text) { said.textContent = text; }

async function act(request) {
  const { error, warning } = await post("/api/act", request);
  say(error ? `${word(error.code)} ${error.text ? `(${error.text})` : ""}` : warning || word("done"));
  return !error;
}

// --- login -------------------------------------------------------------------------------------------

function showLogin() {
  me = null;
  stream?.close();
  stream = null;
  parts = null;
  closePlayers();
  const name = el("input", { id: "name", autocomplete: "username", required: true });
  const password = el("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  const send = async (event) => {
    event.preventDefault();
    const answer = await post("/login", { name: name.value, password: password.value });
    if (answer.error) {
      say(`${word(answer.error.code)} ${answer.error.code === "too-often" ? answer.error.text : ""}`);
      return;
    }
    me = answer;
    say("");
    begin();
  };
  replace(app, el("h1", {}, "diemcau"), el("form", { id: "login", onsubmit: send },
    el("label", {}, word("name"), name), el("label", {}, word("password"), password), el("button", {}, word("login"))));
  name.focus();
}

// --- what comes --------------------------------------------------------------------------------------

function begin() {
  build();
  stream?.close();
  const mine = stream = new EventSource("/api/events");
  mine.addEventListener("change", (event) => {
    heardAt = Date.now();
    const change = JSON.parse(event.data);
    for (const room of change.rooms) rooms.set(room.room, room);
    meetings = change.meetings;
    trouble = change.trouble;
    if (change.day) day = change.day;
    drawSoon();
  });
  mine.addEventListener("beat", () => { heardAt = Date.now(); honest(); });
  mine.onerror = async () => {
    honest();
    if (mine.readyState === EventSource.CLOSED) {
      const answer = await fetch("/api/me").catch(() => null);
      if (answer?.status === 401) showLogin();
      else if (stream === mine) setTimeout(begin, 2000);
    }
  };
}

function honest() {
  const lost = me && (!stream || stream.readyState !== EventSource.OPEN || Date.now() - heardAt > QUIET_MILLISECONDS);
  lostBand.textContent = lost ? word("lost") : trouble ? word("hub") + trouble : "";
  lostBand.hidden = !lostBand.textContent;
}
setInterval(honest, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && me && Date.now() - heardAt > QUIET_MILLISECONDS) begin();
});

let waiting = false;
function drawSoon() {
  if (waiting) return;
  waiting = true;
  setTimeout(() => { waiting = false; if (me) draw(); }, document.hidden ? 1000 : 30);
}

// --- what is drawn -----------------------------------------------------------------------------------

function build() {
  parts = {
    head: el("header"), start: el("section"), day: el("section", { id: "day" }), meeting: el("section", { id: "meeting" }), speaker: el("div", { class: "speaker" }),
    rooms: el("section", { id: "rooms" }), heading: el("div", { class: "acts" }), wall: el("div", { class: "wall" }),
  };
  shells.clear();
  tiles.clear();
  replace(parts.rooms, parts.heading, parts.wall);
  replace(app, parts.head, parts.meeting, parts.day, parts.start, parts.speaker, parts.rooms);
  const change = () => { otherLanguage(); build(); draw(); };
  const leave = async () => { await post("/logout", {}); showLogin(); };
  replace(parts.head, el("h1", {}, "diemcau"), el("span", {}, me.name),
    el("button", { onclick: change, id: "language" }, word("language")), el("button", { onclick: leave, id: "logout" }, word("logout")));
  drawStart();
}

function button(key, label, request, attributes = {}) {
  return el("button", { "data-key": key, onclick: () => act(request), ...attributes }, label);
}

function drawStart() {
  if (me.role !== "operator") return;
  const field = (name) => el("label", {}, word(name === "rooms" ? "roomlist" : name),
    el("input", { id: `start-${name}`, value: form[name], list: name === "chair" ? "known-rooms" : name === "group" ? "known-groups" : null, inputmode: name === "length" ? "numeric" : null,
      oninput: (event) => { form[name] = event.target.value; } }));
  const mode = el("select", { id: "start-mode", onchange: (event) => { form.mode = event.target.value; } },
    ...["chair-grants", "one-by-one", "discussion"].map((one) => el("option", { value: one, selected: one === form.mode }, word(one))));
  const send = (event) => {
    event.preventDefault();
    const words = (text) => text.split(/[\s,]+/).filter(Boolean);
    const request = { type: "start", meeting: form.id, rooms: words(form.rooms), groups: words(form.group), mode: form.mode };
    if (form.chair) request.chair = form.chair.trim();
    if (form.title) request.title = form.title;
    if (form.length) request.until = new Date(Date.now() + form.length * 60000).toISOString();
    act(request);
  };
  const suggest = () => {
    const groups = new Set([...rooms.values()].flatMap((room) => room.groups));
    replace(known, ...[...rooms.values()].map((room) => el("option", { value: room.room }, room.name)));
    replace(knownGroups, ...[...groups].sort().map((group) => el("option", { value: group })));
  };
  const known = el("datalist", { id: "known-rooms" }), knownGroups = el("datalist", { id: "known-groups" });
  replace(parts.start, el("details", { ontoggle: suggest }, el("summary", { id: "start-open" }, word("start")), el("form", { id: "start", onsubmit: send }, known, knownGroups,
    field("id"), field("title"), field("chair"), field("rooms"), field("group"), el("label", {}, word("mode"), mode), field("length"), el("button", { id: "start-go" }, word("start")))));
}

function draw() {
  honest();
  drawMeetings(meetings.filter((one) => !one.ended));
  drawDay();
  drawRooms();
}

function nameOf(room) { return rooms.get(room)?.name || room; }

function clock(at) { return new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }); }

// What is typed in stays the same element all the time: drawn anew, it would lose its caret, and half a Vietnamese letter.
const shells = new Map();

function drawMeetings(running) {
  for (const number of shells.keys()) if (!running.some((one) => one.number === number)) shells.delete(number);
  for (const view of running) {
    if (!shells.has(view.number)) shells.set(view.number, makeShell(view.id));
    fillShell(shells.get(view.number), view);
  }
  arrange(parts.meeting, running.map((one) => shells.get(one.number).article));
}

function makeShell(meeting) {
  const shell = { head: el("div"), acts: el("div", { class: "acts" }), body: el("div") };
  const text = el("input", { id: `text-${meeting}`, "data-key": `text-${meeting}`, placeholder: word("text"), "aria-label": word("text"), maxlength: 500, value: drafts.get(meeting) || "",
    oninput: (event) => drafts.set(meeting, event.target.value) });
  const message = (answers) => async (event) => {
    event.preventDefault();
    if (await act({ type: "message", meeting, text: text.value || word("rollcall"), answers })) { drafts.delete(meeting); text.value = ""; }
  };
  const form = me.role === "operator" ? el("form", { class: "acts", onsubmit: message([]) }, text,
    el("button", { "data-key": `message-${meeting}` }, word("message")),
    el("button", { type: "button", "data-key": `roll-${meeting}`, onclick: message([word("yes"), word("no")]) }, word("rollcall"))) : null;
  shell.article = el("article", { "data-meeting": meeting }, shell.head, shell.acts, form, shell.body);
  return shell;
}

function fillShell(shell, view) {
  const there = view.roster.filter((row) => row.status === "present").length;
  const ends = view.until ? ` · ${word("until")} ${clock(view.until)}` : "";
  replace(shell.head, el("h2", {}, `${view.title || view.id} · ${word(view.mode)} · ${there}/${view.roster.length}${ends} `,
    el("a", { href: `/api/minutes/${view.number}?language=${document.documentElement.lang}` }, word("minutes"))), view.problem ? el("p", { class: "bad" }, view.problem) : null);
  if (me.role === "operator") replace(shell.acts, ...meetingActs(view));
  replace(shell.body, el("div", { class: "columns" }, drawFloor(view),
    el("div", {}, el("h2", {}, word("roster")), el("ul", { class: "roster" }, ...view.roster.map((row) => drawRow(view, row))))));
}

function meetingActs(view) {
  const meeting = view.id, holders = view.holders.map((one) => one.room), ends = ending === view.number;
  const end = el("button", { "data-key": `end-${meeting}`, class: "danger", onclick: () => {
    if (ends) { ending = null; act({ type: "end", meeting }); } else { ending = view.number; draw(); setTimeout(() => { ending = null; drawSoon(); }, 5000); }
  } }, ends ? word("really") : word("end"));
  const later = new Date(Math.max(Date.now(), view.until ? Date.parse(view.until) : 0) + 30 * 60000).toISOString();
  return [button(`next-${meeting}`, word("next"), { type: "next", meeting, after: holders }),
    button(`mute-${meeting}`, word("mute-all"), { type: "mute-all", meeting }),
    button(`call-${meeting}`, word("call"), { type: "call", meeting }),
    button(`extend-${meeting}`, word("extend"), { type: "extend", meeting, until: later }), end];
}

function drawFloor(view) {
  const operator = me.role === "operator", meeting = view.id;
  const holders = view.holders.map((one) => el("li", {}, one.name));
  const queue = view.queue.map((room) => el("li", { class: "row" }, el("span", { class: "name" }, nameOf(room)),
    operator ? button(`lower-${meeting}-${room}`, word("lower"), { type: "lower", meeting, room }) : null));
  return el("div", {}, el("h2", {}, word("speaking")), el("ul", { class: "holders" }, ...(holders.length ? holders : [word("nobody")])),
    el("h2", {}, word("queue")), el("ul", { class: "queue" }, ...(queue.length ? queue : [word("nobody")])),
    el("ul", { class: "messages" }, ...view.messages.map((one) => drawMessage(view, one))));
}

// A roll call says who has yet to answer; with many rooms only how many.
function drawMessage(view, message) {
  const given = Object.values(message.answered);
  const counts = message.answers.map((one) => `${one} ${given.filter((answer) => answer === one).length}`);
  const missing = message.answers.length ? view.roster.filter((row) => !(row.room in message.answered)) : [];
  const names = missing.length <= 5 ? `: ${missing.map((row) => row.name).join(", ")}` : "";
  if (missing.length) counts.push(`${word("unanswered")} ${missing.length}${names}`);
  return el("li", {}, `${clock(message.at)} ${message.by}: ${message.text} `, el("span", { class: "quiet" }, counts.join(" · ")));
}

function drawRow(view, one) {
  const operator = me.role === "operator", meeting = view.id;
  const marks = [one.room === view.chair ? word("chair") : "", one.floor ? word("speaking") : "", one.position ? `${word("hand")} ${one.position}` : ""].filter(Boolean);
  const state = one.status === "present" ? "good" : ["on-the-way", "called", "left"].includes(one.status) ? "quiet" : "bad";
  const change = operator && one.room !== view.chair && view.mode !== "discussion" ? (one.floor
    ? button(`take-${meeting}-${one.room}`, word("take"), { type: "take", meeting, room: one.room })
    : button(`give-${meeting}-${one.room}`, word("give"), { type: "give", meeting, room: one.room })) : null;
  return el("li", { class: "row", "data-room": one.room }, el("span", { class: "name" }, one.name, ...marks.map((text) => el("span", { class: "mark" }, text))),
    el("span", { class: state }, `${word(one.status)}${one.text ? ` (${one.text})` : ""}${one.calls > 1 ? ` · ${one.calls} ${word("calls")}` : ""}`), change);
}
const drafts = new Map();
const opened = new Set();

// The agenda's meetings that are to come: how many rooms are ready, and which are not.
function drawDay() {
  const coming = day.filter((one) => one.number === null && Date.parse(one.ends) > Date.now());
  replace(parts.day, coming.length ? el("h2", {}, word("day")) : null, ...coming.map((one) => {
    const ready = one.rooms.filter((row) => row.verdict === "go").length;
    const time = one.local || new Date(one.starts).toLocaleString(document.documentElement.lang, { weekday: "short", hour: "2-digit", minute: "2-digit" });
    const key = `${one.item}@${one.starts}`;
    const toggle = (event) => { if (event.target.open) opened.add(key); else opened.delete(key); };
    return el("details", { "data-item": one.item, open: opened.has(key), ontoggle: toggle },
      el("summary", { "data-key": `day-${key}` }, el("strong", {}, `${time} ${one.title}`),
        one.cancelled ? ` · ${word("cancelled")}` : el("span", { class: ready === one.rooms.length ? "good" : "bad" }, ` · ${word("go")} ${ready}/${one.rooms.length}`),
        one.problem ? el("span", { class: "bad" }, ` · ${one.problem}`) : null),
      el("ul", {}, ...one.rooms.map((row) => el("li", { class: "row" }, el("span", { class: "name" }, row.name),
        el("span", { class: row.verdict === "go" ? "good" : row.verdict === "unknown" ? "quiet" : "bad" },
          `${row.verdict === "unknown" ? word("unchecked") : word(row.verdict)}${row.verdict !== "go" && row.fault ? ` (${row.fault})` : ""}`)))));
  }));
}

function drawRooms() {
  const sorted = [...rooms.values()].sort((a, b) => b.severity - a.severity || a.name.localeCompare(b.name) || (a.room < b.room ? -1 : 1));
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE));
  page %= pages;
  const shown = pictures ? sorted.slice(page * PAGE, page * PAGE + PAGE) : sorted;
  keepPlayers(shown);
  replace(parts.heading, el("h2", {}, `${word("rooms")} (${sorted.length})`),
    el("button", { "data-key": "pictures", id: "pictures", onclick: () => { pictures = !pictures; draw(); } }, word(pictures ? "hidepictures" : "pictures")),
    pictures && pages > 1 ? el("button", { "data-key": "more", onclick: () => { page += 1; draw(); } }, `${word("more")} ${page + 1}/${pages}`) : null);
  const speaker = meetings.find((one) => !one.ended && one.holders.length)?.holders.at(-1)?.room;
  const large = pictures ? players.get(speaker)?.video : undefined;
  arrange(parts.speaker, large ? [large] : []);
  arrange(parts.wall, shown.map((room) => drawTile(room, speaker)));
  players.forEach((player) => { if (player.video.paused) player.video.play().catch(() => {}); });
}

// A picture stays where it is: each time it is taken out and put in again it stops.
const tiles = new Map();

function drawTile(room, speaker) {
  if (!tiles.has(room.room)) {
    const made = { picture: el("div", { class: "picture", "data-none": word("nopicture") }), words: el("div") };
    made.tile = el("div", { "data-room": room.room }, made.picture, made.words);
    tiles.set(room.room, made);
  }
  const { tile, picture, words } = tiles.get(room.room);
  tile.className = `tile s${room.severity}${room.hand ? " hand" : ""}`;
  const video = pictures && room.room !== speaker ? players.get(room.room)?.video : undefined;
  arrange(picture, video ? [video] : []);
  const states = [word(room.connection), room.connection === "online" ? word(room.phase) : "", room.meeting || "", word(room.microphone),
    room.readiness === "unknown" ? "" : word(room.readiness)].filter(Boolean).join(" · ");
  replace(words, el("strong", {}, room.name), room.room === room.name ? null : el("span", { class: "mark" }, room.room), el("p", { class: "quiet" }, states),
    room.level_dbfs === null ? null : el("meter", { min: -60, max: 0, value: Math.max(-60, room.level_dbfs), "aria-label": "dBFS" }),
    room.hand ? el("p", {}, word("hand")) : null, room.camera_off_by_hand ? el("p", { class: "quiet" }, word("camera-by-hand")) : null, ...room.faults.map((text) => el("p", { class: "bad" }, text)));
  return tile;
}

function closePlayers() {
  players.forEach((player) => player.close());
  players = new Map();
}

async function keepPlayers(shown) {
  const wanted = pictures ? shown.filter((room) => room.picture_url) : [];
  for (const [room, player] of players) {
    if (!wanted.some((one) => one.room === room && one.picture_url === player.url)) { player.close(); players.delete(room); }
  }
  const missing = wanted.filter((one) => !players.has(one.room));
  if (!missing.length || keepPlayers.asking) return;
  keepPlayers.asking = true;
  const { token, error } = await post("/api/view", missing.map((one) => one.picture_url));
  keepPlayers.asking = false;
  if (error || !pictures) return;
  for (const one of missing) players.set(one.room, new Player(one.picture_url, token));
  drawSoon();
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey || !me) return;
  const key = { n: "next", m: "mute" }[event.key];
  const first = meetings.find((one) => !one.ended);
  if (key && first) document.querySelector(`[data-key="${key}-${CSS.escape(first.id)}"]`)?.click();
});

const known = await fetch("/api/me").catch(() => null);
if (known?.ok) { me = await known.json(); begin(); } else showLogin();
