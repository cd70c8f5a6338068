"""One connection to a source, with or without its picture: what it brings, decoded.

A source has two of them for a moment, one that plays and one that is to take its place; what the
second decodes goes nowhere until `play`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from agent.core.model.commands import Source
from agent.media.context import Context
from agent.media.decoder import Decoders, PictureDecoder
from agent.media.gst import Gst, GstWebRTC
from agent.media.pipeline import Gate, Pipeline, Tap, at_first_buffer
from agent.media.receiving import decoding
from agent.media.receiving.count import PictureCount
from agent.media.receiving.jitter import JitterControl
from agent.media.receiving.lipsync import LipSync
from agent.media.receiving.picture_budget import LossMeter
from agent.media.sound.mixer import Input
from agent.media.webrtc.link import MediaLink, Report
from agent.media.webrtc.session import Events, MediaSession
from agent.media.webrtc.signaling import CounterOffer
from agent.media.webrtc.transport_feedback import MOST_HEADER_BYTES, is_numbered

DRAINED_SECONDS = 0.7
"""After a session that filled the link's queue is gone: the server is told, and 300 ms of packets pass."""

OnSample = Callable[[Any], None]
OnBuffer = Callable[[Any, int], None]


class Outlets(NamedTuple):
    """Where a source's media go; the calls come from streaming threads, the last two only while it is
    tapped, each with a buffer and the running time in nanoseconds when it is due.
    """

    on_picture: OnSample | None
    """Gets each picture when it is due."""
    sound: Input | None
    on_sound: OnBuffer
    """Gets the decoded sound."""
    on_unit: OnBuffer
    """Gets H.264 as received (Annex B)."""
    shown: Callable[[], int] | None = None
    """How many of its pictures a screen has shown; None without a screen."""


class Shared(NamedTuple):
    """What all receptions of one source have in common: how long things wait, how many came, what decodes."""

    jitter: JitterControl
    lips: LipSync
    pictures: PictureCount
    decoders: Decoders
    on_longer: Callable[[], None]
    """Called from a streaming thread when sound has to wait longer, at once."""


class Reception:
    """One WHEP connection to `source`, kept up from `start` to `close`; used in the loop's thread.

    Until `play` it decodes and nothing is seen or heard of it. What ends the connection goes to `report`; nothing
    is raised.
    """

    def __init__(
        self,
        context: Context,
        source: Source,
        outlets: Outlets,
        shared: Shared,
        report: Report,
        *,
        with_picture: bool,
    ) -> None:
        self._context = context
        self._loop = context.loop
        self._source = source
        self._outlets = outlets
        self._shared = shared
        self.with_picture = with_picture
        self._plays = False
        self._repairs = True
        self.adapts = False
        """Whether its server wants to know of each packet what becomes of it."""
        self._tapped = False
        self._taps: list[Tap] = []
        self._timing: Tap | None = None
        self._losses = LossMeter()
        self._sinks: dict[str, Any] = {}
        self._picture_pad: Any = None
        self._sound_pad: Any = None
        self._gate: Gate | None = None
        self._decoder: PictureDecoder | None = None
        self.connection = MediaLink(context.loop, self._make_session, report, receives=True)

    def start(self) -> None:
        self.connection.start()

    def renew(self, source: Source) -> None:
        """The same source with another token."""
        self._source = source
        self.connection.renew(source)

    def play(self) -> None:
        """From now on what it brings goes to the outlets: it is seen and heard."""
        self._plays = True
        for media in tuple(self._sinks):
            self._connect(media)

    def close(self) -> list[threading.Thread]:
        self._plays = False
        return self.connection.close()

    def leave(self) -> None:
        """Have its server send no more; what is on its way still plays."""
        self.connection.leave()

    def hurry(self) -> None:
        """The way is clear now: ask anew what was asked while it was full."""
        self.connection.hurry()

    def loss(self) -> float | None:
        """The share of its packets (0 to 1) that were lost since the last call; None if none were due."""
        session = self.connection.session
        if session is None:
            return None
        buffers = session.jitter_buffers
        return self._losses.since(buffers.packets_received(), buffers.arrivals().lost)

    def request_keyframe(self) -> None:
        """Ask the sender for one (RFC 4585, PLI); nothing happens before its stream has begun."""
        if self.connection.connected and self._picture_pad and self._repairs:
            request = Gst.Structure.new_from_string("GstForceKeyUnit,all-headers=(boolean)true")
            event = Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, request)
            self._picture_pad.push_event(event)

    @property
    def decoder(self) -> str | None:
        """The name of what decodes its pictures, or will."""
        return self._decoder.name if self._decoder else self._shared.decoders.best()

    @property
    def undecoded_seconds(self) -> float:
        """How much of its picture waits to be decoded."""
        return self._decoder.waiting_seconds if self._decoder else 0.0

    def watch_decoder(self, pictures: int) -> None:
        """So many pictures came since the last call."""
        if decoder := self._decoder:
            decoder.watch(pictures)

    def tap(self, on: bool) -> None:
        """Whether `on_unit` and `on_sound` are called."""
        self._tapped = on
        for tap in self._taps:
            tap.switch(on)

    def repair(self, on: bool) -> None:
        """Ask for lost packets and keyframes again, or stop asking: on a full link the answers would only queue
        behind everything else.
        """
        self._repairs = on
        if session := self.connection.session:
            session.jitter_buffers.repair(on)
            depayloader = session.pipeline["depayloader"]
            if depayloader and depayloader.find_property("request-keyframe"):
                depayloader.set_property("request-keyframe", on)

    def time_sound(self, call: Callable[[int], None] | None) -> None:
        """Give `call` how late each piece of sound comes, in nanoseconds after its own time; None: no more."""
        if self._timing:
            self._timing.switch(False)
            self._timing = None
        if call and self._sound_pad:
            now = self._context.clock.now
            self._timing = Tap(self._sound_pad, lambda _, at: call(now() - at))
            self._timing.switch(True)

    def bring_forward(self, nanoseconds: int) -> None:
        """Play its sound earlier by so many nanoseconds: it began while a queue stood on the link, so its times
        are too late by as much, and the queue is about to go.
        """
        if session := self.connection.session:
            session.jitter_buffers.shift(-nanoseconds)
            self._loop.later(DRAINED_SECONDS, lambda: self._anchor(session))

    def _anchor(self, session: MediaSession) -> None:
        session.jitter_buffers.anchor()
        if self._plays and self._outlets.sound:
            self._outlets.sound.settle()

    # --- a session and its streams

    def _make_session(self, events: Events, counter: CounterOffer | None) -> MediaSession:
        self._losses = LossMeter()
        self._picture_pad = self._sound_pad = self._gate = self._decoder = None
        self._taps, self._sinks = [], {}
        pipeline = Pipeline(
            self._context.clock,
            "webrtcbin name=webrtc bundle-policy=max-bundle "
            f"latency={self._shared.jitter.patience_milliseconds}",
            lambda text: self._loop.post(lambda: self.connection.fail(text)),
        )
        pipeline.set_latency(self._shared.lips.picture)
        webrtc = pipeline["webrtc"]
        offered = ("video", "audio") if self.with_picture else ("audio",)
        for media in () if counter else offered:
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            caps = Gst.Caps.from_string(decoding.offered()[media])
            transceiver = webrtc.emit("add-transceiver", direction, caps)
            transceiver.set_property("do-nack", True)
        network = self._context.network
        session = MediaSession(self._loop, pipeline, self._source, network, events, counter)
        webrtc.connect("pad-added", lambda _, pad: self._on_pad(session, pad))
        return session

    def _on_pad(self, session: MediaSession, pad: Any) -> None:
        """A stream has begun: build what decodes it."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        pad.add_probe(Gst.PadProbeType.BUFFER, self._on_first_packet)
        caps = pad.get_current_caps().get_structure(0)
        media, codec = caps.get_string("media"), caps.get_string("encoding-name").upper()
        if not decoding.plays(codec):
            return  # nothing that was offered: nobody is there to take it
        branch = Gst.parse_bin_from_description(self._description(media, codec), True)
        session.pipeline.bin.add(branch)
        if media == "video":
            self._take_pictures(session, branch, codec)
        else:
            self._take_sound(session)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def _description(self, media: str, codec: str) -> str:
        if media == "video":
            return decoding.picture(codec)
        return decoding.sound(codec, heard=self._outlets.sound is not None, at_once=self._plays)

    def _on_first_packet(self, _pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        self.adapts = self.adapts or is_numbered(buffer.extract_dup(0, MOST_HEADER_BYTES))
        return Gst.PadProbeReturn.REMOVE

    def _take_pictures(self, session: MediaSession, branch: Any, codec: str) -> None:
        pipeline, decoders = session.pipeline, self._shared.decoders
        self._picture_pad = branch.get_static_pad("sink")
        if units := pipeline["units"]:
            self._add_tap(units.get_static_pad("src"), self._outlets.on_unit)
        source = branch.get_static_pad("src")
        decoder = PictureDecoder(self._loop, pipeline, source, codec, decoders)
        decoder.start(
            lambda sink: self._take_decoded(session, sink),
            seen=self._outlets.on_picture is not None,
        )
        self._decoder = decoder

    def _take_decoded(self, session: MediaSession, sink: Any) -> None:
        """A decoder begins; one that takes another's place needs a keyframe."""
        if self._outlets.on_picture:
            session.pipeline.on_sample_of(sink, self._show)
        again = "picture" in self._sinks
        self._begin(session, "picture", sink)
        if again:
            self._loop.post(self.request_keyframe)

    def _show(self, sample: Any) -> None:
        if self._plays and self._outlets.on_picture:
            self._outlets.on_picture(sample)

    def _take_sound(self, session: MediaSession) -> None:
        self._sound_pad = session.pipeline["speech"].get_static_pad("src")
        if queue := session.pipeline["backlog"]:
            self._gate = Gate(queue.get_static_pad("src"))
        self._add_tap(self._sound_pad, self._outlets.on_sound)
        self._begin(session, "sound", session.pipeline["sound"])

    def _begin(self, session: MediaSession, media: str, sink: Any) -> None:
        """In a streaming thread, while the loop's may just have it play."""
        self._sinks[media] = sink
        if self._plays:
            self._connect(media)
        first = self._sound_pad if media == "sound" else sink.get_static_pad("sink")
        at_first_buffer(first, lambda: self._mark_flowing(session))

    def _connect(self, media: str) -> None:
        if media == "picture":
            self._shared.pictures.watch(self._sinks[media])
        elif self._outlets.sound:
            sound, shared = self._outlets.sound, self._shared
            sound.play(self._sinks[media], shared.lips.sound, shared.on_longer)
            if self._gate:
                self._gate.open()

    def _mark_flowing(self, session: MediaSession) -> None:
        def mark() -> None:
            if session is self.connection.session:
                self.connection.mark_flowing()

        self._loop.post(mark)

    def _add_tap(self, pad: Any, call: OnBuffer) -> None:
        tap = Tap(pad, lambda buffer, at: call(buffer, at + self._shared.jitter.nanoseconds))
        self._taps.append(tap)
        tap.switch(self._tapped)
