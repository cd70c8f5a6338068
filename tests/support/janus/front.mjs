// WHIP and WHEP in front of Janus's VideoRoom. WHEP is janus-whep-server as npm has it; WHIP is our own, since npm has
// none: it answers as Meetecho's does (tests/support/servers/janus-whip.txt), and frees a name by DELETE or when
// Janus says that the connection is gone.
//
// node front.mjs '{"modules": FOLDER, "janus": "ws://...", "address": A, "port": N, "token": T, "names": [...]}'

import { randomBytes } from "node:crypto";
import Module from "node:module";
import { pathToFileURL } from "node:url";

const asked = JSON.parse(process.argv[2]);
// janode's way by Unix sockets would have to be compiled, and is not used
const required = Module._load;
Module._load = (name, ...rest) => (name === "bindings" ? () => ({}) : required(name, ...rest));

const load = (file) => import(pathToFileURL(`${asked.modules}/node_modules/${file}`).href);
const { JanusWhepServer } = await load("janus-whep-server/src/whep.js");
const { default: express } = await load("express/index.js");
const { default: Janode } = await load("janode/src/janode.js");
const { default: VideoRoom } = await load("janode/src/plugins/videoroom-plugin.js");

const ROOM = "meeting";
const connection = await Janode.connect({ address: { url: asked.janus } });
connection.once(Janode.EVENT.CONNECTION_ERROR, () => process.exit(3)); // whoever runs Janus starts both again
const session = await connection.create();
const manager = await session.attach(VideoRoom);
await manager.create({ room: ROOM, max_publishers: 20, audiocodec: "opus", videocodec: "h264" });

const app = express();
const whep = new JanusWhepServer({ janus: { address: asked.janus }, rest: { app, basePath: "/whep" } });
await whep.start();
for (const name of asked.names) {
  whep.createEndpoint({ id: name, plugin: "videoroom", room: ROOM, feed: name, token: asked.token });
  // The same server's way to a mountpoint: Debian's Janus answers an offer to play by an offer, which it says is an answer.
  whep.createEndpoint({ id: `streaming-${name}`, mountpoint: 1, token: asked.token });
}

const publishers = new Map(); // by name: { id, handle }
const authorised = (request) => !asked.token || request.headers.authorization === `Bearer ${asked.token}`;
const whip = express.Router();

whip.post("/endpoint/:name", async (request, response) => {
  const { name } = request.params;
  if (!asked.names.includes(name)) return response.status(404).send("Invalid endpoint ID");
  if (publishers.has(name)) return response.status(403).send("Endpoint ID already in use");
  if (!authorised(request)) return response.status(403).send("Unauthorized");
  const publisher = { id: randomBytes(8).toString("hex"), handle: null };
  publishers.set(name, publisher);
  try {
    const handle = (publisher.handle = await session.attach(VideoRoom));
    handle.once(Janode.EVENT.HANDLE_HANGUP, () => forget(name, publisher));
    handle.once(Janode.EVENT.HANDLE_DETACHED, () => forget(name, publisher));
    const jsep = { type: "offer", sdp: request.body };
    const answer = await handle.joinConfigurePublisher({ room: ROOM, feed: name, display: name, jsep });
    response.set({ Location: `/whip/resource/${publisher.id}`, ETag: `"${publisher.id}"` });
    response.status(201).type("application/sdp").send(answer.jsep.sdp);
  } catch (error) {
    await forget(name, publisher);
    response.status(500).send(String(error.message ?? error));
  }
});

whip.delete("/resource/:id", async (request, response) => {
  const found = [...publishers].find(([, one]) => one.id === request.params.id);
  if (!found) return response.status(404).send("Invalid resource ID");
  if (!authorised(request)) return response.status(403).send("Unauthorized");
  await forget(...found);
  response.status(200).send("OK");
});

async function forget(name, publisher) {
  if (publishers.get(name) !== publisher) return;
  publishers.delete(name);
  await publisher.handle?.detach().catch(() => undefined);
}

app.use("/whip", whip);
app.listen(asked.port, asked.address, () => console.log("ready"));
