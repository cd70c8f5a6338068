"""How much this machine can be asked for while it has a screen to fill, and when more may be tried: plain arithmetic.

What gives way, in this order, so that the sound does not: the size at which sources are composed, then the number of
pictures a second, then the suppression of noise.
"""

from __future__ import annotations

from enum import IntEnum
from math import inf

from msgspec import structs

from agent.settings import Output

WINDOW_SECONDS = 5.0
WINDOWS = 2
"""So many in a row with too few pictures are no passing load."""

LEAST_SHOWN = 0.75
"""Of the pictures that are wanted."""

HURT_SHOWN = 0.9
"""Fewer than this and gaps in the sound besides: the machine has too much to do, whatever is shown."""

LATE_SECONDS = 0.3
"""A decoder that is later than this for a whole window has more to do than the machine can; packets that come late in
a burst are decoded sooner."""

MOST_GAPS = 2
"""In the sound of one window; a loudspeaker that has just been opened may have one."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 600.0
"""Until more is tried again; twice as long after each try."""


class Eased(IntEnum):
    """What is asked less of: each has what stands before it too."""

    NOTHING = 0
    SIZE = 1
    FRAMERATE = 2
    NOISE = 3


LEAST_WIDTH = 640
"""Words that are drawn narrower can't be read when they are enlarged."""

LEAST_FRAMERATE = 5
"""Words and a clock are read as well at so few pictures a second."""


def less(output: Output, eased: Eased) -> Output:
    """What is composed for this output."""
    width, height, framerate = output.width, output.height, output.framerate
    if eased >= Eased.SIZE and width >= 2 * LEAST_WIDTH:
        width, height = width // 4 * 2, height // 4 * 2
    if eased >= Eased.FRAMERATE:
        framerate = max(LEAST_FRAMERATE, framerate // 2)
    return structs.replace(output, width=width, height=height, framerate=framerate)


class Strain:
    """Counts what is wanted and what is shown, from one `update` to the next; seconds are of one steady clock."""

    def __init__(self) -> None:
        self.eased = Eased.NOTHING
        self._began: float | None = None
        self._wanted = 0.0
        self._shown = self._gaps = 0
        self._least_late_seconds = inf
        self._short = 0
        """Windows in a row with too few."""
        self._since = 0.0
        """Since when the machine has kept up with what it is asked for now."""
        self._pause_seconds = FIRST_PAUSE_SECONDS

    @property
    def overloaded(self) -> bool:
        """Less is asked since the machine could not keep up, or it cannot even so."""
        return self.eased > Eased.NOTHING

    def update(
        self, wanted: float, shown: int, now: float, *, gaps: int = 0, late_seconds: float = 0.0
    ) -> None:
        """So many more pictures should have been shown since the last call, so many were; so many gaps had the sound,
        and so much later than due the slowest decoder is.
        """
        if self._began is None:
            self._began = now
            return
        self._wanted += wanted
        self._shown += shown
        self._gaps += gaps
        self._least_late_seconds = min(self._least_late_seconds, late_seconds)
        if now - self._began < WINDOW_SECONDS:
            return
        hurt = self._gaps >= MOST_GAPS and self._shown < HURT_SHOWN * self._wanted
        late = self._least_late_seconds > LATE_SECONDS
        short = hurt or late or self._shown < LEAST_SHOWN * self._wanted
        self.forget()
        self._began = now
        self._judge(now, short=short, hurt=hurt)

    def _judge(self, now: float, *, short: bool, hurt: bool) -> None:
        """One window is over."""
        self._short = self._short + 1 if short else 0
        if short:
            self._since = now
        if self._short >= (1 if hurt else WINDOWS) and self.eased < Eased.NOISE:
            self.eased, self._short = Eased(self.eased + 1), 0
        elif self.overloaded and now - self._since >= self._pause_seconds:
            self.eased, self._since = Eased(self.eased - 1), now
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def forget(self) -> None:
        """What was counted of this window does not count: something else is shown from now on."""
        self._began, self._wanted, self._shown, self._gaps = None, 0.0, 0, 0
        self._least_late_seconds = inf
