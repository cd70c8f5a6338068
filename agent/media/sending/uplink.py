"""What the room sends: H.264 as the camera encoded it and Opus of the microphone, by WHIP.

`push_picture` and `push_sound` may be called from device threads; they feed whichever session is up.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from agent.core.model.commands import Endpoint
from agent.media.gst import Gst, GstWebRTC
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock, wrap
from agent.media.sending.adaptation import LOOK_SECONDS, Adaptation
from agent.media.webrtc.connection import Connection, Report
from agent.media.webrtc.network import Network
from agent.media.webrtc.session import Events, Session
from agent.media.webrtc.transport_feedback import OFFERED
from agent.ports import AccessUnit
from agent.settings import Camera

PICTURE = """
 appsrc name=picture is-live=true format=time max-time=1000000000 leaky-type=downstream
  caps=video/x-h264,stream-format=byte-stream,alignment=au
 ! h264parse config-interval=-1
 ! rtph264pay name=picture-pay pt=96 ssrc={ssrc} config-interval=-1 aggregate-mode=zero-latency mtu=1200
 ! application/x-rtp,media=video,encoding-name=H264,payload=96,ssrc=(uint){ssrc},clock-rate=90000,
  packetization-mode=(string)1,{feedback} ! webrtc."""

# constant bitrate, so that what the sound feels its way up with is really sent (and RFC 6562 says that
# a variable one lets an eavesdropper guess words)
SOUND = """
 appsrc name=sound is-live=true format=time max-time=200000000 leaky-type=downstream
  caps=audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved
 ! opusenc name=opus bitrate=32000 frame-size=20 audio-type=voice bitrate-type=cbr
  inband-fec=true packet-loss-percentage=5 tolerance=5000000
 ! rtpopuspay name=sound-pay pt=111 ssrc={ssrc}
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,ssrc=(uint){ssrc},clock-rate=48000,
  encoding-params=(string)2,{feedback} ! webrtc."""


class Uplink:
    """Publishes what the room has: a picture, a sound, or both."""

    def __init__(
        self,
        loop: Loop,
        clock: SharedClock,
        endpoint: Endpoint,
        network: Network,
        *,
        camera: Camera | None,
        sound: bool,
        report: Report,
        request_keyframe: Callable[[], None],
        set_bitrate: Callable[[int], None],
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._endpoint = endpoint
        self._network = network
        self._picture = camera is not None
        self._sound = sound
        self._request_keyframe = request_keyframe
        self._adaptation = Adaptation(
            loop, camera, set_bitrate, request_keyframe, self._bring_picture_back
        )
        self._ssrcs: list[int] = []
        self._lock = threading.Lock()
        self._sources: dict[str, Any] = {}
        self._wants_keyframe = True
        self.connection = Connection(loop, self._make_session, self._on_state(report))

    def start(self) -> None:
        self.connection.start()
        self._loop.later(LOOK_SECONDS, self._look)

    def close(self) -> list[threading.Thread]:
        self._feed({})
        return self.connection.close()

    def figures(self) -> dict[str, Any]:
        return {
            "state": self.connection.state,
            "attempts": self.connection.attempts,
            "picture_target_bits_per_second": self._adaptation.targets.picture or 0,
            "picture_given_up": self._picture and self._adaptation.targets.picture is None,
        }

    def push_picture(self, unit: AccessUnit) -> None:
        """Drops what nobody could decode: pictures before the first keyframe of a session."""
        with self._lock:
            source = self._sources.get("picture")
            if source is None or not self._adaptation.picture_goes:
                return
            if self._wants_keyframe and not unit.keyframe:
                return
            self._wants_keyframe = False
            pts = self._clock.at(unit.captured_monotonic_seconds)
            source.push_buffer(wrap(unit.data, pts, delta=not unit.keyframe))

    def push_sound(self, buffer: Any) -> None:
        with self._lock:
            source = self._sources.get("sound")
            if source is not None:
                source.push_buffer(buffer)

    def _make_session(self, events: Events) -> Session:
        # the stream ids stand in the offer, so that the server knows whose retransmissions it gets
        self._ssrcs = picture_ssrc, sound_ssrc = random.sample(range(1, 2**32), 2)
        media = PICTURE.format(ssrc=picture_ssrc, feedback=OFFERED) if self._picture else ""
        media += SOUND.format(ssrc=sound_ssrc, feedback=OFFERED) if self._sound else ""
        pipeline = Pipeline(
            self._clock,
            f"webrtcbin name=webrtc bundle-policy=max-bundle {media}",
            lambda text: self._loop.post(lambda: self._on_error(text)),
        )
        webrtc = pipeline["webrtc"]
        webrtc.get_by_name("rtpbin").set_property("rtcp-sync-send-time", False)
        for index in range(self._picture + self._sound):
            transceiver = webrtc.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            transceiver.set_property("do-nack", True)
        if self._picture:
            pad = pipeline["picture"].get_static_pad("src")
            pad.add_probe(Gst.PadProbeType.EVENT_UPSTREAM, self._on_upstream)
        return Session(self._loop, pipeline, self._endpoint, self._network, events)

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
                self._adaptation.begin(session, self._ssrcs)
                names = ("picture", "sound")
                self._feed({n: e for n in names if (e := session.pipeline[n]) is not None})
                self._request_keyframe()
                self._look_for_acceptance()
            elif state != "flowing":
                self._feed({})

        return tell

    def _feed(self, sources: dict[str, Any]) -> None:
        with self._lock:
            self._sources = sources
            self._wants_keyframe = True

    def _look_for_acceptance(self) -> None:
        """RTCP from the server answers RTP that it could decrypt: then our media is accepted."""
        session = self.connection.session
        if session is None or not self.connection.connected or self.connection.flowing:
            return
        if session.rtcp_packets:
            self.connection.mark_flowing()
        else:
            self._loop.later(0.05, self._look_for_acceptance)

    # --- bitrate

    def _look(self) -> None:
        if not self.connection.closed:
            self._loop.later(LOOK_SECONDS, self._look)
            if self.connection.flowing:
                self._adaptation.look()

    def _bring_picture_back(self) -> None:
        with self._lock:
            self._wants_keyframe = True
        self._request_keyframe()

    def _on_error(self, text: str) -> None:
        self.connection.fail(text)
