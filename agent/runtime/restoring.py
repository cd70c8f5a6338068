"""What one run of the daemon leaves for the next: the journal's facts, and the last good time."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TypeVar

import msgspec

from agent.core.audit import DEVICE_EDGES, left_open
from agent.core.model.agenda import AgendaMemory
from agent.core.model.events import FloorRecord, MessageRecord, OrderedVolume, Restored
from agent.core.model.media import OpenSession
from agent.errors import JournalError
from agent.ports import Journal
from agent.runtime.recorder import AGENDA, FLOOR, MESSAGE, SESSIONS, VOLUME

log = logging.getLogger(__name__)

T = TypeVar("T")

LAST_GOOD_TIME = "last_good_time"


def restored(journal: Journal, boot: str, display_on: bool) -> Restored:
    """The loop's first event; `boot` is the kernel's boot id."""
    before = journal.recall("boot")
    _keep(journal, "boot", boot)
    return Restored(
        meeting=journal.meeting(),
        unfinished=journal.unfinished(),
        cold=before not in (None, boot),
        muted_by_hand=journal.recall("muted_by_hand") == "yes",
        camera_off_by_hand=journal.recall("camera_off_by_hand") == "yes",
        display_on=display_on,
        display_kept_on=journal.recall("display_kept_on") == "yes",
        volume=_fact(journal.recall(VOLUME), OrderedVolume),
        floor=_fact(journal.recall(FLOOR), FloorRecord),
        message=_fact(journal.recall(MESSAGE), MessageRecord),
        sessions=_fact(journal.recall(SESSIONS), list[OpenSession]) or [],
        agenda=_fact(journal.recall(AGENDA), AgendaMemory) or AgendaMemory(),
        left_open=left_open(journal.events(DEVICE_EDGES, limit=20)),
        journal=journal.condition,
    )


def _fact(kept: str | None, type: type[T]) -> T | None:
    try:
        return msgspec.json.decode(kept, type=type | None) if kept else None
    except msgspec.MsgspecError as error:
        log.error("what was kept cannot be read and is forgotten: %s: %s", type.__name__, error)
        return None


def last_good_time(journal: Journal) -> datetime | None:
    """When the clock was last known to be right; it cannot be earlier than that now."""
    kept = journal.recall(LAST_GOOD_TIME)
    return datetime.fromisoformat(kept) if kept else None


def keep_time(journal: Journal, now: datetime) -> None:
    """Keep `now`, from a synchronised clock, as the last good time."""
    _keep(journal, LAST_GOOD_TIME, now.isoformat())


def _keep(journal: Journal, key: str, value: str) -> None:
    """A full disk must not keep the daemon from starting, or end it."""
    try:
        journal.remember(key, value)
    except JournalError as error:
        log.error("%s cannot be kept: %s", key, error)
