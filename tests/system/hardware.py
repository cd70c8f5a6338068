"""The virtual machine's hardware: kernel drivers that behave like a Pi's GPIO, cameras and sound.

Modules are loaded once and never guessed at: one that is missing skips its tests by name.
"""

from __future__ import annotations

import re
import subprocess
import time
import wave
from pathlib import Path

import numpy as np

from tests.support.sounds import Sound
from tests.system.host import OUT, run, succeeds

TRACING = Path("/sys/kernel/tracing")
RELAY, BUTTON, LAMP = 17, 22, 27
"""GPIO lines as in docs/install.md."""


def load(module: str, *options: str) -> bool:
    return succeeds("modprobe", module, *options)


class Gpio:
    """The header of a Pi 4, by gpio-sim; every change of a line is traced by the kernel."""

    def __init__(self) -> None:
        bank = Path("/sys/kernel/config/gpio-sim/header/bank")
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text("54")
        (bank / "label").write_text("pinctrl-bcm2711")
        (bank.parent / "live").write_text("1")
        device = (bank.parent / "dev_name").read_text().strip()
        chip = (bank / "chip_name").read_text().strip()
        self._lines = Path(f"/sys/devices/platform/{device}/{chip}")
        run("udevadm", "settle")

    def level(self, line: int) -> int:
        return int((self._lines / f"sim_gpio{line}/value").read_text())

    def pull(self, line: int, direction: str) -> None:
        """`up` or `down`: what a button does to its line."""
        (self._lines / f"sim_gpio{line}/pull").write_text(f"pull-{direction}")

    def press(self, line: int, seconds: float = 0.3) -> None:
        self.pull(line, "down")
        time.sleep(seconds)  # how long the finger stays
        self.pull(line, "up")


class Trace:
    """Every value that the kernel set on one GPIO line meanwhile: `values()`, in order."""

    def __init__(self, line: int) -> None:
        listing = Path("/sys/kernel/debug/gpio").read_text()
        base = re.search(r"GPIOs (\d+)-", listing)
        assert base, listing
        self._event = re.compile(rf"gpio_value: {int(base[1]) + line} set (\d)")

    def __enter__(self) -> Trace:
        (TRACING / "trace").write_text("")
        (TRACING / "events/gpio/enable").write_text("1")
        (TRACING / "tracing_on").write_text("1")
        return self

    def __exit__(self, *_: object) -> None:
        (TRACING / "events/gpio/enable").write_text("0")

    def values(self) -> list[int]:
        return [int(value) for value in self._event.findall((TRACING / "trace").read_text())]


class Plug:
    """A device's driver, taken off and put back while it is in use: a cable pulled and put in."""

    def __init__(self, driver: str, device: str) -> None:
        self._driver = Path(f"/sys/bus/platform/drivers/{driver}")
        self._device = device

    def pull(self) -> None:
        (self._driver / "unbind").write_text(self._device)

    def put_in(self) -> None:
        (self._driver / "bind").write_text(self._device)
        run("udevadm", "settle")


def usb_camera() -> None:
    """Plug in vivid, a USB camera's stand-in."""
    assert load("vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0")
    run("udevadm", "settle")


def play_tone(frequency_hz: float, device: str) -> subprocess.Popen[bytes]:
    """Somebody whistles into the room's microphone, until the process is ended."""
    source = f"sine=frequency={frequency_hz}:sample_rate=48000"
    command = ["ffmpeg", "-loglevel", "error", "-re", "-f", "lavfi", "-i", source, "-ac", "1"]
    return subprocess.Popen([*command, "-f", "alsa", device])


def hear(device: str, seconds: int) -> Sound:
    """What comes out of the loudspeaker: mono, 48 kHz."""
    path = OUT / "loudspeaker.wav"
    command = ["arecord", "-q", "-D", device, "-f", "S16_LE", "-r", "48000", "-c", "1"]
    run(*command, "-d", str(seconds), str(path))
    with wave.open(str(path)) as recording:
        frames = recording.readframes(recording.getnframes())
    return np.frombuffer(frames, "<i2")


def screenshot(name: str) -> Path:
    """What the virtual screen shows now, as a PNG in the output folder."""
    path = OUT / name
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-y",
        "-device",
        "/dev/dri/card0",
        "-f",
        "kmsgrab",
        "-i",
        "-",
    ]
    run(*command, "-vf", "hwdownload,format=bgr0", "-frames:v", "1", str(path))
    return path


def colour_at_centre(picture: Path) -> tuple[int, int, int]:
    """Mean RGB of the middle ninth of a PNG."""
    scale = "crop=iw/3:ih/3,scale=1:1:flags=area"
    command = ["ffmpeg", "-loglevel", "error", "-i", str(picture), "-vf", scale]
    raw = run(*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-", encoding="latin-1")
    red, green, blue = raw[:3].encode("latin-1")
    return red, green, blue
