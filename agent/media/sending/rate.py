"""How many bits the room may send: what the link carries, by what the server says of our packets.

Pure: a report goes in, targets come out. The sound comes first: the picture shrinks when packets
are lost or queue up, and is given up below its floor; then the sound's own bitrate feels its way up,
so that a link too narrow for the picture is not filled again and again with keyframes.
"""

from __future__ import annotations

from typing import NamedTuple

SOUND_BITS_PER_SECOND = 32_000
"""Wideband speech (RFC 7587, 3.1.1)."""

OVERHEAD_BITS_PER_SECOND = 20_000
"""Headers of 50 sound packets a second (IP, UDP, RTP, SRTP tag), which the link carries too."""

SOUND_ALONE = SOUND_BITS_PER_SECOND + OVERHEAD_BITS_PER_SECOND

CONGESTED_LOSS = 0.15
"""More is a full link; less may be a bad radio, on which sending less helps nobody."""

CLEAR_LOSS = 0.08
QUEUEING_SECONDS = 0.08
"""Packets that take so much longer than the fastest lately are queueing somewhere."""

LONG_QUEUE_SECONDS = 0.15
"""The sound is late already: the picture waits until the queue is gone."""

DRAINED_SECONDS = 0.04
LONGEST_WAIT_SECONDS = 1.5
"""A queue that is not gone by then is not ours: the way itself takes longer."""

AGAIN_SECONDS = 1.5
"""Congested once more so soon: the picture waits, to see whether the queue is ours."""

BURST = 1.25
"""A link that carries more than this times what is sent is not congested: it only takes a keyframe."""

CLIFF = 0.6
"""A link that carries less than this times what is sent has become narrow, and the queue will be long."""

CLIFF_QUEUE_SECONDS = 0.06
"""On such a narrow link a queue as short as this counts; a busy machine alone makes shorter ones."""

HEADROOM = 0.8
"""The share of what arrived that is sent after congestion."""

AFTER_CUT = 1 / 4
"""The share of what was sent that is sent after a sudden loss: too little for some seconds is better than
losing sound once more."""

WORTH = 3.0
"""At a cut the picture is kept only if this times its floor was sent; else it is given up."""

FAST_GROWTH = 1.3
NEAR = 0.9
"""The bitrate grows by FAST_GROWTH at each step until it has reached this share of the bitrate that
congested the link the last time; from there on it grows in small steps."""

FIRST_STEP, STEP_GROWTH = 0.04, 1.4
LONGEST_STEP, LONGEST_STEP_OF_SOUND = 0.7, 0.15
"""Each small step adds a share of what is sent: first FIRST_STEP, then STEP_GROWTH times the step before, at
most LONGEST_STEP. Small enough that a queue shows before it overflows, and yet at full size within 15 s of the
link being wide again, or some 20 s from sound alone."""


class Pace(NamedTuple):
    """How soon a kind of report knows of lower targets, and between steps up."""

    effect_seconds: float
    growth_seconds: float


RECEIVER_REPORTS = Pace(1.5, 0.9)
TRANSPORT_FEEDBACK = Pace(0.5, 0.6)


class LinkReport(NamedTuple):
    """What is known of the last second: loss of all streams (0 to 1), how long packets queue on the
    way, and what the link carries, if that is known.
    """

    loss: float
    queue_seconds: float | None
    carried_bits_per_second: float | None = None
    pace: Pace = RECEIVER_REPORTS


class Targets(NamedTuple):
    """Bits per second for the encoders; a picture of None is given up, one that waits comes soon."""

    picture: int | None
    sound: int
    waits: bool = False


class RateControl:
    """Turns reports about the link into bitrates for the encoders.

    `floor` and `ceiling` are the picture's least and greatest bitrate in bit/s. All times are seconds of the
    monotonic clock. Raises nothing; a report that tells nothing changes nothing.
    """

    def __init__(self, floor: int, ceiling: int) -> None:
        self._floor = floor + SOUND_ALONE
        self._most = self._ceiling = ceiling + SOUND_ALONE
        self._total: float = self._ceiling
        self._limit: int | None = None
        self._before_small = 0.0
        """What the link carried when a smaller picture was asked for; 0 if it was congested since."""
        self._too_much = 0.0
        self._step = FIRST_STEP
        self._queued = 0.0
        self._waits_until: float | None = None
        self._before_waiting = 0.0
        self._fell_back_seconds = self._cut_seconds = self._grew_seconds = float("-inf")

    @property
    def picture_ceiling(self) -> int:
        """The picture's greatest bitrate, whatever the link carries."""
        return self._most - SOUND_ALONE

    @property
    def targets(self) -> Targets:
        """The bitrates in force. Where the link carries less than the picture's floor, the picture is given up
        and the sound may have all of it.
        """
        if self._total >= self._floor:
            waits = self._waits_until is not None
            return Targets(int(self._total) - SOUND_ALONE, SOUND_BITS_PER_SECOND, waits)
        return Targets(None, int(self._total) - OVERHEAD_BITS_PER_SECOND)

    def update(self, report: LinkReport, now_seconds: float) -> Targets:
        """Take in one report of the link; returns the targets from now on."""
        settled = now_seconds - self._fell_back_seconds >= report.pace.effect_seconds
        queueing = self._queueing(report, settled)
        if self._waits_until is not None:
            if carried := report.carried_bits_per_second:  # a drained burst tells more than is sent
                self._fall_back(min(carried, self._before_waiting), now_seconds)
        elif report.loss > CONGESTED_LOSS or queueing:
            self._congested(report, settled, now_seconds)
        elif settled and report.loss <= CLEAR_LOSS and self._drained(report):
            self._grow(report.pace.growth_seconds, now_seconds)
        if self._drained(report):
            self._waits_until = None
        return self.targets

    def pass_time(self, now_seconds: float) -> bool:
        """Call some times a second. True once, when the picture has waited for its longest time and the queue is
        still there: then the queue is not ours, and the picture goes on.
        """
        if self._waits_until is None or now_seconds < self._waits_until:
            return False
        self._waits_until = None
        wanted = max(self._total, HEADROOM * self._before_waiting)
        self._total = min(wanted, self._ceiling)
        return True

    def cut(self, wait_seconds: float, now_seconds: float) -> Targets:
        """Many packets were lost in one moment, so the link has become narrow and nobody knows yet how narrow: the
        bitrate falls at once and the picture waits `wait_seconds`. Returns the targets from now on.
        """
        if now_seconds - self._cut_seconds >= RECEIVER_REPORTS.effect_seconds:
            self._cut_seconds = now_seconds
            wanted = max(self._total * AFTER_CUT, self._floor)
            keeps = self._total >= WORTH * self._floor
            self._fall_back(wanted / HEADROOM if keeps else 0.0, now_seconds)
            self._wait(wait_seconds, now_seconds)
        return self.targets

    def limit(self, bits_per_second: int | None) -> None:
        """Send no more than the receiver says it can take, picture and sound together; None lifts the limit."""
        self._limit = bits_per_second
        self._ceiling = min(self._most, bits_per_second or self._most)
        if self._total > max(self._ceiling, SOUND_ALONE):
            self._total = self._ceiling if self._ceiling >= self._floor else SOUND_ALONE

    def resize(self, floor: int, ceiling: int) -> None:
        """The picture has another least and greatest bitrate from now on. A larger one begins with what the link
        carried before the smaller one, unless it was congested since.
        """
        goes, larger = self._total >= self._floor, ceiling + SOUND_ALONE > self._most
        self._floor = floor + SOUND_ALONE
        self._most = ceiling + SOUND_ALONE
        self._ceiling = min(self._most, self._limit or self._most)
        if larger:
            self._total = max(self._total, self._before_small, self._floor if goes else 0.0)
        else:
            self._before_small = max(self._before_small, self._total)
        self._total = min(self._total, self._ceiling)
        self._before_waiting = min(self._before_waiting, self._ceiling)

    def _congested(self, report: LinkReport, settled: bool, now_seconds: float) -> None:
        carried = report.carried_bits_per_second
        again = settled and now_seconds - self._fell_back_seconds < AGAIN_SECONDS
        long = self._queued > LONG_QUEUE_SECONDS or (carried and self._cliff(carried))
        if report.pace is not RECEIVER_REPORTS and (
            long or (again and self._queued > QUEUEING_SECONDS)
        ):
            self._wait(LONGEST_WAIT_SECONDS, now_seconds)
        elif not settled:
            return
        self._fall_back(min(carried or self._total * (1 - report.loss), self._total), now_seconds)

    def _wait(self, seconds: float, now_seconds: float) -> None:
        self._before_waiting = self._total
        self._waits_until = now_seconds + seconds

    def _fall_back(self, carried: float, now_seconds: float) -> None:
        """A picture that would get less than its floor is given up: the way is clear for the sound."""
        self._fell_back_seconds = self._grew_seconds = now_seconds
        self._too_much, self._step, self._before_small = carried, FIRST_STEP, 0.0
        wanted = carried * HEADROOM
        self._total = wanted if wanted >= self._floor else SOUND_ALONE

    def _grow(self, pause_seconds: float, now_seconds: float) -> None:
        if now_seconds - self._grew_seconds >= pause_seconds and self._total < self._ceiling:
            self._grew_seconds = now_seconds
            self._total = min(self._total * self._growth(), self._ceiling)

    def _growth(self) -> float:
        near = self._too_much * NEAR
        if self._total < near:
            return min(FAST_GROWTH, near / self._total)
        longest = LONGEST_STEP if self._total >= self._floor else LONGEST_STEP_OF_SOUND
        step = min(self._step, longest)
        self._step = step * STEP_GROWTH
        return 1 + step

    def _drained(self, report: LinkReport) -> bool:
        return report.queue_seconds is not None and report.queue_seconds < DRAINED_SECONDS

    def _queueing(self, report: LinkReport, settled: bool) -> bool:
        """One late report may be a busy processor; two are a queue, or one that is very late, or one of
        packets that come in step with a link which carries less than is sent."""
        before, self._queued = self._queued, report.queue_seconds or 0.0
        if carried := report.carried_bits_per_second:
            if settled and carried > BURST * self._total:
                return False
            most = CLIFF_QUEUE_SECONDS if self._cliff(carried) else QUEUEING_SECONDS
            return self._queued > most
        return self._queued > LONG_QUEUE_SECONDS or min(before, self._queued) > QUEUEING_SECONDS

    def _cliff(self, carried: float) -> bool:
        return carried < CLIFF * self._total
