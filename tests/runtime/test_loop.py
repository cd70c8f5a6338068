"""The loop's turn: what comes together is written and sent together, and nothing is answered before it is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from agent.core.model.commands import Command, Origin, Ping
from agent.core.model.effects import Effect, EndDaemon, SetServiceStatus
from agent.core.model.events import CommandReceived, Event, LampSet, StopRequested
from agent.runtime.inbox import Inbox
from agent.runtime.loop import Loop


class Stand:
    """Room, performer and everything outside. `done` has a list for each time that effects were performed."""

    def __init__(self, *events: Event) -> None:
        self.done: list[list[str]] = []
        self.looked_up: list[int] = []
        """How much had been performed when a command was looked up."""
        self.ended: str | None = None
        self.inbox: Inbox[Any] = Inbox()
        for event in events:
            self.inbox.put(event)

    def handle(self, event: Event, now: object) -> list[Effect]:
        if isinstance(event, StopRequested):
            return [EndDaemon("no")]
        return [SetServiceStatus(type(event).__name__)]

    def perform(self, effects: list[Effect]) -> None:
        self.done.append([one.text for one in effects if isinstance(one, SetServiceStatus)])
        if any(isinstance(one, EndDaemon) for one in effects):
            self.ended = "no"

    def look_up(self, command_id: str) -> tuple[bool, None]:
        self.looked_up.append(sum(map(len, self.done)))
        return False, None

    def run(self) -> list[list[str]]:
        outside = SimpleNamespace(
            clock=SimpleNamespace(now=lambda: SimpleNamespace(monotonic_seconds=0.0)),
            timers=SimpleNamespace(due=lambda now: [], seconds_to_next=lambda now: None),
            notifier=SimpleNamespace(watchdog_interval_seconds=None),
            journal=self,
        )
        stand = cast(Any, self)
        Loop(self.inbox, stand, stand, cast(Any, None), cast(Any, outside)).run(LampSet(""))
        return self.done


def command(number: int) -> CommandReceived:
    return CommandReceived(Command(f"c{number}", "ping", Ping(), Origin.HUB))


def test_events_of_one_moment_are_performed_together() -> None:
    """Each alone was a commit of its own, and a state of its own that the next one replaced."""
    stand = Stand(LampSet("a"), LampSet("b"), LampSet("c"), StopRequested("test"))
    assert stand.run() == [["LampSet"], ["LampSet", "LampSet", "LampSet"]]


def test_a_command_is_looked_up_when_all_before_it_is_on_disk() -> None:
    """Two with one id, read at once, would both be new else."""
    stand = Stand(LampSet("a"), command(1), command(1), StopRequested("test"))
    stand.run()
    assert stand.looked_up == [2, 3]
