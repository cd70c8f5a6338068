"""The loop's turn: what comes together is written and sent together, and nothing is answered before it is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from agent.core.model.commands import Command, Origin, Ping
from agent.core.model.deadlines import Deadline, HealthDue
from agent.core.model.effects import Effect, EndDaemon, SetServiceStatus
from agent.core.model.events import CommandReceived, DeadlinePassed, Event, LampSet, StopRequested
from agent.runtime.inbox import Inbox
from agent.runtime.loop import Loop


class Stand:
    """Room, performer and everything outside. `done` has a list for each time that effects were performed."""

    def __init__(self, *events: Event) -> None:
        self.done: list[list[str]] = []
        self.looked_up: list[int] = []
        """How much had been performed when a command was looked up."""
        self.ended: str | None = None
        self.late = False
        self.late_after = 0
        """How many commands came before the deadline."""
        self.meanwhile: dict[int, Event] = {}
        """What happens in the room while effects are performed for the so manieth time: a commit takes its time."""
        self.inbox: Inbox[Any] = Inbox()
        for event in events:
            self.inbox.put(event)

    def handle(self, event: Event, now: object) -> list[Effect]:
        if isinstance(event, StopRequested):
            return [EndDaemon("no")]
        if isinstance(event, DeadlinePassed):
            self.late_after = len(self.looked_up)
        return [SetServiceStatus(type(event).__name__)]

    def perform(self, effects: list[Effect]) -> None:
        self.done.append([one.text for one in effects if isinstance(one, SetServiceStatus)])
        if event := self.meanwhile.get(len(self.done)):
            self.inbox.put(event)
        if any(isinstance(one, EndDaemon) for one in effects):
            self.ended = "no"

    def look_up(self, command_id: str) -> tuple[bool, None]:
        self.looked_up.append(sum(map(len, self.done)))
        if command_id == "c49":
            self.inbox.put(StopRequested("test"))
        return False, None

    def seconds_to_next(self, now: float) -> float | None:
        """Something is due from the third command on."""
        return 0.0 if self.late and len(self.looked_up) >= 3 else None

    def due(self, now: float) -> list[Deadline]:
        if self.seconds_to_next(now) is None:
            return []
        self.late = False
        return [HealthDue()]

    def run(self) -> list[list[str]]:
        outside = SimpleNamespace(
            clock=SimpleNamespace(now=lambda: SimpleNamespace(monotonic_seconds=0.0)),
            timers=self,
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


def test_a_deadline_does_not_wait_for_a_flood_of_commands() -> None:
    """It came after a hundred of them, each with an fsync: three seconds on a slow card."""
    stand = Stand(*[command(number) for number in range(50)])
    stand.late = True
    stand.run()
    assert stand.late_after == 3


def test_what_happens_in_the_room_waits_for_no_second_commit_of_a_flood() -> None:
    """A press waited for two commands to be written, and the lamp for one more after the media process's word: 64 ms
    on a disk with 15 ms a write."""
    stand = Stand(*[command(number) for number in range(50)])
    pressed, said = LampSet("pressed"), LampSet("said")
    stand.meanwhile = {2: pressed, 3: said}  # while the first command is written, and the press
    stand.run()
    assert stand.done[1:5] == [["CommandReceived"], ["LampSet"], ["LampSet"], ["CommandReceived"]]
