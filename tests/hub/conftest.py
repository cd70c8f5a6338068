"""What the hub tests share: a broker for the module, a topic root and a link for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from agent import settings
from agent.core.model.documents import AgentFacts, Connection, Phase, RoomState
from agent.core.model.events import CommandReceived, Event, LinkChanged
from agent.hub.backoff import Backoff
from agent.hub.link import Link
from agent.hub.topics import Topics
from tests.support.broker import Broker, wait_until

E = TypeVar("E")
ROOM = settings.Room(id="thon-5", groups=["xa-ba-vi"])


def room_state(phase: Phase = Phase.STANDBY) -> RoomState:
    now = datetime.now(UTC)
    return RoomState(
        room=ROOM.id,
        connection=Connection.ONLINE,
        session="",
        phase=phase,
        meeting=None,
        microphone="off",
        camera="off",
        display="off",
        agent=AgentFacts("0", now, "boot"),
        at=now,
    )


class RunningLink:
    """A link, what it posted, and the settings that it runs with."""

    def __init__(
        self, hub: settings.Hub, room: settings.Room = ROOM, backoff: Backoff | None = None
    ) -> None:
        self.hub = hub
        self.topics = Topics(hub.topic_root, room)
        self.before_post: Callable[[Event], None] = lambda event: None
        self.events: list[Event] = []
        self.busy = False
        """As the loop's inbox says it when it has enough."""
        self.link = Link(
            hub, room, self._post, backoff or Backoff(lambda: 1.0), busy=lambda: self.busy
        )

    def _post(self, event: Event) -> None:
        self.before_post(event)
        self.events.append(event)

    def obedient(self) -> None:
        """From now on commands are acknowledged as they come, and those that are here."""

        def acknowledge(event: Event) -> None:
            if isinstance(event, CommandReceived) and event.delivery is not None:
                self.link.acknowledge(event.delivery)

        for event in list(self.events):
            acknowledge(event)
        self.before_post = acknowledge

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in list(self.events) if isinstance(event, kind)]

    def wait_for(
        self,
        kind: type[E],
        matches: Callable[[E], bool] = lambda event: True,
        *,
        after: int = 0,
        seconds: float = 20,
    ) -> E:
        """The first event of this kind that matches, leaving out the `after` first ones."""
        found: list[E] = wait_until(
            lambda: [event for event in self.of(kind)[after:] if matches(event)],
            f"{kind.__name__}; posted: {self.events[-5:]}",
            seconds,
        )
        return found[0]

    def start(self) -> LinkChanged:
        """Start it and wait until it is up."""
        self.link.start(room_state())
        return self.wait_for(LinkChanged, lambda event: event.up)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """For tests that break it."""
    with Broker(tmp_path / "broker", persistent=True) as running:
        yield running


@pytest.fixture
def root() -> str:
    return f"test/{secrets.token_hex(4)}"


@pytest.fixture
def make_link(root: str) -> Iterator[Callable[..., RunningLink]]:
    made: list[RunningLink] = []

    def make(
        port: int, groups: list[str] | None = None, backoff: Backoff | None = None, **fields: Any
    ) -> RunningLink:
        given = {"host": "127.0.0.1", "topic_root": root, "keepalive_seconds": 5, **fields}
        room = ROOM if groups is None else replace(ROOM, groups=groups)
        made.append(RunningLink(settings.Hub(port=port, **given), room, backoff))
        return made[-1]

    yield make
    for one in made:
        one.link.close()
