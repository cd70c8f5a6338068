"""A room with simulated devices, set up from the installed package in a container."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.system.host import CHECKOUT, install, installed
from tests.system.room import Room, stop

if not CHECKOUT.is_dir():
    collect_ignore = ["test_checkout.py"]  # for the fresh machine, which has the network

DEADLINE_SECONDS = 60

SIMULATED = {
    "devices.camera": "{driver: simulated, width: 320, height: 180, framerate: 10, bitrate: 200000}",
    "devices.microphone": "{driver: simulated}",
    "devices.speaker": "{driver: simulated, record: /run/diemcau/heard.wav}",
    "devices.display": "{relay: {driver: simulated, warm_up_seconds: 0, hold_seconds: 0}}",
    "devices.panel": "{driver: simulated}",
    "devices.simulation.directory": "/run/diemcau/devices",
    "media.local_address": "127.0.0.1",
    "clock.trusted": "true",
}


@pytest.fixture
def package() -> None:
    if not installed():
        install()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("hub"), persistent=True) as running:
        yield running


@pytest.fixture(scope="session")
def media_server() -> Iterator[MediaServer]:
    with MediaServer() as running:
        yield running


@pytest.fixture
def room(package: None, broker: Broker, media_server: MediaServer) -> Iterator[Room]:
    """Set up and running, in standby."""
    with Hub(broker.port) as hub:
        one = Room(broker, media_server, hub, DEADLINE_SECONDS)
        one.set_up(SIMULATED)
        one.wait_for_phase("standby")
        yield one
        stop()
        hub.send(one.topic("state"), b"", retain=True)
