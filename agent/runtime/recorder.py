"""Writes into the journal what the core's effects want kept, with as few commits as the order allows.

A commit is an fsync, milliseconds on an SD card. What may be written together is: an earlier write
harms nobody, as long as it is not earlier than an act that the core put before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext

from agent.core import effects as do
from agent.errors import JournalError
from agent.ports import Journal, Outgoing

log = logging.getLogger(__name__)

Act = do.StartWorker | do.InstructWorker | do.StopWorker | do.SwitchDisplay | do.SetLamp
"""What moves something in the room."""


def segments(effects: list[do.Effect]) -> Iterator[list[do.Effect]]:
    """The effects cut after each act: the writes of one segment may be one commit at its start."""
    segment: list[do.Effect] = []
    for effect in effects:
        segment.append(effect)
        if isinstance(effect, Act):
            yield segment
            segment = []
    if segment:
        yield segment


class Recorder:
    """The journal's writing hand."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def record(self, segment: list[do.Effect]) -> list[Outgoing | None]:
        """All of the segment's writes, on disk at the return; per effect its message, if it is one.

        A journal that can't be written costs durability, not the meeting: it is logged, and the
        messages have no place in the outbox.
        """
        try:
            together = sum(_is_kept(effect) for effect in segment) > 1
            with self._journal.together() if together else nullcontext():
                return [self._record(effect) for effect in segment]
        except JournalError as error:
            log.error("the journal cannot be written: %s", error)
            return [_unkept(effect) for effect in segment]

    def _record(self, effect: do.Effect) -> Outgoing | None:
        match effect:
            case do.RecordCommand(command):
                self._journal.record_command(command)
            case do.SendAck(final=True):
                return self._journal.record_result(effect)
            case do.PublishEvent(event):
                return self._journal.record_event(event)
            case do.RememberMeeting(record):
                self._journal.remember_meeting(record)
            case do.RememberMutedByHand(muted):
                self._journal.remember("muted_by_hand", "yes" if muted else "no")
            case do.MarkSent(key):
                self._journal.mark_sent(key)
        return _unkept(effect)


def _is_kept(effect: do.Effect) -> bool:
    kept = do.RecordCommand | do.PublishEvent | do.RememberMeeting | do.RememberMutedByHand
    return isinstance(effect, kept) or (isinstance(effect, do.SendAck) and effect.final)


def _unkept(effect: do.Effect) -> Outgoing | None:
    """The effect's message without a place in the outbox."""
    match effect:
        case do.SendAck():
            return Outgoing(effect)
        case do.PublishEvent(event):
            return Outgoing(event)
    return None
