"""A small WHIP/WHEP media server on aiortc: forwards RTP without transcoding, loopback only.

`python -m tests.support.media_server --port 0` says `{"port": N}` on its first line; tests hold it
as a `MediaServer`. POST /NAME/whip publishes, POST /NAME/whep plays, DELETE on the Location ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.codecs import HEADER_EXTENSIONS
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters

from tests.support.closing import Closing
from tests.support.forwarding import Inlet, Outlet
from tests.support.loopback import ADDRESS, stay_on_loopback
from tests.support.parent import die_with_parent
from tests.support.tasks import keep_tasks
from tests.support.transport_feedback import URI as TRANSPORT_FEEDBACK
from tests.support.transport_feedback import TransportFeedback

if TYPE_CHECKING:
    from tests.support.adapting import Player


@dataclass
class Session:
    """One WHIP or WHEP session, from POST to DELETE or a dead peer."""

    id: str
    kind: str
    name: str
    connection: RTCPeerConnection
    inlets: dict[str, Inlet]
    player: Player | None = None


class Relay:
    """The sessions and who publishes which name; handlers of the HTTP requests."""

    def __init__(self, token: str | None, adapts: bool) -> None:
        self._token = token
        self._adapts = adapts
        self._sessions: dict[str, Session] = {}
        self._publishers: dict[str, Session] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.add_routes(
            [
                web.post("/{name}/whip", self._whip),
                web.post("/{name}/whep", self._whep),
                web.delete("/session/{id}", self._delete),
                web.get("/sessions", self._list),
            ]
        )
        application.on_shutdown.append(self._close_all)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        if self._token and request.method != "GET" and given != f"Bearer {self._token}":
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            return await handler(request)
        except (InvalidAccessError, InvalidStateError, OperationError, ValueError) as error:
            return web.Response(status=400, text=f"the offer is not usable: {error}")

    async def _whip(self, request: web.Request) -> web.Response:
        session = self._session("whip", request)
        pc = session.connection
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        feedback = TransportFeedback()
        for transceiver in pc.getTransceivers():
            session.inlets[transceiver.kind] = Inlet(transceiver.receiver, feedback)
        await pc.setLocalDescription(await pc.createAnswer())
        if earlier := self._publishers.get(session.name):
            await self._end(earlier)
        self._publishers[session.name] = session
        return self._answer(session)

    async def _whep(self, request: web.Request) -> web.Response:
        publisher = self._publishers.get(request.match_info["name"])
        if publisher is None:
            return web.Response(status=404, text="nobody publishes this")
        session = self._session("whep", request)
        if self._adapts:
            # with the agent's own rules, and the agent is not installed where its package is tested
            from tests.support.adapting import Player

            session.player = Player(publisher.inlets.get("video"))
        pc = session.connection
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        for transceiver in pc.getTransceivers():
            inlet = publisher.inlets.get(transceiver.kind)
            if inlet is None:
                transceiver.direction = "inactive"
                continue
            transceiver.direction = "sendonly"
            Outlet(transceiver.sender, inlet, session.player)
            if player := session.player:
                listen(transceiver.sender.transport, player)
            if transceiver.kind == "video":
                transceiver.setCodecPreferences(h264())
        await pc.setLocalDescription(await pc.createAnswer())
        return self._answer(session)

    def _session(self, kind: str, request: web.Request) -> Session:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        session = Session(uuid.uuid4().hex, kind, request.match_info["name"], pc, {})
        self._sessions[session.id] = session

        @pc.on("connectionstatechange")
        async def _() -> None:
            if pc.connectionState in ("failed", "closed"):
                await self._end(session)
            elif pc.connectionState == "connected" and kind == "whep" and shown(pc):
                await self._refresh(session.name)

        return session

    async def _refresh(self, name: str) -> None:
        """A player has come: it shall see a picture at once."""
        publisher = self._publishers.get(name)
        if publisher and (inlet := publisher.inlets.get("video")):
            await inlet.request_keyframe()

    def _answer(self, session: Session) -> web.Response:
        return web.Response(
            status=201,
            text=session.connection.localDescription.sdp,
            content_type="application/sdp",
            headers={"Location": f"/session/{session.id}"},
        )

    async def _delete(self, request: web.Request) -> web.Response:
        session = self._sessions.get(request.match_info["id"])
        if session is None:
            return web.Response(status=404)
        await self._end(session)
        return web.Response(status=200)

    async def _end(self, session: Session) -> None:
        """Close a session and, if it published, those who play it: there is nothing more to play."""
        if self._sessions.pop(session.id, None) is None:
            return
        if self._publishers.get(session.name) is session:
            del self._publishers[session.name]
            for player in self._players(session.name):
                await self._end(player)
        for inlet in session.inlets.values():
            inlet.close()
        if session.player:
            session.player.close()
        task = asyncio.ensure_future(session.connection.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _players(self, name: str) -> list[Session]:
        return [s for s in self._sessions.values() if (s.name, s.kind) == (name, "whep")]

    async def _close_all(self, _: web.Application) -> None:
        for session in list(self._sessions.values()):
            await self._end(session)
        await asyncio.gather(*self._closing)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "id": session.id,
                    "kind": session.kind,
                    "name": session.name,
                    "state": session.connection.connectionState,
                    "packets": {kind: inlet.packets for kind, inlet in session.inlets.items()},
                    "keyframe_requests": sum(
                        inlet.keyframe_requests for inlet in session.inlets.values()
                    ),
                    "first_packet_monotonic_seconds": min(
                        (
                            inlet.first_packet_monotonic_seconds
                            for inlet in session.inlets.values()
                            if inlet.first_packet_monotonic_seconds is not None
                        ),
                        default=None,
                    ),
                }
                for session in self._sessions.values()
            ]
        )


def shown(connection: RTCPeerConnection) -> bool:
    """Whether this player wants pictures."""
    return any(transceiver.kind == "video" for transceiver in connection.getTransceivers())


def listen(transport: Any, player: Player) -> None:
    """The player's RTCP, once for both kinds: aiortc does not read all of it."""
    if getattr(transport, "listener", None) is player:
        return
    handle = transport._handle_rtcp_data

    async def hear(data: bytes) -> None:
        player.hear(data)
        await handle(data)

    transport.listener, transport._handle_rtcp_data = player, hear


def h264() -> list[Any]:
    """Packets are forwarded as they come, so nothing else may be negotiated."""
    return [c for c in RTCRtpSender.getCapabilities("video").codecs if c.name in ("H264", "rtx")]


class MediaServer(Closing):
    """The server as a child process; a context manager. `url` has no trailing slash."""

    def __init__(self, port: int = 0, token: str | None = None, *, adapts: bool = False) -> None:
        """`adapts`: it sends a player no more than its link carries; else it only forwards."""
        command = [sys.executable, "-m", "tests.support.media_server", "--port", str(port)]
        command += ["--adapts"] if adapts else []
        self._process = subprocess.Popen(
            command + (["--token", token] if token else []),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C at the terminal is for whoever started the server
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the media server ended with {self._process.wait()}")
        self.port: int = json.loads(line)["port"]
        self.url = f"http://{ADDRESS}:{self.port}"
        self.pid = self._process.pid

    def whip(self, name: str) -> str:
        return f"{self.url}/{name}/whip"

    def whep(self, name: str) -> str:
        return f"{self.url}/{name}/whep"

    def sessions(self, name: str | None = None) -> list[dict[str, Any]]:
        """All of them, or those that publish or play this name."""
        with urllib.request.urlopen(f"{self.url}/sessions", timeout=5) as response:
            listing: list[dict[str, Any]] = json.load(response)
        return [session for session in listing if name in (None, session["name"])]

    def kill(self) -> None:
        """End it without a word to anybody, as a crash or a power cut would."""
        self._process.kill()
        self._process.wait(10)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


async def serve(port: int, token: str | None, adapts: bool) -> None:
    for extensions in HEADER_EXTENSIONS.values():
        extensions.append(RTCRtpHeaderExtensionParameters(id=4, uri=TRANSPORT_FEEDBACK))
    keep_tasks(asyncio.get_running_loop())
    runner = web.AppRunner(Relay(token, adapts).application(), handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, ADDRESS, port)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    stop = asyncio.Event()
    for name in ("SIGTERM", "SIGINT"):
        asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stop.set)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0: a free one")
    parser.add_argument("--token", help="bearer token that POST and DELETE must carry")
    parser.add_argument("--adapts", action="store_true", help="to what each player's link carries")
    arguments = parser.parse_args()
    stay_on_loopback()
    die_with_parent()
    asyncio.run(serve(arguments.port, arguments.token, arguments.adapts))


if __name__ == "__main__":
    main()
