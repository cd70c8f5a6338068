"""Writes into the journal what the core's effects want kept, with as few commits as the order allows.

A commit is an fsync, milliseconds on an SD card. What may be written together is: an earlier write
harms nobody, as long as it is not earlier than an act that the core put before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import get_args

import msgspec

from agent.core.model import effects as do
from agent.errors import JournalError
from agent.ports import Journal, Outgoing

log = logging.getLogger(__name__)

Fact = (
    do.RememberMeeting
    | do.RememberMutedByHand
    | do.RememberCameraOffByHand
    | do.RememberFloor
    | do.RememberMessage
    | do.RememberSessions
    | do.RememberDisplayKeptOn
    | do.RememberVolume
    | do.RememberAgenda
)
"""What the next start goes by: kept even if the commands and answers beside it cannot be."""

Act = (
    do.StartMedia
    | do.InstructMedia
    | do.StopMedia
    | do.SwitchDisplay
    | do.SetLamp
    | do.StartCheck
    | do.StopCheck
)
"""What moves something in the room."""

FACTS, ACTS = get_args(Fact), get_args(Act)
KEPT = (do.RecordCommand, do.PublishEvent, *FACTS)
"""As tuples, which a check of a type takes a fraction of the time for."""


def segments(effects: list[do.Effect]) -> Iterator[list[do.Effect]]:
    """The effects cut after each act: the writes of one segment may be one commit at its start."""
    segment: list[do.Effect] = []
    for effect in effects:
        segment.append(effect)
        if isinstance(effect, ACTS):
            yield segment
            segment = []
    if segment:
        yield segment


VOLUME = "volume"
FLOOR = "floor"
MESSAGE = "message"
SESSIONS = "sessions"
AGENDA = "agenda"


class Recorder:
    """The journal's writing hand."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._owed: dict[type[Fact], Fact] = {}
        """Facts that could not be written yet."""

    def record(self, segment: list[do.Effect]) -> list[Outgoing | None]:
        """All of the segment's writes, on disk at the return; per effect its message, if it is one.

        A journal that can't be written costs durability, not the meeting: it is logged, and the
        messages have no place in the outbox.
        """
        kept = [effect for effect in segment if _is_kept(effect)]
        facts = {type(effect): effect for effect in kept if isinstance(effect, Fact)}
        self._owed = {kind: fact for kind, fact in self._owed.items() if kind not in facts}
        try:
            with self._journal.together() if len(kept) > 1 else nullcontext():
                outgoing = [self._record(effect) for effect in segment]
        except JournalError as error:
            log.error("the journal cannot be written: %s", error)
            outgoing = [_unkept(effect) for effect in segment]
            self._owed |= facts
            self._note_unrecorded(segment)
        else:
            if kept:
                self._record_late()
        if kept and self._owed:
            self._pay()
        return outgoing

    def _note_unrecorded(self, segment: list[do.Effect]) -> None:
        """An id has one answer, also while nothing can be written."""
        for effect in segment:
            match effect:
                case do.RecordCommand(command):
                    self._journal.not_recorded(command=command)
                case do.SendAck(ack, final=True):
                    self._journal.not_recorded(ack=ack)

    def _record_late(self) -> None:
        with suppress(JournalError):  # then the next time
            self._journal.record_late()

    def _pay(self) -> None:
        """Write the owed facts by themselves: a meeting that was left must not be gone back into
        because the disk had no room for the answer."""
        for kind, fact in list(self._owed.items()):
            with suppress(JournalError):
                self._record(fact)
                del self._owed[kind]

    def _record(self, effect: do.Effect) -> Outgoing | None:  # noqa: PLR0912 - one line an effect
        match effect:
            case do.RecordCommand(command):
                self._journal.record_command(command)
            case do.SendAck(final=True):
                return self._journal.record_result(effect)
            case do.PublishEvent(event):
                return self._journal.record_event(event)
            case do.RememberMeeting(record):
                self._journal.remember_meeting(record)
            case do.RememberMutedByHand(yes):
                self._journal.remember("muted_by_hand", _word(yes))
            case do.RememberCameraOffByHand(yes):
                self._journal.remember("camera_off_by_hand", _word(yes))
            case do.RememberFloor(floor):
                self._journal.remember(FLOOR, msgspec.json.encode(floor).decode())
            case do.RememberMessage(shown):
                self._journal.remember(MESSAGE, msgspec.json.encode(shown).decode())
            case do.RememberSessions(sessions):
                self._journal.remember(SESSIONS, msgspec.json.encode(sessions).decode())
            case do.RememberDisplayKeptOn(on):
                self._journal.remember("display_kept_on", _word(on))
            case do.RememberVolume(volume):
                self._journal.remember(VOLUME, msgspec.json.encode(volume).decode())
            case do.RememberAgenda(memory):
                self._journal.remember(AGENDA, msgspec.json.encode(memory).decode())
            case do.MarkSent(key):
                self._journal.mark_sent(key)
        return _unkept(effect)


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


def _is_kept(effect: do.Effect) -> bool:
    return isinstance(effect, KEPT) or (isinstance(effect, do.SendAck) and effect.final)


def _unkept(effect: do.Effect) -> Outgoing | None:
    """The effect's message without a place in the outbox."""
    match effect:
        case do.SendAck():
            return Outgoing(effect)
        case do.PublishEvent(event):
            return Outgoing(event)
    return None
