// The page: login, the stream of changes, and what is drawn of them.
import { el, replace } from "./dom.js";
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
let form = { id: "giao-ban", chair: "", rooms: "", group: "", title: "", mode: "chair-grants" };
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
    rooms: el("section", { id: "rooms" }),
  };
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
    el("input", { id: `start-${name}`, value: form[name], oninput: (event) => { form[name] = event.target.value; } }));
  const mode = el("select", { id: "start-mode", onchange: (event) => { form.mode = event.target.value; } },
    ...["chair-grants", "one-by-one", "discussion"].map((one) => el("option", { value: one, selected: one === form.mode }, word(one))));
  const send = (event) => {
    event.preventDefault();
    const words = (text) => text.split(/[\s,]+/).filter(Boolean);
    const request = { type: "start", meeting: form.id, rooms: words(form.rooms), groups: words(form.group), mode: form.mode };
    if (form.chair) request.chair = form.chair.trim();
    if (form.title) request.title = form.title;
    act(request);
  };
  replace(parts.start, el("details", {}, el("summary", { id: "start-open" }, word("start")), el("form", { id: "start", onsubmit: send },
    field("id"), field("chair"), field("rooms"), field("group"), field("title"), el("label", {}, word("mode"), mode), el("button", { id: "start-go" }, word("start")))));
}

function draw() {
  honest();
  const running = meetings.filter((one) => !one.ended);
  replace(parts.meeting, ...running.map(drawMeeting));
  drawDay();
  drawRooms();
}

function nameOf(room) { return rooms.get(room)?.name || room; }

function drawMeeting(view) {
  const operator = me.role === "operator";
  const meeting = view.id;
  const there = view.roster.filter((row) => row.status === "present").length;
  const holders = view.holders.map((one) => one.room);
  const ends = ending === view.number;
  const end = el("button", { "data-key": `end-${meeting}`, class: "danger", onclick: () => {
    if (ends) { ending = null; act({ type: "end", meeting }); } else { ending = view.number; draw(); setTimeout(() => { ending = null; drawSoon(); }, 5000); }
  } }, ends ? word("really") : word("end"));
  const text = el("input", { id: `text-${meeting}`, "data-key": `text-${meeting}`, placeholder: word("text"), "aria-label": word("text"), value: drafts.get(meeting) || "",
    oninput: (event) => drafts.set(meeting, event.target.value) });
  const message = (answers) => async () => {
    if (await act({ type: "message", meeting, text: drafts.get(meeting) || word("rollcall"), answers })) { drafts.delete(meeting); drawSoon(); }
  };
  const later = new Date(Math.max(Date.now(), view.until ? Date.parse(view.until) : 0) + 30 * 60000).toISOString();
  const acts = operator && el("div", { class: "acts" },
    button(`next-${meeting}`, word("next"), { type: "next", meeting, after: holders }),
    button(`mute-${meeting}`, word("mute-all"), { type: "mute-all", meeting }),
    button(`call-${meeting}`, word("call"), { type: "call", meeting }),
    button(`extend-${meeting}`, word("extend"), { type: "extend", meeting, until: later }), end, text,
    el("button", { "data-key": `message-${meeting}`, onclick: message([]) }, word("message")),
    el("button", { "data-key": `roll-${meeting}`, onclick: message([word("yes"), word("no")]) }, word("rollcall")));
  const row = (one) => el("li", { class: "row", "data-room": one.room },
    el("span", { class: "name" }, one.name, one.room === view.chair ? ` · ${word("chair")}` : "", one.position ? ` ✋${one.position}` : "", one.floor ? " 🎤" : ""),
    el("span", { class: one.status === "present" ? "good" : ["on-the-way", "called", "left"].includes(one.status) ? "quiet" : "bad" },
      `${word(one.status)}${one.text ? ` (${one.text})` : ""}${one.calls > 1 ? ` · ${one.calls} ${word("calls")}` : ""}`),
    operator && one.room !== view.chair && view.mode !== "discussion" ? (one.floor
      ? button(`take-${meeting}-${one.room}`, word("take"), { type: "take", meeting, room: one.room })
      : button(`give-${meeting}-${one.room}`, word("give"), { type: "give", meeting, room: one.room })) : null);
  const messages = view.messages.map((one) => el("li", {}, `${one.by}: ${one.text} `, el("span", { class: "quiet" },
    Object.entries(one.answered).map(([room, answer]) => `${nameOf(room)}: ${answer}`).join(" · "))));
  return el("article", { "data-meeting": meeting },
    el("h2", {}, `${view.title || meeting} · ${word(view.mode)} · ${there}/${view.roster.length} `,
      el("a", { href: `/api/minutes/${view.number}` }, word("minutes"))),
    view.problem ? el("p", { class: "bad" }, view.problem) : null, acts || null,
    el("div", { class: "columns" },
      el("div", {}, el("h2", {}, word("speaking")), el("ul", { class: "holders" }, ...(view.holders.length ? view.holders.map((one) => el("li", {}, one.name)) : [word("nobody")])),
        el("h2", {}, word("queue")), el("ul", { class: "queue" }, ...(view.queue.length ? view.queue.map((room) => el("li", { class: "row" }, el("span", { class: "name" }, nameOf(room)),
          operator ? button(`lower-${meeting}-${room}`, word("lower"), { type: "lower", meeting, room }) : null)) : [word("nobody")])), el("ul", {}, ...messages)),
      el("div", {}, el("h2", {}, word("roster")), el("ul", { class: "roster" }, ...view.roster.map(row)))));
}
const drafts = new Map();
const opened = new Set();

// The agenda's meetings that are to come: how many rooms are ready, and which are not.
function drawDay() {
  const coming = day.filter((one) => one.number === null && Date.parse(one.ends) > Date.now());
  replace(parts.day, coming.length ? el("h2", {}, word("day")) : null, ...coming.map((one) => {
    const ready = one.rooms.filter((row) => row.verdict === "go").length;
    const time = one.local || new Date(one.starts).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
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
  const heading = el("div", { class: "acts" }, el("h2", {}, `${word("rooms")} (${sorted.length})`),
    el("button", { "data-key": "pictures", id: "pictures", onclick: () => { pictures = !pictures; draw(); } }, word(pictures ? "hidepictures" : "pictures")),
    pictures && pages > 1 ? el("button", { "data-key": "more", onclick: () => { page += 1; draw(); } }, `${word("more")} ${page + 1}/${pages}`) : null);
  replace(parts.rooms, heading, el("div", { class: "wall" }, ...shown.map(drawTile)));
  const speaker = meetings.find((one) => !one.ended && one.holders.length)?.holders.at(-1)?.room;
  const large = pictures && players.get(speaker);
  replace(parts.speaker, large ? large.video : null);
  players.forEach((player) => player.video.play?.().catch(() => {}));
}

function drawTile(room) {
  const words = [word(room.connection), room.connection === "online" ? word(room.phase) : "", room.meeting || "", word(room.microphone),
    room.readiness === "unknown" ? "" : word(room.readiness)].filter(Boolean).join(" · ");
  return el("div", { class: `tile s${room.severity}${room.hand ? " hand" : ""}`, "data-room": room.room },
    el("strong", {}, room.name), players.get(room.room)?.video, el("p", { class: "quiet" }, words),
    room.level_dbfs === null ? null : el("meter", { min: -60, max: 0, value: Math.max(-60, room.level_dbfs), "aria-label": "dBFS" }),
    room.hand ? el("p", {}, `✋ ${word("hand")}`) : null, ...room.faults.map((text) => el("p", { class: "bad" }, text)));
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
