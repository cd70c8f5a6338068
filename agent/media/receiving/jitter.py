"""How long received media waits for late and repaired packets: short while all is well, else longer.

Pure: counters go in, a delay comes out. A lost packet costs a broken picture until the next keyframe,
a longer delay only costs delay, so it grows at once and shrinks slowly.
"""

from __future__ import annotations

from agent.media.webrtc.jitter_buffers import SHORTEST_PATIENCE_MILLISECONDS, Arrivals

LONGEST_MILLISECONDS = 520
"""Three attempts at a retransmission over 100 ms of round trip, and the delay of speech that people
still bear; measured in tests/bench."""

FIRST_STEP_MILLISECONDS = 300
SETTLE_SECONDS = 2.5
"""After a step: what is given up or comes too late meanwhile belongs to the same mishap (servers ask for a
packet for a second), and each step is a gap in the sound."""

CALM_SECONDS = 20
"""Without any gap for so long, it is shrunk a little, and again as long as that lasts."""

SHRINKING_SECONDS = 5
SHRINKING_FACTOR = 0.8


class JitterControl:
    """How long one source's media wait for late packets: `milliseconds`, from the setting's `floor_milliseconds`
    to LONGEST_MILLISECONDS. Times are seconds of the monotonic clock. Raises nothing.
    """

    def __init__(self, floor_milliseconds: int, now_seconds: float) -> None:
        self._floor = floor_milliseconds
        self._before = Arrivals()
        self._grew_seconds = now_seconds - SETTLE_SECONDS
        self._calm_from = now_seconds
        self.milliseconds = floor_milliseconds

    def expect(self, milliseconds: int, now_seconds: float) -> None:
        """Begin with what others needed on the same way: learning it again would be a gap in the sound."""
        self.milliseconds = max(self.milliseconds, min(milliseconds, LONGEST_MILLISECONDS))
        self._calm_from = now_seconds

    def begin(self, now_seconds: float) -> None:
        """Another session has begun, whose counters start at zero; the delay stays as it is."""
        self._before, self._calm_from = Arrivals(), now_seconds

    def go_on(self, arrivals: Arrivals, now_seconds: float) -> None:
        """Another session has taken over that has run beside the old one for a while: `arrivals` are its counters so
        far. What it lost until now makes nothing grow, for that mishap is over.
        """
        self._before, self._calm_from = arrivals, now_seconds
        self._grew_seconds = now_seconds

    def update(self, arrivals: Arrivals, now_seconds: float) -> int:
        """Call some times a second with the session's counters. Returns the delay in milliseconds from now on.

        A packet given up or come too late makes it grow at once, at most once in SETTLE_SECONDS; CALM_SECONDS
        without any request for a packet make it shrink.
        """
        before, self._before = self._before, arrivals
        if arrivals.lost > before.lost or arrivals.late > before.late:
            self._calm_from = now_seconds
            self._grow(now_seconds)
        elif arrivals.requested > before.requested:
            self._calm_from = now_seconds
        elif now_seconds - self._calm_from >= CALM_SECONDS:
            self._calm_from += SHRINKING_SECONDS
            self._shrink()
        return self.milliseconds

    @property
    def nanoseconds(self) -> int:
        """The delay as pipelines count it."""
        return self.milliseconds * 1_000_000

    @property
    def patience_milliseconds(self) -> int:
        """How long GStreamer's own buffers wait for a packet that is missing."""
        return max(self.milliseconds, SHORTEST_PATIENCE_MILLISECONDS)

    def _grow(self, now_seconds: float) -> None:
        if now_seconds - self._grew_seconds >= SETTLE_SECONDS:
            self._grew_seconds = now_seconds
            wanted = max(2 * self.milliseconds, FIRST_STEP_MILLISECONDS)
            self.milliseconds = max(self._floor, min(wanted, LONGEST_MILLISECONDS))

    def _shrink(self) -> None:
        self.milliseconds = max(self._floor, int(self.milliseconds * SHRINKING_FACTOR))
