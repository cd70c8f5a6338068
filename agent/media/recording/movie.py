"""One file of a recording: fragmented MP4 with the pictures as they came and the mixed sound as AAC.

A fragment a second is in the kernel's hands as soon as it is over, and put onto the card at once, so
whatever ends the process or the power, the file plays up to its last 2 s (ISO/IEC 14496-12, 8.8).
H.264 is passed on, never encoded again.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from agent.errors import MediaError
from agent.ports import SAMPLE_RATE_HZ

SOUND_BITRATE = 64_000
OPTIONS = {
    "movflags": "empty_moov+default_base_moof",
    "frag_duration": "1000000",  # us
    "flush_packets": "1",
    "max_interleave_delta": "500000",  # us: a picture that fails to come holds up nothing
}
NANOSECOND = Fraction(1, 1_000_000_000)
SHORTEST_NANOSECONDS = 1_000_000
"""Between two pictures of a track: MP4 wants them to go on."""


class Movie:
    """Written from construction to `close()`; everything raises MediaError (`recording-failed`)."""

    def __init__(self, path: Path, headers: dict[str, bytes]) -> None:
        """`headers`: for each picture a keyframe, whose SPS and PPS describe its track."""
        self.path = path
        self._last: dict[str, int] = {}
        self._on_card_bytes = 0
        self._sound_samples = 0
        with self._failing():
            import av

            self._av: Any = av
            self._container: Any = av.open(str(path), "w", format="mp4", options=OPTIONS)
            self._tracks = {key: self._add_track(header) for key, header in headers.items()}
            self._sound = self._container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
            self._sound.bit_rate = SOUND_BITRATE

    @property
    def pictures(self) -> set[str]:
        """The keys of the tracks."""
        return set(self._tracks)

    def add_picture(self, key: str, unit: bytes, at_nanoseconds: int, *, keyframe: bool) -> None:
        """One access unit, Annex B. A track begins with its first keyframe; the rest is left out."""
        if key not in self._last and not keyframe:
            return
        at = max(at_nanoseconds, self._last.get(key, -1) + SHORTEST_NANOSECONDS)
        self._last[key] = at
        with self._failing():
            packet = self._av.Packet(unit)
            packet.stream = self._tracks[key]
            packet.time_base = NANOSECOND
            packet.pts = packet.dts = at
            packet.is_keyframe = keyframe
            self._container.mux(packet)
            self._sync()

    def add_sound(self, pcm: bytes) -> None:
        """What follows the sound before it, without a gap: mono S16LE at 48 kHz."""
        with self._failing():
            frame = self._av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
            frame.planes[0].update(pcm)
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
            frame.pts = self._sound_samples
            self._sound_samples += frame.samples
            for packet in self._sound.encode(frame):
                self._container.mux(packet)
            self._sync()

    def close(self) -> None:
        """Finish the last fragment."""
        with self._failing():
            for packet in self._sound.encode(None):
                self._container.mux(packet)
            self._container.close()
            self._put_on_card()

    def _sync(self) -> None:
        """A fragment that waited for a clock to strike would be a second older when it is safe."""
        if self.path.stat().st_size > self._on_card_bytes:
            self._put_on_card()

    def _put_on_card(self) -> None:
        """What the kernel holds of the file would be lost in a power cut, for half a minute of it."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        self._on_card_bytes = size

    def _add_track(self, keyframe: bytes) -> Any:
        with self._av.open(io.BytesIO(keyframe), format="h264") as probe:
            return self._container.add_stream_from_template(probe.streams.video[0], opaque=True)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # av's own errors can't be named before av is imported
            raise MediaError("recording-failed", f"{self.path}: {error}") from error
