"""One source of the meeting, received by WHEP and decoded in step: pictures and sound come out.

A picture leaves when it is due; sound leaves as soon as it is decoded, for a mixer to keep until it
is due. Python looks at neither of them unless somebody asks: that is what receiving costs least.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from agent.core.commands import Source
from agent.media.gst import Gst, GstWebRTC, available
from agent.media.lipsync import LipSync, Paths
from agent.media.loop import Loop, Timer
from agent.media.picture.count import PictureCount
from agent.media.pipeline import Pipeline, SharedClock, Tap, at_first_buffer
from agent.media.sound.mixer import RAW, Input
from agent.media.webrtc.connection import Connection, Report
from agent.media.webrtc.jitter import JitterControl
from agent.media.webrtc.network import Network
from agent.media.webrtc.picture_budget import LossMeter
from agent.media.webrtc.session import Events, Session
from agent.media.webrtc.transport_feedback import OFFERED as OFFERED_FEEDBACK

DECODERS = ("v4l2h264dec", "v4l2slh264dec", "avdec_h264", "openh264dec")
"""Best first; the hardware ones register only where there is a device."""

OFFERED = {
    "video": (
        "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
        f"packetization-mode=(string)1,profile-level-id=(string)42e01f,{OFFERED_FEEDBACK}"
    ),
    "audio": (
        "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
        f"encoding-params=(string)2,{OFFERED_FEEDBACK}"
    ),
}
"""With feedback on each packet, a server that adapts what it sends learns what our link carries."""

KEYFRAME_SECONDS = 0.5
"""Packets of a picture but no picture for so long: ask for a keyframe (again)."""

JITTER_SECONDS = 0.25
"""Between looks at how packets arrive."""

OnSample = Callable[[Any], None]
OnBuffer = Callable[[Any, int], None]


class Downlink:
    """Plays one source: its sound into `sound`, its pictures to `on_picture` when they are due.

    While it is tapped, `on_unit` gets H.264 as received (Annex B) and `on_sound` the decoded sound,
    each buffer with the running time in nanoseconds when it is due. All from streaming threads.
    """

    def __init__(
        self,
        loop: Loop,
        clock: SharedClock,
        source: Source,
        network: Network,
        jitter_buffer_milliseconds: int,
        *,
        report: Report,
        on_picture: OnSample | None,
        sound: Input | None,
        on_sound: OnBuffer,
        on_unit: OnBuffer,
        paths: Callable[[], Paths],
    ) -> None:
        self._loop = loop
        self._clock = clock
        self.source = source
        self._network = network
        self._jitter = JitterControl(jitter_buffer_milliseconds, time.monotonic())
        self._paths = paths
        self._lips = LipSync(self._jitter_nanoseconds(), paths())
        self._on_picture = on_picture
        self._sound = sound
        self._on_sound = on_sound
        self._on_unit = on_unit
        self._tapped = False
        self._taps: list[Tap] = []
        self._with_picture = True
        self._losses = LossMeter()
        self.decoder = available(*DECODERS)
        self._pictures = PictureCount()
        self._picture_pad: Any = None
        self._looks: list[Timer] = []
        self.connection = Connection(loop, self._make_session, report)

    def start(self) -> None:
        self.connection.start()
        self._looks = [
            self._loop.every(KEYFRAME_SECONDS, self._want_picture),
            self._loop.every(JITTER_SECONDS, self._adapt),
        ]

    def close(self) -> list[threading.Thread]:
        for look in self._looks:
            look.cancel()
        return self.connection.close()

    @property
    def pictures(self) -> int:
        """Shown so far."""
        return self._pictures.total()

    def newest_picture(self) -> Any | None:
        """As a sample."""
        return self._pictures.newest()

    def figures(self) -> dict[str, Any]:
        return {
            "state": self.connection.state,
            "attempts": self.connection.attempts,
            "decoder": self.decoder,
            "picture_given_up": not self._with_picture,
            "jitter_buffer_milliseconds": self._jitter.milliseconds,
            "picture_delay_milliseconds": self._lips.picture // Gst.MSECOND,
            "sound_delay_milliseconds": (self._lips.sound + self._paths().to_ear) // Gst.MSECOND,
        }

    def want_picture(self, wanted: bool) -> None:
        """Play it with its picture, or only its sound."""
        if wanted != self._with_picture:
            self._with_picture = wanted
            if not wanted:
                self._pictures.end()
            self.connection.renew()

    def loss(self) -> float | None:
        """Of its packets since the last look (0 to 1); None if there were none to come."""
        session = self.connection.session
        if session is None:
            return None
        buffers = session.jitter_buffers
        return self._losses.since(buffers.packets_received(), buffers.arrivals().lost)

    def _make_session(self, events: Events) -> Session:
        self._losses = LossMeter()
        self._picture_pad = None
        self._taps = []
        self._jitter.begin(time.monotonic())
        self._lips = LipSync(self._jitter_nanoseconds(), self._paths(), self._least_delay())
        pipeline = Pipeline(
            self._clock,
            f"webrtcbin name=webrtc bundle-policy=max-bundle latency={self._jitter.patience_milliseconds}",
            lambda text: self._loop.post(lambda: self.connection.fail(text)),
        )
        pipeline.set_latency(self._lips.picture)
        webrtc = pipeline["webrtc"]
        for media in ("video", "audio") if self._with_picture else ("audio",):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            transceiver = webrtc.emit(
                "add-transceiver", direction, Gst.Caps.from_string(OFFERED[media])
            )
            transceiver.set_property("do-nack", True)
        session = Session(self._loop, pipeline, self.source, self._network, events)
        webrtc.connect("pad-added", lambda _, pad: self._on_pad(session, pad))
        return session

    def _on_pad(self, session: Session, pad: Any) -> None:
        """A stream has begun: build what decodes it."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        description = self._picture_description() if media == "video" else self._sound_description()
        branch = Gst.parse_bin_from_description(description, True)
        session.pipeline.bin.add(branch)
        if media == "video":
            self._take_pictures(session, branch)
        else:
            self._take_sound(session)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def _take_pictures(self, session: Session, branch: Any) -> None:
        pipeline, sink = session.pipeline, session.pipeline["picture"]
        self._picture_pad = branch.get_static_pad("sink")
        self._pictures.watch(sink)
        if self._on_picture:
            pipeline.on_sample("picture", self._on_picture)
        at_first_buffer(sink.get_static_pad("sink"), lambda: self._mark_flowing(session))
        self._add_tap(pipeline["units"].get_static_pad("src"), self._on_unit)

    def _take_sound(self, session: Session) -> None:
        sink = session.pipeline["sound"]
        if self._sound:
            self._sound.play(sink, self._lips.sound, partial(self._loop.post, self._adapt))
        at_first_buffer(sink.get_static_pad("sink"), lambda: self._mark_flowing(session))
        self._add_tap(sink.get_static_pad("sink"), self._on_sound)

    def _mark_flowing(self, session: Session) -> None:
        def mark() -> None:
            if session is self.connection.session:
                self.connection.mark_flowing()

        self._loop.post(mark)

    def _add_tap(self, pad: Any, call: OnBuffer) -> None:
        tap = Tap(pad, lambda buffer: call(buffer, buffer.pts + self._jitter_nanoseconds()))
        self._taps.append(tap)
        tap.switch(self._tapped)

    def tap(self, on: bool) -> None:
        """Whether `on_unit` and `on_sound` are called."""
        self._tapped = on
        for tap in self._taps:
            tap.switch(on)

    def _adapt(self) -> None:
        """Wait longer for packets when some are missed."""
        session, before = self.connection.session, self._jitter.milliseconds
        if session and self.connection.flowing:
            wanted = self._jitter.look(session.jitter_buffers.arrivals(), time.monotonic())
            if wanted != before:
                session.set_patience(self._jitter.patience_milliseconds)
            self._keep_in_step(session.pipeline)

    def _keep_in_step(self, pipeline: Pipeline) -> None:
        """Pictures wait for the loudspeaker, sound for the screen, both for late packets."""
        sound, picture = self._lips.sound, self._lips.picture
        self._lips.look(self._jitter_nanoseconds(), self._paths(), self._least_delay())
        if self._lips.picture != picture:
            pipeline.set_latency(self._lips.picture)
        if self._lips.sound != sound and self._sound:
            self._sound.delay(self._lips.sound)

    def _least_delay(self) -> int:
        return self._sound.least_delay if self._sound else 0

    def _jitter_nanoseconds(self) -> int:
        return self._jitter.milliseconds * int(Gst.MSECOND)

    def _want_picture(self) -> None:
        """A keyframe request is only a packet: it may be lost, or come before there is a camera."""
        if self._pictures.look() == 0:
            self.request_keyframe()

    def request_keyframe(self) -> None:
        """Ask the sender for one (RFC 4585, PLI); nothing happens before its stream has begun."""
        if self.connection.connected and self._picture_pad:
            request = Gst.Structure.new_from_string("GstForceKeyUnit,all-headers=(boolean)true")
            event = Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, request)
            self._picture_pad.push_event(event)

    def _picture_description(self) -> str:
        threads = (
            " max-threads=2 thread-type=slice output-corrupt=false"
            if self.decoder == "avdec_h264"
            else ""
        )
        sink = "appsink max-buffers=4 drop=true" if self._on_picture else "fakesink"
        return PICTURE.format(decoder=f"{self.decoder}{threads}", sink=sink)

    def _sound_description(self) -> str:
        return SOUND.format(sink="proxysink" if self._sound else "fakesink")


PICTURE = """
 queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse config-interval=-1
 ! capsfilter name=units caps=video/x-h264,stream-format=byte-stream,alignment=au
 ! {decoder} ! {sink} name=picture sync=true"""
"""Without QoS events, which go up through all of webrtcbin at each picture: a decoder can leave out only
pictures that no other needs, and a call has none such."""

SOUND = f"""
 rtpopusdepay ! opusdec use-inband-fec=true plc=true ! {RAW} ! {{sink}} name=sound"""
"""The decoder itself makes one channel of two."""
