"""Commands that the disk did not take, or may not give back: remembered, so that a repeat is answered and not run again."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, structs

from agent.core.model.commands import SIGNED_BY, Ack, Command

MAX_UNKEPT = 2_000
"""Of signed ones and, apart from them, of all others: nobody without a key can push a signed one out."""


class UnkeptCommand(Struct, frozen=True):
    """An id and what became of it (`result` None: it is still being worked on)."""

    id: str
    type: str
    sender: str
    received_at: float
    result: Ack | None = None


class Unkept:
    """The newest of them by id, in memory alone: `most` of signed ones and of all others."""

    def __init__(self, most: int = MAX_UNKEPT) -> None:
        self._most = most
        self._signed: dict[str, UnkeptCommand] = {}
        self._others: dict[str, UnkeptCommand] = {}

    def received(self, command: Command, at: float) -> None:
        sender = command.sender or str(command.origin)
        self._put(UnkeptCommand(command.id, command.type, sender, at))

    def answered(self, ack: Ack, at: float) -> None:
        """The first final answer of an id stays."""
        known = self.find(ack.id) or UnkeptCommand(ack.id, ack.type, "", at)
        if known.result is None:
            self._put(structs.replace(known, result=ack))

    def find(self, command_id: str) -> UnkeptCommand | None:
        return self._signed.get(command_id) or self._others.get(command_id)

    def forget(self, written: list[UnkeptCommand]) -> None:
        """They are on disk, unless they changed meanwhile."""
        for one in written:
            for table in (self._signed, self._others):
                if table.get(one.id) is one:
                    del table[one.id]

    def __iter__(self) -> Iterator[UnkeptCommand]:
        return iter([*self._signed.values(), *self._others.values()])

    def _put(self, one: UnkeptCommand) -> None:
        table = self._signed if one.sender.startswith(SIGNED_BY) else self._others
        table.pop(one.id, None)
        table[one.id] = one
        if len(table) > self._most:
            del table[next(iter(table))]
