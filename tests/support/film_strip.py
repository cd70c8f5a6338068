"""H.264 access units as a camera driver gives them, made by libx264, and what a file of them shows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from tests.support.sounds import RATE_HZ, Sound

FRAMES_PER_SECOND = 15
FRAME_NANOSECONDS = 1_000_000_000 // FRAMES_PER_SECOND


class Unit(NamedTuple):
    """One encoded picture, Annex B."""

    data: bytes
    keyframe: bool


def strip(seconds: float, width: int = 160, height: int = 90, grey: int = 40) -> list[Unit]:
    """A film that gets lighter with time; a keyframe every four seconds."""
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, FRAMES_PER_SECOND)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "60"}
    units = []
    for number in range(round(seconds * FRAMES_PER_SECOND)):
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        picture[:height] = grey + number % 200
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        units += [Unit(bytes(p), bool(p.is_keyframe)) for p in encoder.encode(frame)]
    return units


class Seen(NamedTuple):
    """What a player makes of a file: per video track its size and pictures, and the sound."""

    sizes: list[tuple[int, int]]
    pictures: list[int]
    seconds: list[float]
    sound: Sound


def play(path: Path) -> Seen:
    """Decode all of it. Raises av's errors when a player would stumble."""
    with av.open(str(path)) as film:
        videos = film.streams.video
        pictures = [0] * len(videos)
        seconds = [0.0] * len(videos)
        sound: list[Any] = []
        for packet in film.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    pictures[packet.stream.index] += 1
                    seconds[packet.stream.index] = frame.time
                else:
                    sound.append(frame.to_ndarray()[0])
        sizes = [(video.codec_context.width, video.codec_context.height) for video in videos]
    samples = np.concatenate(sound) if sound else np.zeros(0)
    return Seen(sizes, pictures, seconds, (samples * 32767).astype(np.int16))


def seconds_of(sound: Sound) -> float:
    return len(sound) / RATE_HZ
