"""Whether this machine keeps up with its screen and its decoders, and what it is asked less of while it does not.

Pure. What gives way, in this order, so that the sound does not: the size at which sources are composed, then the number
of pictures a second, then the suppression of noise. Measured in docs/media.md (`./scripts/bench --long throttled`).
"""

from __future__ import annotations

from enum import IntEnum
from math import inf

from msgspec import structs

from agent.settings import Output

WINDOW_SECONDS = 5.0
"""Pictures and gaps are counted over this long, and then judged."""

WINDOWS = 2
"""So many bad windows in a row are no passing load."""

LEAST_SHOWN = 0.75
"""A window is bad if less than this share of the wanted pictures was shown."""

HURT_SHOWN = 0.9
HURT_GAPS = 2
"""One window is enough if less than this share was shown and the sound had so many gaps; a loudspeaker that has just
been opened may have one gap."""

LATE_SECONDS = 0.3
"""A window is bad, too, if a decoder was behind by more than this all the time; after packets that came late in a burst
it catches up sooner."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 600.0
"""The machine must keep up for so long before it is asked for more again; twice as long after each such try."""


class Eased(IntEnum):
    """What is asked less of the machine: each step includes those before it."""

    NOTHING = 0
    SIZE = 1
    FRAMERATE = 2
    NOISE = 3


LEAST_WIDTH = 640
"""Words that are drawn narrower can't be read when they are enlarged."""

LEAST_FRAMERATE = 5
"""Words and a clock are read as well at so few pictures a second."""


def less(output: Output, eased: Eased) -> Output:
    """The size and the pictures a second that are composed for this output, which may have more of both."""
    width, height, framerate = output.width, output.height, output.framerate
    if eased >= Eased.SIZE and width >= 2 * LEAST_WIDTH:
        width, height = width // 4 * 2, height // 4 * 2
    if eased >= Eased.FRAMERATE:
        framerate = max(LEAST_FRAMERATE, framerate // 2)
    return structs.replace(output, width=width, height=height, framerate=framerate)


class Strain:
    """`eased` says what to ask less of now. Times are seconds of the monotonic clock; raises nothing."""

    def __init__(self) -> None:
        self.eased = Eased.NOTHING
        self._began_seconds: float | None = None
        self._wanted = 0.0
        self._shown = self._gaps = 0
        self._least_late_seconds = inf
        self._bad_windows = 0
        """Bad windows in a row."""
        self._well_since_seconds = 0.0
        """Since when no window was bad, or since the last step back to more."""
        self._pause_seconds = FIRST_PAUSE_SECONDS

    @property
    def overloaded(self) -> bool:
        """Whether the machine is asked for less than its settings say."""
        return self.eased > Eased.NOTHING

    def update(
        self,
        wanted: float,
        shown: int,
        now_seconds: float,
        *,
        gaps: int = 0,
        late_seconds: float = 0.0,
    ) -> None:
        """Call some times a second. Since the last call `wanted` pictures were due, `shown` of them came on the screen,
        and the sound had `gaps` gaps; the slowest decoder is `late_seconds` behind now.
        """
        if self._began_seconds is None:
            self._began_seconds = now_seconds
            return
        self._wanted += wanted
        self._shown += shown
        self._gaps += gaps
        self._least_late_seconds = min(self._least_late_seconds, late_seconds)
        if now_seconds - self._began_seconds < WINDOW_SECONDS:
            return
        hurt = self._gaps >= HURT_GAPS and self._shown < HURT_SHOWN * self._wanted
        late = self._least_late_seconds > LATE_SECONDS
        bad = hurt or late or self._shown < LEAST_SHOWN * self._wanted
        self.forget()
        self._began_seconds = now_seconds
        self._judge(now_seconds, bad=bad, hurt=hurt)

    def _judge(self, now_seconds: float, *, bad: bool, hurt: bool) -> None:
        """One window is over: `bad`, or even so that one is enough (`hurt`)."""
        self._bad_windows = self._bad_windows + 1 if bad else 0
        if bad:
            self._well_since_seconds = now_seconds
        if self._bad_windows >= (1 if hurt else WINDOWS) and self.eased < Eased.NOISE:
            self.eased, self._bad_windows = Eased(self.eased + 1), 0
        elif self.overloaded and now_seconds - self._well_since_seconds >= self._pause_seconds:
            self.eased, self._well_since_seconds = Eased(self.eased - 1), now_seconds
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def forget(self) -> None:
        """Begin another window: what is shown from now on cannot be compared with what was counted."""
        self._began_seconds, self._wanted, self._shown, self._gaps = None, 0.0, 0, 0
        self._least_late_seconds = inf
