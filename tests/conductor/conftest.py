"""A real broker, real rooms whose media process is the tests' stand-in, and a real conductor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.hub_site import HubSite


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[Callable[..., HubSite]]:
    """`make_hub("a", "b")`: these rooms online, and a conductor that sees them."""
    made: list[HubSite] = []
    with Broker(tmp_path / "broker", persistent=True) as broker:

        def make(*rooms: str) -> HubSite:
            hub = HubSite(tmp_path, broker)
            made.append(hub)
            for room in rooms:
                hub.add_room(room)
            hub.conductor.start()
            hub.conductor.wait_linked()
            return hub

        yield make
        for hub in made:
            hub.close()
