"""What the room sends: H.264 as the camera encoded it and Opus of the microphone, by WHIP.

`push_picture` and `push_sound` may be called from device threads; they feed whichever session is up.
"""

from __future__ import annotations

import random
import re
import threading
from typing import Any

from agent.core.model.commands import Endpoint, PictureSize
from agent.core.model.figures import Medium
from agent.media.context import Context
from agent.media.gst import Gst, GstWebRTC
from agent.media.pipeline import Pipeline, wrap
from agent.media.sending.adaptation import (
    TICK_SECONDS,
    Adaptation,
    PictureEncoder,
    Streams,
    make_rate_control,
)
from agent.media.webrtc.link import MediaLink, Report
from agent.media.webrtc.session import Events, MediaSession
from agent.media.webrtc.transport_feedback import ID, OFFERED
from agent.ports import AccessUnit

PICTURE = """
 appsrc name=picture is-live=true format=time max-time=1000000000 leaky-type=downstream
  caps=video/x-h264,stream-format=byte-stream,alignment=au
 ! h264parse config-interval=-1
 ! rtph264pay name=picture-pay pt=96 ssrc={ssrc} config-interval=-1 aggregate-mode=zero-latency mtu=1200
 ! capsfilter name=picture-caps
  caps="application/x-rtp,media=video,encoding-name=H264,payload=96,ssrc=(uint){ssrc},clock-rate=90000,
  packetization-mode=(string)1,{feedback}" ! webrtc."""

# constant bitrate, so that what the sound feels its way up with is really sent (and RFC 6562 says that
# a variable one lets an eavesdropper guess words)
SOUND = """
 appsrc name=sound is-live=true format=time max-time=200000000 leaky-type=downstream
  caps=audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved
 ! opusenc name=opus bitrate=32000 frame-size=20 audio-type=voice bitrate-type=cbr
  inband-fec=true packet-loss-percentage=5 tolerance=5000000
 ! rtpopuspay name=sound-pay pt=111 ssrc={ssrc}
 ! capsfilter name=sound-caps
  caps="application/x-rtp,media=audio,encoding-name=OPUS,payload=111,ssrc=(uint){ssrc},clock-rate=48000,
  encoding-params=(string)2,{feedback}" ! webrtc."""

FEEDBACK = OFFERED.replace('"', r"\"")
"""Caps within caps, in the text of a pipeline."""


class Uplink:
    """Publishes what the room has: a picture, a sound, or both."""

    def __init__(
        self,
        context: Context,
        endpoint: Endpoint,
        report: Report,
        *,
        encoder: PictureEncoder | None,
        sound: bool,
    ) -> None:
        """Without an `encoder` no picture is sent."""
        self._context = context
        self._loop = context.loop
        self.endpoint = endpoint
        self._encoder = encoder
        self._sound = sound
        self._rate = make_rate_control(encoder)
        self._adaptation: Adaptation | None = None
        self._streams = Streams(0, 0)
        self._lock = threading.Lock()
        self._sources: dict[str, Any] = {}
        self._wants_keyframe = True
        self._size: PictureSize = "full"
        self.connection = MediaLink(
            context.loop, self._make_session, self._on_state(report), receives=False
        )

    def start(self) -> None:
        self.connection.start()
        self._loop.later(TICK_SECONDS, self._tick)

    def close(self) -> list[threading.Thread]:
        self._feed({})
        return self.connection.close()

    @property
    def refused(self) -> tuple[Medium, ...]:
        """What the server does not take."""
        session = self.connection.session
        return session.agreement.refused if session else ()

    @property
    def picture_target_bits_per_second(self) -> int:
        """What the encoder is to make now; 0 while the picture is given up."""
        return self._rate.targets.picture or 0

    @property
    def picture_given_up(self) -> bool:
        """Whether the link is too narrow for the room's picture."""
        return bool(self._encoder) and self._rate.targets.picture is None

    def push_picture(self, unit: AccessUnit) -> None:
        """Drops what nobody could decode: pictures before the first keyframe of a session."""
        with self._lock:
            source = self._sources.get("picture")
            goes = self._size != "off" and self._adaptation and self._adaptation.picture_goes
            if source is None or not goes:
                return
            if self._wants_keyframe and not unit.keyframe:
                return
            self._wants_keyframe = False
            pts = self._context.clock.at(unit.captured_monotonic_seconds)
            source.push_buffer(wrap(unit.data, pts, delta=not unit.keyframe))

    def set_picture(self, size: PictureSize) -> None:
        """Send so much of a picture, in the session that there is. The owner sees to the camera."""
        before, self._size = self._size, size
        if size == before or self._encoder is None:
            return
        with self._lock:
            self._wants_keyframe = True
        if before == "off":
            self._request_keyframe()
        if size != "off":
            self._rate.resize(*self._encoder.bounds(small=size == "small"))
        if self._adaptation:
            self._adaptation.resize()

    def renew(self, endpoint: Endpoint) -> None:
        """Another token for the same address: for the session's end, and for the next session."""
        self.endpoint = endpoint
        self.connection.renew(endpoint)

    def push_sound(self, buffer: Any) -> None:
        with self._lock:
            source = self._sources.get("sound")
            if source is not None:
                source.push_buffer(buffer)

    def _make_session(self, events: Events, _: object) -> MediaSession:
        # the stream ids stand in the offer, so that the server knows whose retransmissions it gets
        self._streams = Streams(*random.sample(range(1, 2**32), 2))
        media = (
            PICTURE.format(ssrc=self._streams.picture, feedback=FEEDBACK) if self._encoder else ""
        )
        media += SOUND.format(ssrc=self._streams.sound, feedback=FEEDBACK) if self._sound else ""
        pipeline = Pipeline(
            self._context.clock,
            f"webrtcbin name=webrtc bundle-policy=max-bundle {media}",
            lambda text: self._loop.post(lambda: self._on_error(text)),
        )
        webrtc = pipeline["webrtc"]
        webrtc.get_by_name("rtpbin").set_property("rtcp-sync-send-time", False)
        for index in range(bool(self._encoder) + self._sound):
            transceiver = webrtc.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            transceiver.set_property("do-nack", True)
        if self._encoder:
            pad = pipeline["picture"].get_static_pad("src")
            pad.add_probe(Gst.PadProbeType.EVENT_UPSTREAM, self._on_upstream)
        session = MediaSession(self._loop, pipeline, self.endpoint, self._context.network, events)
        if self._encoder:
            session.level = self._encoder.level
        return session

    def _on_upstream(self, _pad: Any, info: Any) -> Any:
        structure = info.get_event().get_structure()
        if structure and structure.get_name() == "GstForceKeyUnit":
            self._loop.post(self._request_keyframe)
        return Gst.PadProbeReturn.OK

    def _on_state(self, report: Report) -> Report:
        """Watch the reports on their way: only a session that is up is fed."""

        def tell(state: Any, text: str) -> None:
            report(state, text)
            session = self.connection.session
            if state == "connected" and session:
                self._adaptation = Adaptation(
                    self._loop,
                    session,
                    self._streams,
                    self._rate,
                    self._encoder,
                    self._bring_picture_back,
                )
                taken = session.agreement.media
                for medium, accepted in taken.items():
                    if not accepted.numbered:
                        stop_numbering(session.pipeline[f"{medium}-caps"])
                self._feed({medium: session.pipeline[medium] for medium in taken})
                self._request_keyframe()
                self._await_acceptance()
            elif state != "flowing":
                self._feed({})

        return tell

    def _feed(self, sources: dict[str, Any]) -> None:
        with self._lock:
            self._sources = sources
            self._wants_keyframe = True

    def _await_acceptance(self) -> None:
        """RTCP from the server answers RTP that it could decrypt: then our media is accepted."""
        session = self.connection.session
        if session is None or not self.connection.connected or self.connection.flowing:
            return
        if session.rtcp.packets:
            self.connection.mark_flowing()
        else:
            self._loop.later(0.05, self._await_acceptance)

    # --- bitrate

    def _tick(self) -> None:
        if not self.connection.closed:
            self._loop.later(TICK_SECONDS, self._tick)
            if self.connection.flowing and self._adaptation:
                self._adaptation.tick()

    def _request_keyframe(self) -> None:
        if self._encoder:
            self._encoder.request_keyframe()

    def _bring_picture_back(self) -> None:
        with self._lock:
            self._wants_keyframe = True
        self._request_keyframe()

    def _on_error(self, text: str) -> None:
        self.connection.fail(text)


def stop_numbering(capsfilter: Any) -> None:
    """Packets of this stream are no more numbered for transport-wide feedback: its section of the answer
    did not take that, and the server would say that they are lost (RFC 8285, 5).
    """
    caps = capsfilter.get_property("caps").to_string()
    left = re.sub(rf', (?:extmap-{ID}=\(string\)"?[^",;]*"?|rtcp-fb-transport-cc=[^,;]*)', "", caps)
    capsfilter.set_property("caps", Gst.Caps.from_string(left))
