"""One source of the meeting, received by WHEP and decoded in step: pictures and sound come out.

A picture leaves when it is due; sound leaves as soon as it is decoded, with the time at which it is
due on the shared clock, for a mixer to keep. So lips and sound stay together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from agent.core.commands import Source
from agent.media.certificate import Certificate
from agent.media.connection import Connection, Report
from agent.media.gst import Gst, GstWebRTC, available
from agent.media.jitter import JitterControl
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.session import Events, Session

DECODERS = ("v4l2h264dec", "v4l2slh264dec", "avdec_h264", "openh264dec")
"""Best first; the hardware ones register only where there is a device."""

OFFERED = {
    "video": (
        "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
        "packetization-mode=(string)1,profile-level-id=(string)42e01f"
    ),
    "audio": (
        "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
        "encoding-params=(string)2"
    ),
}

KEYFRAME_SECONDS = 0.5
"""Packets of a picture but no picture for so long: ask for a keyframe (again)."""

JITTER_SECONDS = 1.0
"""Between looks at how packets arrive."""

OnSample = Callable[[Any], None]


class Downlink:
    """Plays one source. In streaming threads, `on_picture` gets samples, `on_sound` a buffer and
    the running time in nanoseconds when it is due, `on_unit` H.264 as received (Annex B).
    """

    def __init__(
        self,
        loop: Loop,
        clock: SharedClock,
        source: Source,
        certificate: Certificate,
        local_address: str | None,
        jitter_buffer_milliseconds: int,
        *,
        report: Report,
        on_picture: OnSample,
        on_sound: Callable[[Any, int], None],
        on_unit: Callable[[Any, int], None],
    ) -> None:
        self._loop = loop
        self._clock = clock
        self.source = source
        self._certificate = certificate
        self._local_address = local_address
        self._floor = jitter_buffer_milliseconds
        self._jitter = JitterControl(jitter_buffer_milliseconds)
        self._on_picture = on_picture
        self._on_sound = on_sound
        self._on_unit = on_unit
        self.decoder = available(*DECODERS)
        self.pictures = 0
        self._picture_pad: Any = None
        self._last_picture = 0.0
        self.connection = Connection(loop, self._make_session, report)

    def start(self) -> None:
        self.connection.start()
        self._loop.later(KEYFRAME_SECONDS, self._want_picture)
        self._loop.later(JITTER_SECONDS, self._adapt)

    def close(self) -> list[threading.Thread]:
        return self.connection.close()

    def figures(self) -> dict[str, Any]:
        return {
            "state": self.connection.state,
            "attempts": self.connection.attempts,
            "decoder": self.decoder,
            "jitter_buffer_milliseconds": self._jitter.milliseconds,
        }

    def _make_session(self, events: Events) -> Session:
        self._picture_pad = None
        self._jitter = JitterControl(self._floor)
        pipeline = Pipeline(
            self._clock,
            f"webrtcbin name=webrtc bundle-policy=max-bundle latency={self._jitter.milliseconds}",
            lambda text: self._loop.post(lambda: self.connection.fail(text)),
        )
        webrtc = pipeline["webrtc"]
        for caps in OFFERED.values():
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            transceiver = webrtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
            transceiver.set_property("do-nack", True)
        session = Session(
            self._loop, pipeline, self.source, self._certificate, self._local_address, events
        )
        webrtc.connect("pad-added", lambda _, pad: self._on_pad(session, pad))
        return session

    def _on_pad(self, session: Session, pad: Any) -> None:
        """A stream has begun: build what decodes it."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        description, take = (
            (self._picture_description(), self._take_picture)
            if media == "video"
            else (SOUND, self._take_sound)
        )
        branch = Gst.parse_bin_from_description(description, True)
        session.pipeline.bin.add(branch)
        session.pipeline.on_sample(f"{media}-out", take)
        branch.sync_state_with_parent()
        if media == "video":
            self._picture_pad = branch.get_static_pad("sink")
            units = session.pipeline["units"].get_static_pad("src")
            units.add_probe(Gst.PadProbeType.BUFFER, self._pass_unit)
        pad.link(branch.get_static_pad("sink"))

    def _adapt(self) -> None:
        """Wait longer for packets when some are missed."""
        if self.connection.closed:
            return
        self._loop.later(JITTER_SECONDS, self._adapt)
        session, before = self.connection.session, self._jitter.milliseconds
        if session and self.connection.flowing:
            wanted = self._jitter.look(session.arrivals())
            if wanted != before:
                session.set_delay(wanted)

    def _pass_unit(self, _pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        self._on_unit(buffer, self._due(buffer))
        return Gst.PadProbeReturn.OK

    def _due(self, buffer: Any) -> int:
        """When it is to be shown or heard, in nanoseconds of running time."""
        return int(buffer.pts + self._jitter.milliseconds * Gst.MSECOND)

    def _want_picture(self) -> None:
        """A keyframe request is only a packet: it may be lost, or come before there is a camera."""
        if self.connection.closed:
            return
        self._loop.later(KEYFRAME_SECONDS, self._want_picture)
        if time.monotonic() - self._last_picture > KEYFRAME_SECONDS:
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
        return PICTURE.format(decoder=f"{self.decoder}{threads}")

    def _take_picture(self, sample: Any) -> None:
        self._last_picture = time.monotonic()
        self.pictures += 1
        if not self.connection.flowing:
            self._loop.post(self.connection.mark_flowing)
        self._on_picture(sample)

    def _take_sound(self, sample: Any) -> None:
        if not self.connection.flowing:
            self._loop.post(self.connection.mark_flowing)
        buffer = sample.get_buffer()
        self._on_sound(buffer, self._due(buffer))


PICTURE = """
 queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse config-interval=-1
 ! capsfilter name=units caps=video/x-h264,stream-format=byte-stream,alignment=au ! {decoder}
 ! appsink name=video-out max-buffers=4 drop=true sync=true qos=true"""

SOUND = """
 queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! rtpopusdepay ! opusdec use-inband-fec=true plc=true ! audioconvert ! audioresample
 ! audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved
 ! appsink name=audio-out max-buffers=50 drop=true sync=false"""
