"""One WHIP or WHEP session: a webrtcbin from its offer to DELETE.

It is made for one attempt and never mended: `agent.media.webrtc.link` makes another. Everything it
tells is posted to the loop; its HTTP runs in threads of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from agent.core.model.commands import Endpoint, Source
from agent.core.model.figures import Path
from agent.core.model.urls import shown
from agent.errors import MediaError
from agent.media.gst import Gst, GstSdp, GstWebRTC, reply_of
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline
from agent.media.webrtc import signaling
from agent.media.webrtc.answer import Agreement, Unusable, agree
from agent.media.webrtc.answer import read as read_offer
from agent.media.webrtc.candidate_names import with_addresses
from agent.media.webrtc.elements import Elements
from agent.media.webrtc.http import DEADLINE_SECONDS, Refused
from agent.media.webrtc.ice import no_way
from agent.media.webrtc.ice_agent import IceAgent
from agent.media.webrtc.jitter_buffers import SHORTEST_PATIENCE_MILLISECONDS, JitterBuffers
from agent.media.webrtc.network import Network
from agent.media.webrtc.peer import PeerCheck, WrongPeer
from agent.media.webrtc.received_rtcp import ReceivedRtcp
from agent.media.webrtc.sdp import LEAST_LEVEL, readable, without_sound_repeats

OFFER_SECONDS = 15.0
"""For webrtcbin to gather its candidates. That takes milliseconds, but 5 s passed on a machine with ten others waiting for
each processor, where another attempt was only one more load."""

NEGOTIATION_SECONDS = 6.0
"""From the server's answer to DTLS being up, a few round trips; then the attempt has failed."""

FEEDBACK_NANOSECONDS = 100_000_000
"""Between our words on each received packet; GStreamer's own are after each picture, and never of sound
alone."""

RTCP_NANOSECONDS = 500_000_000
"""Between our reports: the round trip is measured by them, and GStreamer's 5 s is late for a full link."""

MOST_OFFSET_NANOSECONDS = SHORTEST_PATIENCE_MILLISECONDS * 1_000_000
"""What a source's sound is moved by at most, for its picture's sake. A stream of which a packet came later
than that has been stamped anew, and seems to be late from then on: no reason to hold the other one up."""

LONGEST_ANSWER_SECONDS = 3 * DEADLINE_SECONDS
"""To connect, to ask, to be answered."""

ATTEMPT_SECONDS = 10.0 + LONGEST_ANSWER_SECONDS + NEGOTIATION_SECONDS
"""From the start to the end of an attempt, whatever hangs, be it in GStreamer."""

NOTHING = Agreement("", {}, ())


class Over(MediaError):
    """The other end ended a session that was up, in good order."""

    def __init__(self, text: str) -> None:
        super().__init__("over", text)


class Events(NamedTuple):
    """What a session tells, in the loop's thread."""

    on_connected: Callable[[], None]
    on_failed: Callable[[MediaError], None]
    """It never came up, or webrtcbin says that it is over."""


class MediaSession:
    """`start()` negotiates, `close()` ends it on both sides; neither blocks."""

    def __init__(
        self,
        loop: Loop,
        pipeline: Pipeline,
        endpoint: Endpoint | Source,
        network: Network,
        events: Events,
        counter: signaling.CounterOffer | None = None,
    ) -> None:
        """`counter`: the server's own offer, which is answered instead of making one."""
        self._counter = counter
        self._loop = loop
        self._pipeline: Pipeline | None = pipeline
        self._endpoint = endpoint
        self._network = network
        self._events = events
        self._webrtc: Any = pipeline["webrtc"]
        self._rtpbin: Any = self._webrtc.get_by_name("rtpbin")
        self._url: str | None = counter.session_url if counter else None
        self._url_known = threading.Event()
        self._offered = False
        self._offering = threading.Lock()
        self.closed = self._left = self._told = self._connected = False
        self._telling = threading.Lock()
        self._keep(self._url)
        self.answered = counter.sdp if counter else ""
        self.agreement = NOTHING
        """What is sent or comes, once the server has answered."""
        self.level = LEAST_LEVEL
        """Ten times the H.264 level of what is sent; set before the start."""
        self.rtcp, self.jitter_buffers = ReceivedRtcp(), JitterBuffers()
        self.round_trip_seconds: float | None = None
        """To where it was asked for, by TCP, when it began; None where it is not known."""
        self._peer = PeerCheck(self._on_wrong_peer)
        pem = network.certificate.pem
        self.elements = Elements(self._webrtc, pem, self._peer, self._on_end)
        self._ice = IceAgent(loop, self._webrtc, network, endpoint)
        self._prepare()

    @property
    def pipeline(self) -> Pipeline:
        """Its pipeline; only until the thread of `close` has ended."""
        assert self._pipeline, "the session is over"
        return self._pipeline

    # --- setting up

    def _prepare(self) -> None:
        webrtc = self._webrtc
        self._rtpbin.set_property("max-ts-offset", MOST_OFFSET_NANOSECONDS)
        self._rtpbin.connect("pad-added", self.rtcp.watch)
        self._rtpbin.connect("new-jitterbuffer", self.jitter_buffers.add)
        webrtc.connect("notify::ice-gathering-state", self._on_gathering)
        webrtc.connect("notify::connection-state", self._on_connection)

    def _on_end(self) -> None:
        if self._connected:
            self._fail(Over(f"{shown(self._endpoint.url)}: the server ended the session"))

    def _on_wrong_peer(self) -> None:
        self._fail(
            WrongPeer(
                f"{shown(self._endpoint.url)}: somebody else answers in the media server's place: the DTLS "
                "certificate is not the one whose fingerprint the answer has; nothing was sent to it"
            )
        )

    def set_patience(self, milliseconds: int) -> None:
        """How long the jitter buffers wait for a missing packet."""
        self._webrtc.set_property("latency", milliseconds)

    # --- negotiating

    def start(self) -> None:
        self.pipeline.play()
        self._loop.later(OFFER_SECONDS, self._expect_offer)
        if self._counter:
            self._take_offer(self._counter.sdp)
        else:
            promise = Gst.Promise.new_with_change_func(self._on_offer, (self._webrtc, "offer"))
            self._webrtc.emit("create-offer", None, promise)
            self._ice.ask_for_servers()
        self._loop.later(ATTEMPT_SECONDS, partial(self._give_up, ATTEMPT_SECONDS))

    def _expect_offer(self) -> None:
        if not self._offered:
            self._fail(MediaError("pipeline", f"webrtcbin made no offer in {OFFER_SECONDS:g} s"))

    # webrtcbin comes along as an argument: these run in its threads, perhaps after the end

    def _take_offer(self, offer: str) -> None:
        parsed, message = GstSdp.SDPMessage.new_from_text(offer)
        try:
            if not read_offer(offer).sections or parsed != GstSdp.SDPResult.OK:
                raise Unusable("it has no media")
            self._peer.expect(offer)
        except (Unusable, WrongPeer) as error:
            text = f"{shown(self._endpoint.url)}: the server's own offer cannot be used: {error}"
            self._fail(Refused(text))
            return
        self._webrtc.connect("on-new-transceiver", lambda _, new: new.set_property("do-nack", True))
        kind = GstWebRTC.WebRTCSDPType.OFFER
        description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        promise = Gst.Promise.new_with_change_func(self._on_offer_taken, self._webrtc)
        self._webrtc.emit("set-remote-description", description, promise)

    def _on_offer_taken(self, promise: Any, webrtc: Any) -> None:
        self._on_accepted(promise, None)
        promise = Gst.Promise.new_with_change_func(self._on_offer, (webrtc, "answer"))
        webrtc.emit("create-answer", None, promise)

    def _on_offer(self, promise: Any, made: tuple[Any, str]) -> None:
        webrtc, name = made
        reply = reply_of(promise)
        description = reply.get_value(name) if reply and reply.has_field(name) else None
        if description is None:
            self._fail(MediaError("pipeline", f"webrtcbin made no {name}"))
            return
        webrtc.emit("set-local-description", description, Gst.Promise.new())
        if patience := self._network.ice.patience_seconds(self._endpoint.url):
            self._loop.post(lambda: self._limit_gathering(webrtc, patience))

    def _on_gathering(self, webrtc: Any, _property: Any) -> None:
        done = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if webrtc.get_property("ice-gathering-state") == done:
            self._send_offer(webrtc)

    def _send_offer(self, webrtc: Any) -> None:
        """With the candidates that there are. Once: gathering ends, or what it waits for is late."""
        with self._offering:
            first, self._offered = not self._offered, True
        if first:
            threading.Thread(
                target=self._negotiate, args=(webrtc,), name="signaling", daemon=True
            ).start()

    def _limit_gathering(self, webrtc: Any, seconds: float) -> None:
        self._loop.later(seconds, lambda: None if self.closed else self._send_offer(webrtc))

    def _negotiate(self, webrtc: Any) -> None:
        """In a thread of its own: the one place that waits for the server's answer."""
        try:
            sdp = self._local_sdp(webrtc)
            if self._counter:
                self._answer(self._counter, sdp)
                return
            answer = self._offer(sdp)
            self._url, self.round_trip_seconds = answer.session_url, answer.round_trip_seconds
            self._keep(self._url)
            self._url_known.set()
            if not self.closed:
                self._accept(webrtc, sdp, with_addresses(answer.sdp, self._network.ice.names))
                self._ice.answered(sdp, answer)
        except MediaError as error:
            self._fail(error)
        finally:
            self._url_known.set()

    def _answer(self, counter: signaling.CounterOffer, sdp: str) -> None:
        self._loop.post(self._limit_negotiation)
        signaling.answer(self._network.http, counter.session_url, self._endpoint, sdp)

    def _keep(self, url: str | None) -> None:
        if url:
            self._network.sessions.opened(url, self._endpoint)

    def renew(self, endpoint: Endpoint | Source) -> None:
        """Another token for the same address, for what is still to be said there."""
        self._endpoint = endpoint
        self._keep(self._url)

    def _local_sdp(self, webrtc: Any) -> str:
        description = webrtc.get_property("local-description")
        return self._network.certificate.correct(readable(description.sdp.as_text(), self.level))

    def _offer(self, sdp: str) -> signaling.Answer:
        """Once more, with less, where it is the offer that the server does not take."""
        kind = signaling.play if isinstance(self._endpoint, Source) else signaling.publish
        offer = partial(kind, leave=partial(self._network.sessions.leave, endpoint=self._endpoint))
        try:
            return offer(self._network.http, self._endpoint, sdp)
        except Refused as refused:
            less = without_sound_repeats(sdp)
            if not refused.of_offer or less == sdp:
                raise
            return offer(self._network.http, self._endpoint, less)

    def _accept(self, webrtc: Any, offered: str, answered: str) -> None:
        try:
            agreement = agree(offered, answered)
        except Unusable as error:
            text = f"the answer cannot be used: {error}"
            raise Refused(f"{shown(self._endpoint.url)}: {text}") from error
        try:
            self._peer.expect(answered)
        except WrongPeer as error:
            raise WrongPeer(f"{shown(self._endpoint.url)}: {error.text}") from error
        parsed, message = GstSdp.SDPMessage.new_from_text(agreement.sdp)
        if parsed != GstSdp.SDPResult.OK:
            raise Refused(f"{shown(self._endpoint.url)}: the answer is no usable SDP")
        self.agreement, self.answered = agreement, answered
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        self._loop.post(self._limit_negotiation)
        promise = Gst.Promise.new_with_change_func(self._on_accepted, None)
        webrtc.emit("set-remote-description", description, promise)

    def _limit_negotiation(self) -> None:
        self._loop.later(NEGOTIATION_SECONDS, partial(self._give_up, NEGOTIATION_SECONDS))

    def _on_accepted(self, promise: Any, _data: Any) -> None:
        reply = reply_of(promise)
        if reply and reply.has_field("error"):
            why = reply.get_value("error").message
            self._fail(Refused(f"{shown(self._endpoint.url)}: answer not usable: {why}"))

    def _on_connection(self, webrtc: Any, _property: Any) -> None:
        state = webrtc.get_property("connection-state").value_nick
        if state == "connected":
            self._loop.post(self._succeed)
        elif state == "failed" and not self._connected:
            self._loop.post(partial(self._give_up, NEGOTIATION_SECONDS))
        elif state in ("failed", "closed"):
            text = f"{shown(self._endpoint.url)}: connection {state}"
            self._fail(MediaError("unreachable", text))

    def _succeed(self) -> None:
        if self.closed or self._connected:
            return
        if not self._peer.right:
            self._on_wrong_peer()
        else:
            self._connected = True
            session = self._rtpbin.emit("get-internal-session", 0)
            session.set_property("rtcp-min-interval", RTCP_NANOSECONDS)
            session.set_property("twcc-feedback-interval", FEEDBACK_NANOSECONDS)
            self._ice.path()  # asked now, known by the first look
            self._events.on_connected()

    def _give_up(self, seconds: float) -> None:
        if not self._connected:
            self._network.ice.no_way_without()
            text = f"no media connection within {seconds:g} s"
            if self.answered:
                text = no_way(self.answered, self._network.ice.relays(self._endpoint.url))
            self._fail(MediaError("unreachable", f"{shown(self._endpoint.url)}: {text}"))

    def _fail(self, error: MediaError) -> None:
        def tell() -> None:
            if not self.closed and not self._left:
                self._events.on_failed(error)

        self._loop.post(tell)

    # --- ending

    def leave(self) -> None:
        """Have the server send no more, as soon as that can be; what is on its way is still taken, until `close`."""
        self._left = True
        threading.Thread(target=self._say_good_bye, name="leaving", daemon=True).start()

    def close(self) -> threading.Thread:
        """Returns at once; the thread ends when the server was told and the pipeline is down."""
        self.closed = True
        thread = threading.Thread(target=self._end, name="ending", daemon=True)
        thread.start()
        return thread

    def _say_good_bye(self) -> None:
        """By DTLS, which is there at once, and by DELETE, which cannot be lost."""
        with self._telling:
            if self._connected:
                self.elements.say_good_bye()
            if self._url and not self._told:
                self._told = True
                self._network.sessions.end(self._url, self._endpoint)

    def _end(self) -> None:
        # an answer that is still under way would otherwise leave a session behind at the server
        if self._offered:
            self._url_known.wait(LONGEST_ANSWER_SECONDS)
        self._say_good_bye()
        self.pipeline.close()
        self.elements.close()
        # its elements hold our callbacks: a circle that Python's collector does not see through
        self._ice.close()
        self._pipeline = self._webrtc = self._rtpbin = None
        self.jitter_buffers.clear()

    # --- looking

    def listens_at(self, address: str) -> bool:
        """Whether this address was ours already when it began: then ICE can go on from there."""
        return self._ice.listens_at(address)

    def restart_ice(self, on_done: Callable[[bool], None]) -> None:
        """Look for another way for the same media. Told in the loop's thread: whether the server does that."""

        def restart() -> None:
            self._loop.post(partial(on_done, self._ice.restart()))

        threading.Thread(target=restart, name="ice-restart", daemon=True).start()

    def ask_server(self, on_said: Callable[[bool], None]) -> None:
        """Whether it can be reached by HTTP, told in the loop's thread."""

        def ask() -> None:
            reached = signaling.reaches(self._network.http, self._endpoint)
            self._loop.post(partial(on_said, reached))

        threading.Thread(target=ask, name="asking", daemon=True).start()

    def path(self) -> Path | None:
        """The way that its media take, some seconds old at the most; None where it is not known (yet)."""
        return self._ice.path() if self._connected and not self.closed else None

    def rtp_statistics(self) -> Any:
        """What RTPSession counts (its property `stats`); None when the session has ended. Not asked of webrtcbin, whose
        answer comes by a promise: PyGObject never frees its callback."""
        bundled = None if self.closed else self._rtpbin.emit("get-internal-session", 0)
        return bundled.get_property("stats") if bundled else None
