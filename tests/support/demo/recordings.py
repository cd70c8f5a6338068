"""Real recordings for one of the demo's rooms: words that a person speaks, and a photograph.

Both are shipped by Debian packages that scripts/setup installs; FFmpeg makes a WAV and a short
video of them that the simulated microphone and camera play.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.sounds import RATE_HZ

SPOKEN = tuple(
    Path("/usr/share/sounds/alsa") / f"{name}.wav"
    for name in ("Front_Center", "Rear_Left", "Side_Right")
)
"""A voice that says where a loudspeaker stands (package alsa-utils)."""

PHOTOGRAPH = Path("/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg")
"""Grace Hopper, as photographed by the US Navy, in the public domain (python-matplotlib-data)."""

VIDEO_SECONDS = 6


def make_words(path: Path) -> None:
    """The words one after the other and half a second of silence: mono, 16 bit, 48 kHz."""
    inputs = [argument for file in SPOKEN for argument in ("-i", str(file))]
    joined = f"concat=n={len(SPOKEN)}:v=0:a=1,apad=pad_dur=0.5"
    _ffmpeg(*inputs, "-filter_complex", joined, "-ac", "1", "-ar", str(RATE_HZ), str(path))


def make_video(path: Path, width: int, height: int, framerate: float) -> None:
    """The photograph, panned up and down once, so that no two pictures are the same."""
    tall = f"scale={width}:-2:flags=bicubic"
    pan = f"crop={width}:{height}:0:(ih-oh)*(0.2-0.2*cos(2*PI*t/{VIDEO_SECONDS}))"
    _ffmpeg(
        *("-loop", "1", "-framerate", str(framerate), "-i", str(PHOTOGRAPH)),
        *("-t", str(VIDEO_SECONDS), "-vf", f"{tall},{pan},format=yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", str(path)),
    )


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, check=True, timeout=60)
