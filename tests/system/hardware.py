"""The virtual machine's hardware: kernel drivers that behave like a Pi's GPIO, screen and sound."""

from __future__ import annotations

import os
import re
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageStat

from tests.support.broker import wait_until
from tests.support.sounds import Sound
from tests.system.host import OUT, run
from tests.system.scanout import Card, picture_on

TRACING = Path("/sys/kernel/tracing")
CHIP = "pinctrl-bcm2711"
RELAY, BUTTON, LAMP = 17, 22, 27
"""GPIO lines as in docs/install.md."""

SCREEN_SECONDS = 120
PAUSE_SECONDS = 0.25
"""Between two presses of one hand."""

BOUNCES = 10


def has(module: str) -> bool:
    """Whether the kernel has loaded it (when the machine booted, or a test did)."""
    return Path("/sys/module", module.replace("-", "_")).exists()


class Gpio:
    """The header of a Pi 4, by gpio-sim; every change of a line is traced by the kernel."""

    def __init__(self) -> None:
        header = Path("/sys/kernel/config/gpio-sim/header")
        device = (header / "dev_name").read_text().strip()
        chip = (header / "bank/chip_name").read_text().strip()
        self._lines = Path(f"/sys/devices/platform/{device}/{chip}")

    def level(self, line: int) -> int:
        return int((self._lines / f"sim_gpio{line}/value").read_text())

    def pull(self, line: int, direction: str) -> None:
        """`up` or `down`: what a button does to its line."""
        (self._lines / f"sim_gpio{line}/pull").write_text(f"pull-{direction}")

    def press(self, line: int, seconds: float = 0.3, times: int = 1) -> None:
        """A finger on a button: `times` presses that last `seconds`, a quarter of a second apart."""
        with real_time():
            for last in range(times - 1, -1, -1):
                self.pull(line, "down")
                time.sleep(seconds)
                self.pull(line, "up")
                time.sleep(PAUSE_SECONDS if last else 0)

    def press_bouncing(self, line: int, seconds: float = 0.3) -> None:
        """The same by a worn contact: it opens and closes for some 20 ms before it settles, either way."""
        with real_time():
            for settles in ("down", "up"):
                for _ in range(BOUNCES):
                    for direction in ("down", "up"):
                        self.pull(line, direction)
                        time.sleep(0.001)
                self.pull(line, settles)
                time.sleep(seconds)


@contextmanager
def real_time() -> Iterator[None]:
    """A finger does not wait until the machine has time for it."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Edge(NamedTuple):
    """A value that the kernel set on a line, and when, by the kernel's clock."""

    seconds: float
    value: int


class Trace:
    """Every value that the kernel set on one GPIO line meanwhile: `edges()`, in order."""

    def __init__(self, line: int) -> None:
        (base,) = (
            int((chip / "base").read_text())
            for chip in Path("/sys/class/gpio").glob("gpiochip*")
            if (chip / "label").read_text().strip() == CHIP
        )
        self._event = re.compile(rf"(\d+\.\d+): gpio_value: {base + line} set (\d)")

    def __enter__(self) -> Trace:
        (TRACING / "trace").write_text("")
        (TRACING / "events/gpio/enable").write_text("1")
        (TRACING / "tracing_on").write_text("1")
        return self

    def __exit__(self, *_: object) -> None:
        (TRACING / "events/gpio/enable").write_text("0")

    def edges(self) -> list[Edge]:
        found = self._event.findall((TRACING / "trace").read_text())
        return [Edge(float(seconds), int(value)) for seconds, value in found]


PATTERNS = {"muted": (1.8, 0.2), "hand": (1.0, 1.0), "called": (0.125, 0.125)}
"""Seconds on and off: the table for the wall in docs/contract.md. What does not change is `on` or `off`."""

LOOK_SECONDS = 4.5
"""Two rounds of the slowest: whose lamp does not change in that time is steady."""


def lamp_says(gpio: Gpio) -> str:
    """What somebody reads off the lamp who looks at it for a while: the pattern that it is most like."""
    on = off = 0.0
    end = time.monotonic() + LOOK_SECONDS
    with Trace(LAMP) as trace:
        while not (on and off) and time.monotonic() < end:
            time.sleep(0.2)
            for edge, following in pairwise(trace.edges()):
                lasted = following.seconds - edge.seconds
                on, off = (lasted, off) if edge.value else (on, lasted)
    if not (on and off):
        return "on" if gpio.level(LAMP) else "off"

    def unlike(mode: str) -> float:
        """In factors, so that a slow machine is not taken for another pattern."""
        return abs(log(on / PATTERNS[mode][0])) + abs(log(off / PATTERNS[mode][1]))

    return min(PATTERNS, key=unlike)


@contextmanager
def unplugged(driver: str, device: str) -> Iterator[None]:
    """A cable pulled, and put in again: the device loses its driver while it is in use."""
    folder = Path(f"/sys/bus/platform/drivers/{driver}")
    (folder / "unbind").write_text(device)
    try:
        yield
    finally:
        (folder / "bind").write_text(device)
        run("udevadm", "settle")


@contextmanager
def tone_played(frequency_hz: float, device: str) -> Iterator[None]:
    """Somebody whistles, into the other end of the cable that the room's microphone is."""
    source = f"sine=frequency={frequency_hz}:sample_rate=48000"
    command = ["ffmpeg", "-loglevel", "error", "-re", "-f", "lavfi", "-i", source, "-ac", "1"]
    player = subprocess.Popen([*command, "-f", "alsa", device])
    try:
        yield
    finally:
        player.terminate()
        player.wait(30)


def hear(device: str, seconds: int) -> Sound:
    """What comes out of the loudspeaker: mono, 48 kHz."""
    path = OUT / "loudspeaker.wav"
    command = ["arecord", "-q", "-D", device, "-f", "S16_LE", "-r", "48000", "-c", "1"]
    run(*command, "-d", str(seconds), str(path))
    with wave.open(str(path)) as recording:
        frames = recording.readframes(recording.getnframes())
    return np.frombuffer(frames, "<i2")


def wait_for_screen(name: str, looks_right: Callable[[Image.Image], bool]) -> Image.Image:
    """The virtual screen's picture once it looks right; the last one is kept as screen-NAME.png."""
    seen: list[Image.Image] = []

    def look() -> bool:
        with Card(Path("/dev/dri/card0")) as card:
            picture = picture_on(card)
        if picture is None:
            return False
        picture.save(OUT / f"screen-{name}.png")
        seen.append(picture)
        return looks_right(picture)

    wait_until(look, f"the right picture on the screen; see screen-{name}.png", SCREEN_SECONDS)
    return seen[-1]


def colour_at_centre(picture: Image.Image) -> tuple[int, int, int]:
    """Mean RGB of the middle ninth."""
    width, height = picture.size
    middle = picture.crop((width // 3, height // 3, width * 2 // 3, height * 2 // 3))
    red, green, blue = ImageStat.Stat(middle).mean
    return round(red), round(green), round(blue)


def contrast(picture: Image.Image) -> float:
    """How far the lightness of its pixels is spread: 0 for a picture of one colour."""
    return float(ImageStat.Stat(picture.convert("L")).stddev[0])
