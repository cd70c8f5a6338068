"""A room with real drivers on virtual hardware, in an emulated machine: nothing here is fast.

The machine has booted with the devices and the agent that `prepare` gave it, and is used as it is.
"""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher, Receiver
from tests.system import hardware
from tests.system.room import Room

DEADLINE_SECONDS = 120
"""By the emulated machine's clock."""

MEDIA_PORT = 8889


def skip_without(module: str) -> None:
    if not hardware.has(module):
        pytest.skip(f"SKIPPED: {module} is missing in this kernel or could not be built for it")


@pytest.fixture(scope="session")
def gpio() -> hardware.Gpio:
    skip_without("gpio-sim")
    return hardware.Gpio()


@pytest.fixture(scope="session")
def screen() -> None:
    skip_without("vkms")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("hub"), persistent=True, own_ports=True) as running:
        yield running


@pytest.fixture(scope="session")
def media_server() -> Iterator[MediaServer]:
    with MediaServer(MEDIA_PORT) as running:
        yield running


@pytest.fixture(scope="session")
def installed_room(broker: Broker, media_server: MediaServer) -> Iterator[Room]:
    with Hub(broker.port) as hub:
        yield Room(broker, media_server, hub, DEADLINE_SECONDS)


@pytest.fixture(scope="module")
def room(installed_room: Room) -> Room:
    """With real drivers, running, in standby."""
    installed_room.wait_for_phase("standby")
    return installed_room


@pytest.fixture(scope="module")
def meeting(room: Room) -> Iterator[Room]:
    """The same, in a meeting in which the hub shows red and plays 660 Hz."""
    small = {"framerate": 3, "size": (160, 90)}  # the hub's end is emulated too
    with Publisher(f"{room.plays}/whip", colour=(200, 40, 40), tone_hz=660, **small):
        source = {"url": f"{room.plays}/whep", "label": "Hà Giang"}
        ack = room.join(microphone="live", play=[source])
        assert ack["state"] == "succeeded", ack
        yield room
        if room.state()["phase"] != "standby":
            room.leave()


@pytest.fixture(scope="module")
def hub_end(meeting: Room) -> Iterator[Receiver]:
    """What the hub sees and hears of the room."""
    with Receiver(f"{meeting.publishes}/whep") as receiver:
        yield receiver
