"""What the test server does: WHIP and WHEP sessions on aiortc, and who publishes which name."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from tests.support.answers import Local, read_offer
from tests.support.forwarding import Inlet, Outlet, Silence
from tests.support.ice_restart import RestartableIce
from tests.support.likeness import LIKENESSES, Said
from tests.support.loopback import ADDRESS
from tests.support.media_tokens import TokenCheck
from tests.support.shapes import refuse
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
    ice: RestartableIce | None = None
    outlets: list[Outlet] = field(default_factory=list)

    def mute(self) -> None:
        """Its source is gone, and the session stays."""
        for outlet in self.outlets:
            outlet.mute()


class Manner(NamedTuple):
    """How the server is to be, beside its likeness."""

    like: str = "plain"
    adapts: bool = False
    jwks: str = ""
    """Where the keys are whose tokens it asks for; empty: none are."""


PREFLIGHT = {
    "Access-Control-Allow-Methods": "OPTIONS, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
}
FRAGMENT = "application/trickle-ice-sdpfrag"
CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link",
}
"""As MediaMTX's `webrtcAllowOrigins: ['*']`: a page of another origin may play."""


class Refused(NamedTuple):
    """What a test asks to be refused in one answer, by the query
    `refuse=KIND.SHAPE[.bundled][.anyway]`."""

    kind: str
    shape: str
    bundled: bool
    """Its mid stays in the bundle."""
    anyway: bool
    """It is sent to the player all the same."""


def refusal_asked(query: str | None) -> Refused | None:
    if not query:
        return None
    kind, _, rest = query.partition(".")
    shape, *how = rest.split(".")
    return Refused(kind, shape, "bundled" in how, "anyway" in how)


class Relay:
    """The sessions and who publishes which name; handlers of the HTTP requests."""

    def __init__(self, token: str | None, manner: Manner) -> None:
        self._token = token
        self._manner = manner
        self._likeness = LIKENESSES[manner.like]
        self._sessions: dict[str, Session] = {}
        self._publishers: dict[str, Session] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.TimerHandle] = set()
        self._check = TokenCheck(manner.jwks) if manner.jwks else None

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.add_routes(
            [
                web.get("/sessions", self._list),
                web.options("/{path:.*}", self._preflight),
                web.post("/{path:.*}", self._post),
                web.delete("/{path:.*}", self._delete),
                web.patch("/{path:.*}", self._patch),
            ]
        )
        application.on_shutdown.append(self._close_all)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        response = await self._guarded(request, handler)
        if "Origin" in request.headers:
            response.headers.update(CROSS_ORIGIN)
        return response

    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        open_to_all = request.method in ("GET", "OPTIONS")
        if self._token and not open_to_all and given != f"Bearer {self._token}":
            kind = "whep" if "whep" in request.path else "whip"
            said = self._likeness.forbidden(kind, given.removeprefix("Bearer "))
            return respond(said, {"WWW-Authenticate": "Bearer"})
        try:
            response: web.StreamResponse = await handler(request)
            return response
        except (InvalidAccessError, InvalidStateError, OperationError, ValueError) as error:
            return web.Response(status=400, text=f"the offer is not usable: {error}")

    async def _preflight(self, _: web.Request) -> web.Response:
        return web.Response(status=204, headers=PREFLIGHT)

    async def _post(self, request: web.Request) -> web.Response:
        refused = refusal_asked(request.query.get("refuse"))
        asked = self._likeness.asked(re.sub(r"[?&]refuse=[^&]*", "", request.path_qs))
        if asked is None:
            return respond(self._likeness.absent or Said(404))
        kind, name = asked
        if self._check is not None:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            why = await asyncio.to_thread(self._check.refusal, kind, name, token)
            if why:
                return web.Response(status=401, text=why, headers={"WWW-Authenticate": "Bearer"})
        offer = await request.text()
        return await (self._whip if kind == "whip" else self._whep)(name, offer, refused)

    async def _whip(self, name: str, offer: str, refused: Refused | None) -> web.Response:
        earlier = self._publishers.get(name)
        if earlier and not self._likeness.replaces:
            return respond(self._likeness.taken)
        session = self._session("whip", name)
        pc = session.connection
        await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        feedback = TransportFeedback()
        for transceiver in pc.getTransceivers():
            told = transceiver.kind in self._likeness.feedback_of
            session.inlets[transceiver.kind] = Inlet(transceiver.receiver, feedback, tells_of=told)
        await self._take(session)
        if earlier:
            await self._end(earlier)
        self._publishers[name] = session
        return self._answer(session, offer, set(session.inlets), refused)

    async def _whep(self, name: str, offer: str, refused: Refused | None) -> web.Response:
        publisher = self._publishers.get(name)
        if publisher is None and self._likeness.absent:
            return respond(self._likeness.absent)
        inlets = publisher.inlets if publisher else {}
        kinds = set(inlets) if publisher else {"audio", "video"}
        if said := self._likeness.refusal(read_offer(offer), kinds):
            return respond(said)
        session = self._session("whep", name)
        if status := self._likeness.counters(name):
            return await self._counter(session, inlets, status)
        if self._manner.adapts:
            # with the agent's own rules, and the agent is not installed where its package is tested
            from tests.support.adapting import Player

            session.player = Player(inlets.get("video"))
        pc = session.connection
        await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in pc.getTransceivers():
            absent = None if publisher else Silence(transceiver.kind)
            inlet = inlets.get(transceiver.kind) or absent
            withheld = refused and not refused.anyway and refused.kind == transceiver.kind
            if inlet is None or withheld:
                transceiver.direction = "inactive"
                continue
            transceiver.direction = "sendonly"
            session.outlets.append(Outlet(transceiver.sender, inlet, session.player))
            if player := session.player:
                listen(transceiver.sender.transport, player)
            if publisher:
                keep_codec(transceiver, publisher)
        await self._take(session)
        return self._answer(session, offer, kinds, refused)

    async def _counter(
        self, session: Session, inlets: dict[str, Inlet], status: int
    ) -> web.Response:
        """The server's own offer, in its own order and with its own numbers."""
        pc = session.connection
        for kind in ("audio", "video"):
            transceiver = pc.addTransceiver(kind, direction="sendonly")
            inlet = inlets.get(kind) or Silence(kind)
            session.outlets.append(Outlet(transceiver.sender, inlet))
            if kind == "video":
                transceiver.setCodecPreferences(h264())
        await pc.setLocalDescription(await pc.createOffer())
        headers = self._likeness.headers(session.id)
        headers["Location"] = self._likeness.location("whep", session.name, session.id) or ""
        headers["Content-Type"] = "application/sdp"
        return web.Response(status=status, body=pc.localDescription.sdp.encode(), headers=headers)

    async def _patch(self, request: web.Request) -> web.Response:
        session = self._sessions.get(self._likeness.session(request.path_qs) or "")
        if session is None:
            return respond(self._likeness.gone)
        if request.content_type == FRAGMENT and request.headers.get("If-Match") == "*":
            return await self._restart(session, await request.text())
        if request.content_type != "application/sdp":
            return web.Response(status=415)
        answer = RTCSessionDescription(await request.text(), "answer")
        await session.connection.setRemoteDescription(answer)
        return web.Response(status=204)

    async def _restart(self, session: Session, fragment: str) -> web.Response:
        if session.ice is None:
            return web.Response(status=405)
        told, new = await session.ice.restart(fragment)
        task = asyncio.ensure_future(session.ice.check(new))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return web.Response(status=200, body=told.encode(), headers={"Content-Type": FRAGMENT})

    async def _take(self, session: Session) -> None:
        pc = session.connection
        if self._likeness.restarts_ice:
            session.ice = RestartableIce(pc.getTransceivers()[0].receiver.transport.transport)
        answer = await pc.createAnswer()
        if self._likeness.waits_for_dtls:
            passive = answer.sdp.replace("a=setup:active", "a=setup:passive")
            answer = RTCSessionDescription(passive, "answer")
        await pc.setLocalDescription(answer)

    def _session(self, kind: str, name: str) -> Session:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        session = Session(uuid.uuid4().hex, kind, name, pc, {})
        self._sessions[session.id] = session

        @pc.on("connectionstatechange")
        async def _() -> None:
            if pc.connectionState in ("failed", "closed"):
                await self._lose(session)
            elif pc.connectionState == "connected" and kind == "whep" and shown(pc):
                await self._refresh(session.name)

        return session

    async def _refresh(self, name: str) -> None:
        """A player has come: it shall see a picture at once."""
        publisher = self._publishers.get(name)
        if publisher and (inlet := publisher.inlets.get("video")):
            await inlet.request_keyframe()

    def _answer(
        self, session: Session, offer: str, kinds: set[str], refused: Refused | None
    ) -> web.Response:
        likeness, ours = self._likeness, session.connection.localDescription.sdp
        answer = likeness.answer(session.kind, offer, kinds, local(ours)) or ours
        if refused:
            answer = refuse(answer, refused.kind, refused.shape, bundled=refused.bundled)
        headers = likeness.headers(session.id)
        if location := likeness.location(session.kind, session.name, session.id):
            headers["Location"] = location
        content_type = {"Content-Type": "application/sdp"}
        return web.Response(status=201, body=answer.encode(), headers=headers | content_type)

    async def _delete(self, request: web.Request) -> web.Response:
        session = self._sessions.get(self._likeness.session(request.path_qs) or "")
        if session is None:
            return respond(self._likeness.gone)
        await self._end(session)
        return respond(self._likeness.ended)

    async def _lose(self, session: Session) -> None:
        """Its peer is gone without a DELETE."""
        seconds = self._likeness.dead_publisher_seconds
        if session.kind == "whep" or seconds == 0:
            await self._end(session)
        elif seconds:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(seconds, lambda: asyncio.ensure_future(self._end(session)))
            self._waiting.add(timer)

    async def _end(self, session: Session) -> None:
        """Close a session and, if it published, those who play it: there is nothing more to play."""
        if self._sessions.pop(session.id, None) is None:
            return
        if self._publishers.get(session.name) is session:
            del self._publishers[session.name]
            for player in self._players(session.name):
                if self._likeness.outlives_publisher:
                    player.mute()
                else:
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
        for timer in self._waiting:
            timer.cancel()
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
                    "bytes": {
                        kind: inlet.bytes_on_the_link for kind, inlet in session.inlets.items()
                    },
                    "restarts": session.ice.restarts if session.ice else 0,
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


def respond(said: Said, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=said.status, text=said.text, content_type=said.content_type, headers=headers
    )


def local(sdp: str) -> Local:
    """What a server's own SDP says of itself."""

    def first(pattern: str) -> str:
        found = re.search(pattern, sdp, flags=re.M)
        return found.group(1) if found else ""

    ssrcs = re.findall(r"^m=(\w+)(?:(?!^m=)[\s\S])*?^a=ssrc:(\d+)", sdp, flags=re.M)
    return Local(
        first(r"^a=ice-ufrag:(\S+)"),
        first(r"^a=ice-pwd:(\S+)"),
        first(r"^a=fingerprint:sha-256 (\S+)"),
        ADDRESS,
        int(first(r"^a=candidate:\S+ 1 udp \d+ \S+ (\d+)") or 9),
        {kind: int(ssrc) for kind, ssrc in ssrcs},
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


def keep_codec(transceiver: Any, publisher: Session) -> None:
    """Packets are forwarded as they come, so nothing but what the publisher sends may be negotiated."""
    sends = next(t for t in publisher.connection.getTransceivers() if t.kind == transceiver.kind)
    name = sends._codecs[0].name
    kept = {codec.payloadType for codec in transceiver._codecs if codec.name == name}
    transceiver._codecs = [
        codec
        for codec in transceiver._codecs
        if codec.payloadType in kept or codec.parameters.get("apt") in kept
    ]


def h264() -> list[Any]:
    return [c for c in RTCRtpSender.getCapabilities("video").codecs if c.name in ("H264", "rtx")]
