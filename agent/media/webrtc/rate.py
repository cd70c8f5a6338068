"""How many bits the room may send: what the link carries, by the server's receiver reports.

Pure: a report goes in, targets come out. The sound comes first: the picture shrinks when packets
are lost or queue up, and is given up below its floor; then the sound's own bitrate feels its way up,
so that a link too narrow for the picture is not filled again and again with keyframes.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

SOUND_BITS_PER_SECOND = 32_000
"""Wideband speech (RFC 7587, 3.1.1)."""

OVERHEAD_BITS_PER_SECOND = 20_000
"""Headers of 50 sound packets a second (IP, UDP, RTP, SRTP tag), which the link carries too."""

SOUND_ALONE = SOUND_BITS_PER_SECOND + OVERHEAD_BITS_PER_SECOND

CONGESTED_LOSS = 0.10
"""More is a full link; less may be a bad radio, on which sending less helps nobody."""

CLEAR_LOSS = 0.05
QUEUEING_SECONDS = 0.08
"""Packets that take so much longer than the fastest lately are queueing somewhere."""

LONG_QUEUE_SECONDS = 0.15
REMEMBERED_REPORTS = 30
"""Half a minute: a mobile network's round trip changes for good with the mast."""

TAKES_EFFECT_SECONDS = 1.5
"""From lower targets to a report that knows of them: what came before was sent at the old ones."""

HEADROOM = 0.8
"""Of what arrived, after congestion."""

AFTER_CUT = 1 / 4
"""Of what was sent: it is better too little for some seconds than the sound lost once more."""

WORTH = 3.0
"""Times the floor: what was sent before a cut, for the picture to be kept at all."""

GROWTH_SECONDS = 0.9
FAST_GROWTH = 1.3
NEAR = 0.9
"""Of what was too much the last time: up to there it grows fast."""

FIRST_STEP, STEP_GROWTH = 0.04, 1.4
LONGEST_STEP, LONGEST_STEP_OF_SOUND = 0.7, 0.15
"""Of what is sent: from there on in steps that grow, small enough that a queue shows before it overflows,
and yet at full size within 15 s of the link being wide again, or some 20 from sound alone."""


class LinkReport(NamedTuple):
    """What is known of the last second: loss of all streams (0 to 1), and how old the newest packet
    was that the server had, seen from here: a round trip and what queues on the way.
    """

    loss: float
    delay_seconds: float | None


class Targets(NamedTuple):
    """Bits per second for the encoders; a picture of None is given up."""

    picture: int | None
    sound: int


class RateControl:
    """Between the picture's floor and ceiling, both in bit/s; times are the monotonic clock's."""

    def __init__(self, floor: int, ceiling: int) -> None:
        self._floor = floor + SOUND_ALONE
        self._most = self._ceiling = ceiling + SOUND_ALONE
        self._total: float = self._ceiling
        self._too_much = 0.0
        self._step = FIRST_STEP
        self._delays: deque[float] = deque(maxlen=REMEMBERED_REPORTS)
        self._fell_back_seconds = self._cut_seconds = self._grew_seconds = -TAKES_EFFECT_SECONDS

    @property
    def targets(self) -> Targets:
        """What the link does not give to the picture below its floor, the sound may have."""
        if self._total >= self._floor:
            return Targets(int(self._total) - SOUND_ALONE, SOUND_BITS_PER_SECOND)
        return Targets(None, int(self._total) - OVERHEAD_BITS_PER_SECOND)

    def look(self, report: LinkReport, now_seconds: float) -> Targets:
        """Take a report in. The targets from now on."""
        settled = now_seconds - self._fell_back_seconds >= TAKES_EFFECT_SECONDS
        if report.loss > CONGESTED_LOSS or self._queueing(report):
            if settled:
                arrived = self._total * (1 - report.loss)
                self._fall_back(arrived, arrived * HEADROOM, now_seconds)
        elif settled and report.loss <= CLEAR_LOSS and report.delay_seconds is not None:
            self._grow(now_seconds)
        return self.targets

    def cut(self, now_seconds: float) -> Targets:
        """Much was lost in one moment: the link has become narrow, nobody knows yet how narrow."""
        if now_seconds - self._cut_seconds >= TAKES_EFFECT_SECONDS:
            self._cut_seconds = now_seconds
            wanted = max(self._total * AFTER_CUT, self._floor)
            keeps = self._total >= WORTH * self._floor
            self._fall_back(wanted / HEADROOM, wanted if keeps else 0.0, now_seconds)
        return self.targets

    def limit(self, bits_per_second: int | None) -> None:
        """What the receiver says that it can take, of picture and sound together; None: all."""
        self._ceiling = min(self._most, bits_per_second or self._most)
        if self._total > max(self._ceiling, SOUND_ALONE):
            self._total = self._ceiling if self._ceiling >= self._floor else SOUND_ALONE

    def _fall_back(self, too_much: float, wanted: float, now_seconds: float) -> None:
        """A picture that would get less than its floor is given up: the way is clear for the sound."""
        self._fell_back_seconds = self._grew_seconds = now_seconds
        self._too_much, self._step = too_much, FIRST_STEP
        self._total = wanted if wanted >= self._floor else SOUND_ALONE

    def _grow(self, now_seconds: float) -> None:
        if now_seconds - self._grew_seconds >= GROWTH_SECONDS and self._total < self._ceiling:
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

    def _queueing(self, report: LinkReport) -> bool:
        """One late report may be a busy processor; two, or one that is very late, are a queue."""
        if report.delay_seconds is None:
            return False
        self._delays.append(report.delay_seconds)
        fastest, lately = min(self._delays), list(self._delays)[-2:]
        queued = report.delay_seconds - fastest
        return queued > LONG_QUEUE_SECONDS or min(lately) - fastest > QUEUEING_SECONDS
