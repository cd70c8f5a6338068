"""A room with real drivers on virtual hardware, in an emulated machine: nothing here is fast."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.system import hardware
from tests.system.host import install, installed, run
from tests.system.room import Room, stop

DEADLINE_SECONDS = 120
"""The machine is emulated, and its host may be busy."""

DROP_IN = """\
[Service]
# gpiozero wants to know which Pi it is on.
BindReadOnlyPaths=/usr/local/share/diemcau-vm/cpuinfo-pi4:/proc/cpuinfo
# libcamera's handler for the virtual camera is a test handler, which it does not try by itself.
Environment=LIBCAMERA_PIPELINES_MATCH_LIST=vimc LIBCAMERA_LOG_LEVELS=*:ERROR
"""

REAL = {
    "devices.camera": "{driver: v4l2, device: vivid, width: 320, height: 180, framerate: 5, "
    "bitrate: 150000}",
    "devices.microphone": "{driver: alsa, device: 'plughw:CARD=Loopback,DEV=1,SUBDEV=0'}",
    "devices.speaker": "{driver: alsa, device: 'plughw:CARD=Loopback,DEV=0,SUBDEV=1'}",
    "devices.display.relay": "{driver: gpio, line: 17, warm_up_seconds: 0, hold_seconds: 0}",
    "devices.display.output": "{driver: kms, width: 1024, height: 768, framerate: 5}",
    "devices.panel": "{driver: gpio, on_air_lamp: 27, mute_button: 22}",
    "media.local_address": "127.0.0.1",
    "clock.trusted": "true",
}


@pytest.fixture(scope="session")
def gpio() -> hardware.Gpio:
    if not hardware.load("gpio-sim"):
        pytest.skip("SKIPPED: this kernel has no gpio-sim")
    header = hardware.Gpio()
    header.pull(hardware.BUTTON, "up")
    return header


@pytest.fixture(scope="session")
def sound() -> None:
    if not hardware.load("snd-aloop"):
        pytest.skip("SKIPPED: this kernel has no snd-aloop")


@pytest.fixture(scope="session")
def screen() -> None:
    if not hardware.load("vkms"):
        pytest.skip("SKIPPED: vkms could not be built for this kernel (see stand-ins.log)")


@pytest.fixture(scope="session")
def csi_camera() -> None:
    if not hardware.load("vimc"):
        pytest.skip("SKIPPED: vimc could not be built for this kernel (see stand-ins.log)")


@pytest.fixture(scope="session")
def usb_camera() -> None:
    hardware.usb_camera()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("hub"), persistent=True) as running:
        yield running


@pytest.fixture(scope="session")
def media_server() -> Iterator[MediaServer]:
    with MediaServer() as running:
        yield running


@pytest.fixture(scope="session")
def package() -> None:
    if not installed():
        install()
    folder = Path("/etc/systemd/system/diemcau-agent.service.d")
    folder.mkdir(exist_ok=True)
    (folder / "vm.conf").write_text(DROP_IN)
    run("systemctl", "daemon-reload")


@pytest.fixture(scope="session")
def installed_room(
    package: None,
    broker: Broker,
    media_server: MediaServer,
    gpio: hardware.Gpio,
    sound: None,
    screen: None,
    usb_camera: None,
) -> Iterator[Room]:
    with Hub(broker.port) as hub:
        one = Room(broker, media_server, hub, DEADLINE_SECONDS)
        one.set_up(REAL)
        yield one
        stop()


@pytest.fixture
def room(installed_room: Room) -> Iterator[Room]:
    """Set up with real drivers and running; in standby before and after each test."""
    installed_room.wait_for_phase("standby")
    yield installed_room
    if installed_room.state()["phase"] != "standby":
        installed_room.leave()


@pytest.fixture
def hub_speaks(room: Room) -> Iterator[None]:
    """The hub's own picture (red) and sound (660 Hz) in the meeting."""
    with Publisher(f"{room.plays}/whip", colour=(200, 40, 40), tone_hz=660):
        yield
