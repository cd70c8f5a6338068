"""One source of the meeting, received by WHEP and decoded in step: pictures and sound come out.

Both leave at their time on the shared clock (jitter buffer included), so what takes them may use
them at once and lips and sound stay together.
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

OnSample = Callable[[Any], None]


class Downlink:
    """Plays one source; `on_picture` and `on_sound` get samples in streaming threads."""

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
        on_sound: OnSample,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self.source = source
        self._certificate = certificate
        self._local_address = local_address
        self._latency = jitter_buffer_milliseconds
        self._on_picture = on_picture
        self._on_sound = on_sound
        self.decoder = available(*DECODERS)
        self.pictures = 0
        self.last_picture: Any = None
        self.last_picture_seconds = 0.0
        self.connection = Connection(loop, self._make_session, report)

    def start(self) -> None:
        self.connection.start()

    def close(self) -> list[threading.Thread]:
        return self.connection.close()

    def figures(self) -> dict[str, Any]:
        return {
            "state": self.connection.state,
            "attempts": self.connection.attempts,
            "decoder": self.decoder,
            "jitter_buffer_milliseconds": self._latency,
        }

    def _make_session(self, events: Events) -> Session:
        pipeline = Pipeline(
            self._clock,
            f"webrtcbin name=webrtc bundle-policy=max-bundle latency={self._latency}",
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
        pad.link(branch.get_static_pad("sink"))

    def _picture_description(self) -> str:
        threads = " max-threads=2 thread-type=slice" if self.decoder == "avdec_h264" else ""
        return PICTURE.format(decoder=f"{self.decoder}{threads}")

    def _take_picture(self, sample: Any) -> None:
        self.last_picture = sample
        self.last_picture_seconds = time.monotonic()
        self.pictures += 1
        if not self.connection.flowing:
            self._loop.post(self.connection.mark_flowing)
        self._on_picture(sample)

    def _take_sound(self, sample: Any) -> None:
        if not self.connection.flowing:
            self._loop.post(self.connection.mark_flowing)
        self._on_sound(sample)


PICTURE = """
 queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse ! {decoder}
 ! appsink name=video-out max-buffers=4 drop=true sync=true qos=true"""

SOUND = """
 queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! rtpopusdepay ! opusdec use-inband-fec=true plc=true ! audioconvert ! audioresample
 ! audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved
 ! appsink name=audio-out max-buffers=50 drop=true sync=true"""
