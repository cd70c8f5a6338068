"""What time the journal's rows are of. A Pi has no clock of its own: what is written down before NTP has set it
is stamped wrong, and must be neither deleted for its age nor make others old.

Rows of that time are known by their numbers, kept as a fact; once the clock is set they are stamped anew.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import msgspec
from msgspec import Struct

from agent.store.database import Database

FACT = "doubted"

_RESTAMP = (
    "UPDATE command SET received_at = MIN(received_at + ?1, ?2), finished_at = MIN(finished_at + ?1, ?2)"
    " WHERE number >= ?3",
    "UPDATE event SET at = MIN(at + ?1, ?2) WHERE number >= ?3",
)
_PLACE = (
    "UPDATE command SET received_at = ?1 + (number - ?3) * 1e-6 WHERE number >= ?2 AND number < ?3",
    "UPDATE event SET at = ?1 + (number - ?3) * 1e-6 WHERE number >= ?2 AND number < ?3",
)
"""In their order, just before that moment."""


class _First(Struct, frozen=True):
    """The first rows of a time in doubt."""

    command: int
    event: int


class Stamps:
    """`now` is the wall clock; `is_set` whether it is to be believed, and never takes that back."""

    def __init__(
        self, database: Database, now: Callable[[], float], is_set: Callable[[], bool]
    ) -> None:
        self._database = database
        self._now = now
        self.good = is_set
        self._own: _First | None = None
        """This run's first rows in doubt; older ones are of runs whose clock is not known any more."""
        self._began = self._zero = 0.0
        """On the monotonic clock, when they began; and where its zero lay on the wall clock in doubt."""
        self._epoch = database.epoch
        self._settled = False
        self._anchor: tuple[float, float] | None = None
        """What the clock said when it was first believed, and the monotonic clock beside it."""

    def surely_now(self) -> float:
        """The time that it is at the least, by which rows may be called old: a clock that is set, and then jumps ahead
        by months, makes nothing old; by one that isn't set nothing is."""
        if not self.good():
            return float("-inf")
        now, ran = self._now(), monotonic()
        wall, since = self._anchor = self._anchor or (now, ran)
        return min(now, wall + ran - since)

    def settle(self) -> None:
        """To be called inside of each write, before its rows: notes that they are in doubt, or, the clock being
        set, puts right what was."""
        if self._epoch != self._database.epoch:  # another file, in which numbers begin anew
            self._epoch, self._own, self._settled = self._database.epoch, None, False
        if not self.good():
            self._doubt()
        elif not self._settled:
            first = self._kept()
            if first is None:
                self._settled = True
            else:
                self._correct(first)

    def _doubt(self) -> None:
        self._zero = self._now() - monotonic()
        if self._own is None:
            self._own, self._began = self._next_rows(), monotonic()
        if self._kept() is None:
            self._database.execute(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)", (FACT, msgspec.json.encode(self._own))
            )

    def _correct(self, first: _First) -> None:
        now = self._now()
        zero = now - monotonic()
        own = self._own or self._next_rows()
        began = min(now, zero + self._began) if self._own else now
        for query, older, number in zip(
            _PLACE, (first.command, first.event), (own.command, own.event), strict=True
        ):
            self._database.execute(query, (began, older, number))
        for query, number in zip(_RESTAMP, (own.command, own.event), strict=True):
            self._database.execute(query, (zero - self._zero, now, number))
        self._database.execute("DELETE FROM fact WHERE key = ?", (FACT,))

    def _kept(self) -> _First | None:
        row = self._database.execute("SELECT value FROM fact WHERE key = ?", (FACT,)).fetchone()
        try:
            return msgspec.json.decode(row[0], type=_First) if row else None
        except msgspec.MsgspecError:
            return _First(0, 0)

    def _next_rows(self) -> _First:
        """The numbers that come next."""
        last = dict(self._database.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        return _First(last.get("command", 0) + 1, last.get("event", 0) + 1)
