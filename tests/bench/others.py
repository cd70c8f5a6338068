"""Other libraries doing a media process's work, for comparison: aiortc, and FFmpeg's WHIP muxer.

`python -m tests.bench.others aiortc-publish|aiortc-play|ffmpeg-publish URL`: the agent's own simulated camera
and a tone, or decoding to nowhere. Says `flowing` when it is.
"""

from __future__ import annotations

import argparse
import asyncio
import fractions
import io
import queue
import tempfile
import time
from collections.abc import Callable
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCPeerConnection

from agent.devices import registry
from agent.media.webrtc.certificate import make_certificate
from agent.ports import AccessUnit
from agent.settings import Camera, Simulation
from tests.support.peers import OPUS_SAMPLES, Peer, Receiver, Tone, prefer
from tests.support.sounds import RATE_HZ, tone
from tests.support.waiting import wait_for

NANOSECOND = fractions.Fraction(1, 1_000_000_000)
TONE_HZ = 440.0
SOUND_BITRATE = 32_000
CONNECT_SECONDS = 20.0


class Film:
    """The simulated camera's access units, as PyAV's packets, handed to `on_packet`."""

    def __init__(self, on_packet: Callable[[Any], None]) -> None:
        self._on_packet = on_packet
        self._started = time.monotonic()
        self.camera = registry.camera(Camera(driver="simulated"), Simulation())
        self.camera.start(self._take, lambda status: None)

    def _take(self, unit: AccessUnit) -> None:
        packet = av.Packet(unit.data)
        at = max(0.0, unit.captured_monotonic_seconds - self._started)
        packet.pts = packet.dts = int(at * 1e9)
        packet.time_base = NANOSECOND
        packet.is_keyframe = unit.keyframe
        self._on_packet(packet)


class FilmTrack(MediaStreamTrack):
    """Encoded pictures: aiortc passes them on."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._packets: asyncio.Queue[Any] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self.film = Film(lambda packet: loop.call_soon_threadsafe(self._packets.put_nowait, packet))

    async def recv(self) -> Any:
        return await self._packets.get()


class FilmPublisher(Peer):
    """What the room sends, by aiortc."""

    def prepare(self, pc: RTCPeerConnection) -> None:
        track = FilmTrack()
        prefer(pc.addTransceiver(track, direction="sendonly"))
        pc.addTransceiver(Tone(TONE_HZ), direction="sendonly")

        @pc.on("connectionstatechange")
        def _() -> None:
            track.film.camera.request_keyframe()


class Decoder(Receiver):
    """What it gets is decoded and not looked at."""

    async def _watch(self, track: MediaStreamTrack) -> None:
        while await self._next(track) is not None:
            self.pictures_received += 1

    async def _listen(self, track: MediaStreamTrack) -> None:
        while await self._next(track) is not None:
            """Decoded."""


def run(peer: Peer) -> None:
    with peer:
        wait_for(lambda: peer.state == "connected", CONNECT_SECONDS, "connected")
        print("flowing", flush=True)
        while True:
            time.sleep(1)


def publish_by_ffmpeg(url: str) -> None:
    packets: queue.SimpleQueue[Any] = queue.SimpleQueue()
    Film(packets.put)
    first = packets.get()
    with (
        av.open(io.BytesIO(bytes(first)), format="h264") as probe,
        tempfile.NamedTemporaryFile("w", suffix=".pem") as certificate,
        av.open(url, "w", format="whip", options=own_certificate(certificate)) as session,
    ):
        pictures = session.add_stream_from_template(probe.streams.video[0], opaque=True)
        sound = session.add_stream("libopus", rate=RATE_HZ, layout="stereo")
        sound.bit_rate = SOUND_BITRATE
        session.start_encoding()
        print("flowing", flush=True)
        first_pts, samples = first.pts, 0
        while True:
            packet = packets.get()
            packet.stream = pictures
            packet.pts = packet.dts = packet.pts - first_pts
            while samples / RATE_HZ < packet.pts * NANOSECOND:
                session.mux(sound.encode(sound_frame(samples)))
                samples += OPUS_SAMPLES
            session.mux(packet)


def own_certificate(file: Any) -> dict[str, str]:
    """FFmpeg's options for one of our making, in this file: aiortc shares no cipher with FFmpeg's RSA."""
    file.write(make_certificate().pem)
    file.flush()
    return {"cert_file": file.name, "key_file": file.name}


def sound_frame(first_sample: int) -> Any:
    samples = tone(TONE_HZ, first_sample, OPUS_SAMPLES).repeat(2).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
    frame.sample_rate = RATE_HZ
    frame.pts = first_sample
    frame.time_base = fractions.Fraction(1, RATE_HZ)
    return frame


WORK: dict[str, Callable[[str], None]] = {
    "aiortc-publish": lambda url: run(FilmPublisher(url)),
    "aiortc-play": lambda url: run(Decoder(url)),
    "ffmpeg-publish": publish_by_ffmpeg,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=list(WORK))
    parser.add_argument("url")
    arguments = parser.parse_args()
    WORK[arguments.work](arguments.url)


if __name__ == "__main__":
    main()
