"""The acks of every command that is being worked on.

Keeps the promise that each id gets exactly one final state: a command leaves `open` with it, and
whoever answers an id that isn't open answers nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.core.model.clock import Now
from agent.core.model.commands import FINAL_STATES, Ack, AckDetail, AckState, Code, Command, Reply
from agent.core.model.effects import AcknowledgeDelivery, Effect, RecordCommand, SendAck
from agent.core.model.events import CommandRefused, Delivery

SEQ_ACCEPTED, SEQ_RUNNING, SEQ_FINAL = 1, 2, 3
"""`seq` by state, so that it goes on rising when a restart stands between two acks."""

MAX_ALSO = 4
"""More senders of one id are no senders but a flood."""

MAX_WARNINGS, MAX_PATH = 10, 80
"""Unknown fields that are named, and characters of each: an ack must not outgrow its command."""

NOTHING_MORE = AckDetail()


class Answers:
    """Accepts commands and answers them; `do` takes the effects in order."""

    def __init__(self, room: str, do: Callable[[Effect], None]) -> None:
        self._room = room
        self._do = do
        self.open: dict[str, Command] = {}
        self._also: dict[str, list[Reply]] = {}
        """Who sent an open command again with another Response Topic: they hear of its end too."""
        self._warnings: dict[str, list[str]] = {}
        self._notes: dict[str, AckDetail] = {}

    def warn(self, command_id: str, unknown_fields: list[str]) -> None:
        """Say in this command's acks which of its fields nobody knows."""
        if unknown_fields:
            named = unknown_fields[:MAX_WARNINGS]
            texts = [f"{path[:MAX_PATH]}: unknown field, ignored" for path in named]
            if left := len(unknown_fields) - len(named):
                texts.append(f"and {left} more")
            self._warnings[command_id] = texts

    def note(self, command_id: str, detail: AckDetail) -> None:
        """Say this too in the detail of this command's acks from now on."""
        if command_id in self.open:
            self._notes[command_id] = self._notes.get(command_id, NOTHING_MORE).with_known(detail)

    def accept(self, command: Command, delivery: Delivery | None, now: Now) -> None:
        """Journal, then tell the broker, then the sender."""
        self._take(command, delivery)
        self._send(command, AckState.ACCEPTED, Code.OK, "accepted", SEQ_ACCEPTED, now)

    def _take(self, command: Command, delivery: Delivery | None) -> None:
        self.open[command.id] = command
        self._do(RecordCommand(command))
        if delivery is not None:
            self._do(AcknowledgeDelivery(delivery))

    def reopen(self, command: Command) -> None:
        """A command that a restart interrupted, and that goes on."""
        self.open[command.id] = command

    def running(self, command_id: str, text: str, now: Now) -> None:
        """Say that it takes a while."""
        if command := self.open.get(command_id):
            self._send(command, AckState.RUNNING, Code.OK, text, SEQ_RUNNING, now)

    def refuse(
        self, command: Command, delivery: Delivery | None, code: Code, text: str, now: Now
    ) -> None:
        """A well-formed command that won't be done: rejected or, by its code, expired."""
        state = AckState.EXPIRED if code is Code.EXPIRED else AckState.REJECTED
        self._take(command, delivery)
        self.finish(command.id, state, code, text, now)

    def refuse_malformed(self, event: CommandRefused, now: Now) -> None:
        """Not a command at all: answered only where an id could be read."""
        if event.delivery is not None:
            self._do(AcknowledgeDelivery(event.delivery))
        if event.id is None or event.id in self.open:
            return
        if event.known:  # an id has one final word; it is said again
            if event.earlier is not None:
                self._do(SendAck(event.earlier, event.reply))
            return
        state = AckState.EXPIRED if event.code is Code.EXPIRED else AckState.REJECTED
        ack = Ack(event.id, event.type, self._room, state, event.code, event.text, 1, now.wall)
        self._do(SendAck(ack, event.reply, final=True))

    def repeat(
        self, command: Command, delivery: Delivery | None, earlier: Ack | None, now: Now
    ) -> None:
        """An id that came before: its answer again, and nothing else."""
        if delivery is not None:
            self._do(AcknowledgeDelivery(delivery))
        if earlier is not None:
            self._do(SendAck(earlier, command.reply))
        else:
            self._hear_of(command)
            self.running(command.id, "already being worked on", now)

    def _hear_of(self, command: Command) -> None:
        first, reply = self.open.get(command.id), command.reply
        if first is None or reply is None or reply == first.reply:
            return
        also = self._also.setdefault(command.id, [])
        if reply not in also and len(also) < MAX_ALSO:
            also.append(reply)

    def finish(
        self,
        command_id: str,
        state: AckState,
        code: Code,
        text: str,
        now: Now,
        detail: AckDetail = NOTHING_MORE,
    ) -> None:
        """The one final answer."""
        assert state in FINAL_STATES
        if command := self.open.pop(command_id, None):
            self._send(command, state, code, text, SEQ_FINAL, now, detail)

    def succeed(
        self,
        command_id: str,
        text: str,
        now: Now,
        *,
        code: Code = Code.OK,
        detail: AckDetail = NOTHING_MORE,
    ) -> None:
        """`finish` with `succeeded`."""
        self.finish(command_id, AckState.SUCCEEDED, code, text, now, detail)

    def fail(
        self,
        command_id: str,
        code: Code,
        text: str,
        now: Now,
        detail: AckDetail = NOTHING_MORE,
    ) -> None:
        """`finish` with `failed`."""
        self.finish(command_id, AckState.FAILED, code, text, now, detail)

    def _send(
        self,
        command: Command,
        state: AckState,
        code: Code,
        text: str,
        seq: int,
        now: Now,
        detail: AckDetail = NOTHING_MORE,
    ) -> None:
        warned = AckDetail(warnings=self._warnings.get(command.id), asked_by=command.sender)
        notes = self._notes.get(command.id, NOTHING_MORE)
        if state in FINAL_STATES:
            self._warnings.pop(command.id, None)
            self._notes.pop(command.id, None)
        ack = Ack(
            id=command.id,
            type=command.type,
            room=self._room,
            state=state,
            code=code,
            text=text,
            seq=seq,
            at=now.wall,
            detail=detail.with_known(notes).with_known(warned),
        )
        self._do(SendAck(ack, command.reply, final=state in FINAL_STATES))
        if state in FINAL_STATES:
            for reply in self._also.pop(command.id, ()):
                self._do(SendAck(ack, reply))
