"""The drivers that the conformance suites run over: simulated ones always, real ones as available.

Here real drivers run on stand-ins that behave: alsa-lib's file and null PCMs, gpiozero's mock pins,
a stand-in for picamera2. On a machine with devices (a Pi, or one with vivid, snd-aloop and gpio-sim)
these variables name them:

- DIEMCAU_TEST_V4L2         a camera's card name, such as `vivid`
- DIEMCAU_TEST_PICAMERA2    a sensor's model, such as `imx708`
- DIEMCAU_TEST_MICROPHONE   an ALSA PCM that sound arrives at, such as `plughw:CARD=Loopback,DEV=1`
- DIEMCAU_TEST_SPEAKER      an ALSA PCM, such as `plughw:CARD=Loopback,DEV=0`
- DIEMCAU_TEST_MIXER        an ALSA PCM of a card with a volume of its own, `plughw:CARD=Dummy,DEV=0`
- DIEMCAU_TEST_GPIO         `<chip label>:<relay line>`, such as `gpio-sim.0-node0:17`
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from agent import settings
from tests.support import stand_in_picamera2
from tests.support.asound import file_pcms

Prepare = Callable[[pytest.MonkeyPatch, Path], Any]
"""Makes a subject ready in a folder of its own; skips, saying why, when it cannot be."""


def named(variable: str, what: str) -> str:
    """The device that this machine offers for the test, or a skip that says what's missing."""
    device = os.environ.get(variable)
    if not device:
        pytest.skip(f"no {what} on this machine: {variable} is not set")
    return device


class SteadyMockPin(MockPin):
    """Like our SteadyPin, a mock pin that is left as it is when it is closed."""

    def close(self) -> None:
        """Nothing."""


class MockLines:
    """gpiozero's mock pins in place of a chip's lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mock = MockFactory(pin_class=SteadyMockPin)

    def factory(self) -> MockFactory:
        return self.mock

    def level(self, line: int) -> bool:
        return bool(self.mock.pin(line).state)

    def holder(self, line: int) -> str:
        return ""

    def close(self) -> None:
        """The pins stay, so that the test can look at them."""


def simulated_camera(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Camera:
    return settings.Camera(driver="simulated", width=320, height=180, framerate=15, pattern=5)


def picamera2(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Camera:
    if model := os.environ.get("DIEMCAU_TEST_PICAMERA2"):
        return settings.Camera(driver="picamera2", device=model, width=640, height=360)
    monkeypatch.setitem(sys.modules, "picamera2", stand_in_picamera2)
    monkeypatch.setattr(stand_in_picamera2.Picamera2, "in_use", False)
    return settings.Camera(driver="picamera2", width=320, height=180, framerate=15)


def v4l2(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Camera:
    name = named("DIEMCAU_TEST_V4L2", "Video4Linux2 camera")
    return settings.Camera(driver="v4l2", device=name, width=640, height=360, framerate=15)


def simulated_microphone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Microphone:
    return settings.Microphone(driver="simulated", tone_hz=1000)


def alsa_file_microphone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Microphone:
    file_pcms(monkeypatch, folder)
    return settings.Microphone(driver="alsa", device="room_microphone")


def alsa_microphone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Microphone:
    name = named("DIEMCAU_TEST_MICROPHONE", "sound card with a microphone")
    return settings.Microphone(driver="alsa", device=name)


def simulated_speaker(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Speaker:
    return settings.Speaker(driver="simulated", volume=100, record=str(folder / "heard.wav"))


def alsa_file_speaker(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Speaker:
    file_pcms(monkeypatch, folder)
    return settings.Speaker(driver="alsa", volume=100, device="room_speaker")


def alsa_speaker(monkeypatch: pytest.MonkeyPatch, folder: Path) -> settings.Speaker:
    name = named("DIEMCAU_TEST_SPEAKER", "sound card with a loudspeaker")
    return settings.Speaker(driver="alsa", volume=100, device=name)
