"""The conformance suites over real drivers on this machine's virtual hardware."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.system import hardware
from tests.system.host import run

SELECTED = "v4l2 or usb_camera or card or chip"
SUITES = ["tests/conformance"]
SECONDS = 600


@pytest.fixture
def tone() -> Iterator[None]:
    """1 kHz into one end of a loopback cable; the microphone listens at the other."""
    with hardware.tone_played(1000, "plughw:CARD=Loopback,DEV=0,SUBDEV=2"):
        yield


def test_real_drivers_hold_the_promises_of_their_ports(gpio: hardware.Gpio, tone: None) -> None:
    run("modprobe", "snd-dummy")  # a card with a mixer
    environment = {
        **os.environ,
        "DIEMCAU_TEST_V4L2": "vivid",
        "DIEMCAU_TEST_GPIO": "pinctrl-bcm2711:12",
        "DIEMCAU_TEST_MICROPHONE": "plughw:CARD=Loopback,DEV=1,SUBDEV=2",
        "DIEMCAU_TEST_MIXER": "plughw:CARD=Dummy,DEV=0",
        "DIEMCAU_TEST_SPEAKER": "plughw:CARD=Loopback,DEV=0,SUBDEV=3",
    }
    command = [sys.executable, "-B", "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *SUITES, "-k", SELECTED],
        env=environment,
        timeout=SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:]
