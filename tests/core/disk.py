"""A journal in memory, on a disk that may be full or read-only: what a random life writes to."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from msgspec import Struct, field

from agent.core.model.commands import Ack, Command
from agent.core.model.documents import DeviceStatus, EventDocument, Status
from agent.core.model.effects import SendAck
from agent.core.model.events import MeetingRecord
from agent.errors import JournalError
from agent.ports import Outgoing

Room = Literal["free", "full", "read-only"]
"""`full` takes a small fact now and then, and nothing else; `read-only` takes nothing."""


class Pages(Struct):
    """What is on the disk."""

    facts: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, Command] = field(default_factory=dict)
    results: dict[str, Ack] = field(default_factory=dict)
    meeting: MeetingRecord | None = None


class Disk:
    """The port `Journal`, as far as a life uses it. What could not be written is lost with `crash()`."""

    condition = DeviceStatus(Status.OK, "ok", "")

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._pages = Pages()
        self._open = False
        self._unkept: dict[str, Ack | None] = {}
        self.room: Room = "free"
        self.lost: set[str] = set()
        """Ids of commands that a crash made forgotten, since the disk did not take them."""

    @property
    def results(self) -> set[str]:
        """Ids of commands whose final word is on the disk, and so in the outbox."""
        return set(self._pages.results)

    def crash(self) -> None:
        """The process has gone; the pages stay."""
        self.lost |= self._unkept.keys()
        self._unkept = {}

    @contextmanager
    def together(self) -> Iterator[None]:
        before, self._open = copy.copy(self._pages), True
        before.facts, before.unfinished, before.results = (
            dict(before.facts),
            dict(before.unfinished),
            dict(before.results),
        )
        try:
            yield
        except JournalError:
            self._pages = before
            raise
        finally:
            self._open = False

    def look_up(self, command_id: str) -> tuple[bool, Ack | None]:
        if (result := self._pages.results.get(command_id)) or command_id in self._pages.unfinished:
            return True, result or self._unkept.get(command_id)
        return command_id in self._unkept, self._unkept.get(command_id)

    def record_command(self, command: Command) -> None:
        self._write(small=False)
        self._pages.unfinished[command.id] = command

    def record_result(self, send: SendAck) -> Outgoing:
        self._write(small=False)
        self._result(send.ack)
        return Outgoing(send)

    def record_event(self, event: EventDocument) -> Outgoing:
        self._write(small=False)
        return Outgoing(event)

    def not_recorded(self, *, command: Command | None = None, ack: Ack | None = None) -> None:
        if command is not None:
            self._unkept.setdefault(command.id, None)
        if ack is not None and not self._unkept.get(ack.id):
            self._unkept[ack.id] = ack

    def record_late(self) -> None:
        self._write(small=False)
        for id, ack in list(self._unkept.items()):
            if ack is not None:
                self._result(ack)
                del self._unkept[id]

    def remember_meeting(self, record: MeetingRecord | None) -> None:
        self._write(small=True)
        self._pages.meeting = record

    def remember(self, key: str, value: str) -> None:
        self._write(small=True)
        self._pages.facts[key] = value

    def recall(self, key: str) -> str | None:
        return self._pages.facts.get(key)

    def meeting(self) -> MeetingRecord | None:
        return self._pages.meeting

    def unfinished(self) -> list[Command]:
        return list(self._pages.unfinished.values())

    def events(self, kinds: Sequence[str], limit: int) -> list[EventDocument]:
        return []

    def mark_sent(self, key: str) -> None: ...

    def _result(self, ack: Ack) -> None:
        self._pages.unfinished.pop(ack.id, None)
        self._pages.results.setdefault(ack.id, ack)

    def _write(self, *, small: bool) -> None:
        fits = small and not self._open and self._chance.random() < 0.5
        if self.room == "read-only" or (self.room == "full" and not fits):
            raise JournalError("disk-full", f"the disk is {self.room}")
