"""How many of the sources' pictures the link to the room carries; their sound always comes first.

Pure. A server sends what it has, whatever the room's link can take, and the sound drowns with the
picture: so pictures are given up one by one, and tried again, the more rarely the longer the link is
narrow.
"""

from __future__ import annotations

CONGESTED_LOSS = 0.12
"""Of the packets of every source at once, in spite of retransmission. A bad radio loses less, and a bad
link of one source's own is not ours."""

PATIENCE_SECONDS, ADAPTING_PATIENCE_SECONDS = 0.5, 1.5
"""Of a full link, and where a server that wants to know what arrives may adapt to it: it needs that long."""

SETTLE_SECONDS = 1.0
"""From sources being played with other media to their losses being those of these media."""

RETURN_SECONDS = 8.0
"""What goes wrong just after a picture came back is the picture's doing."""

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 7.0, 60.0
"""Between trials: two seconds more to be sure and some to see it, and a link that was narrow for a minute
has its picture again within 15 s. Each trial makes the sound late for a moment."""

PAUSE_SHARE = 0.1
"""Of the time for which the link has been narrow."""


class PictureBudget:
    """Call `update` some times a second; times are the monotonic clock's."""

    def __init__(self) -> None:
        self._given_up = 0
        self._congested_from: float | None = None
        self._judge_from = 0.0
        self._try_at = 0.0
        self._trial_ends: float | None = None
        self._narrow_from: float | None = None

    def update(
        self,
        losses: list[float],
        sources: int,
        now_seconds: float,
        *,
        changing: bool = False,
        adapts: bool = False,
    ) -> int:
        """How many of so many sources are to be played with their picture. `losses` (0 to 1) has one for
        each source of which packets came; `changing`: a source is not yet played as was said; `adapts`:
        a source may be about to send less.
        """
        self._given_up = min(self._given_up, sources)
        if changing:
            self._judge_from = now_seconds + SETTLE_SECONDS
            # a queue that takes its time to give the sound alone is no reason to want the picture back meanwhile
            self._try_at = max(self._try_at, now_seconds + SHORTEST_PAUSE_SECONDS)
        full = bool(losses) and min(losses) > CONGESTED_LOSS and now_seconds >= self._judge_from
        if not full:
            self._congested_from = None
        elif self._congested_from is None:
            self._congested_from = now_seconds
        if self._drowning(now_seconds, adapts) and self._given_up < sources:
            self._give_up_one(now_seconds)
        elif self._trial_ends is not None and now_seconds >= self._trial_ends:
            self._trial_ends, self._try_at = None, now_seconds
            self._narrow_from = self._narrow_from if self._given_up else None
        elif self._trial_ends is None and self._given_up and now_seconds >= self._try_at:
            self._given_up -= 1
            self._judge_from = now_seconds + SETTLE_SECONDS
            self._trial_ends = now_seconds + RETURN_SECONDS
        return sources - self._given_up

    def fail_trial(self, now_seconds: float) -> None:
        """The picture that came back last is not to be had, or it harms the sound."""
        self._give_up_one(now_seconds)

    def _drowning(self, now_seconds: float, adapts: bool) -> bool:
        waits = adapts and self._trial_ends is None
        patience = ADAPTING_PATIENCE_SECONDS if waits else PATIENCE_SECONDS
        return self._congested_from is not None and now_seconds - self._congested_from >= patience

    def _give_up_one(self, now_seconds: float) -> None:
        if self._narrow_from is None:
            self._narrow_from = now_seconds
        self._given_up += 1
        self._congested_from = None
        self._trial_ends = None
        self._judge_from = now_seconds + SETTLE_SECONDS
        pause = PAUSE_SHARE * (now_seconds - self._narrow_from)
        self._try_at = now_seconds + min(max(SHORTEST_PAUSE_SECONDS, pause), LONGEST_PAUSE_SECONDS)


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
