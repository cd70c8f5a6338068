"""How many of the sources' pictures the link to the room carries; their sound always comes first.

Pure. A server sends what it has, whatever the room's link can take, and the sound drowns with the
picture: so pictures are given up one by one, and tried again, ever more rarely where that fails,
since a trial on a link that is still narrow costs the sound some seconds.
"""

from __future__ import annotations

CONGESTED_LOSS = 0.12
"""Of the packets of every source at once, in spite of retransmission. A bad radio loses less, and a bad
link of one source's own is not ours."""

PATIENCE_SECONDS = 1.5
"""A source that adapts to its own link needs that long."""

SETTLE_SECONDS = 4.0
"""From giving up a picture to its source's sound without it."""

TRIAL_SECONDS, TRIAL_PATIENCE_SECONDS = 8.0, 0.5
"""What goes wrong just after a picture came back is the picture's doing."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 8.0, 120.0
PAUSE_GROWTH = 1.5


class PictureBudget:
    """`look` some times a second; times are the monotonic clock's."""

    def __init__(self) -> None:
        self._given_up = 0
        self._congested_from: float | None = None
        self._judge_from = 0.0
        self._try_at = 0.0
        self._trial_ends: float | None = None
        self._pause = FIRST_PAUSE_SECONDS

    def look(self, losses: list[float], sources: int, now_seconds: float) -> int:
        """How many of so many sources are to be played with their picture. `losses` (0 to 1) has one
        for each source of which packets came.
        """
        self._given_up = min(self._given_up, sources)
        full = bool(losses) and min(losses) > CONGESTED_LOSS and now_seconds >= self._judge_from
        if not full:
            self._congested_from = None
        elif self._congested_from is None:
            self._congested_from = now_seconds
        if self._drowning(now_seconds) and self._given_up < sources:
            self._give_up_one(now_seconds)
        elif self._trial_ends is not None and now_seconds >= self._trial_ends:
            self._trial_ends, self._pause = None, FIRST_PAUSE_SECONDS
            self._try_at = now_seconds
        elif self._trial_ends is None and self._given_up and now_seconds >= self._try_at:
            self._given_up -= 1
            self._judge_from = now_seconds + SETTLE_SECONDS / 4
            self._trial_ends = now_seconds + TRIAL_SECONDS
        return sources - self._given_up

    def _drowning(self, now_seconds: float) -> bool:
        since = self._congested_from
        patience = PATIENCE_SECONDS if self._trial_ends is None else TRIAL_PATIENCE_SECONDS
        return since is not None and now_seconds - since >= patience

    def _give_up_one(self, now_seconds: float) -> None:
        if self._trial_ends is not None:
            self._pause = min(PAUSE_GROWTH * self._pause, LONGEST_PAUSE_SECONDS)
        self._given_up += 1
        self._congested_from = None
        self._trial_ends = None
        self._judge_from = now_seconds + SETTLE_SECONDS
        self._try_at = now_seconds + self._pause


class LossMeter:
    """How much of one session's packets was lost for good."""

    def __init__(self) -> None:
        self._received = self._lost = 0

    def since(self, received: int, lost: int) -> float | None:
        """Since the last look (0 to 1), by all packets since the session began; None if none came or
        were missed.
        """
        got, missed = received - self._received, lost - self._lost
        self._received, self._lost = received, lost
        return missed / (got + missed) if got + missed > 0 else None
