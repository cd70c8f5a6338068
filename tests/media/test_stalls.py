"""The bitrate on a radio link that stalls: what each packet met is told ten times a second, as a server does.

The link carries so many bits a second by a trace as LTE's are: it stands still for a moment about once a second
(handover, scheduling), then delivers all that waited at once. That is no congestion.
"""

from __future__ import annotations

import random
from collections import deque
from typing import NamedTuple

import pytest

from agent.media.sending.rate import TRANSPORT_FEEDBACK, LinkReport, RateControl, Targets
from agent.media.webrtc.transport_feedback import Feedback, Packet
from tests.support.cellular import DRIVING, HIGHWAY, PACKET_BYTES, Stretch, grants

CEILING = 1_500_000
TICK_SECONDS = 0.005
WAY_SECONDS = 0.03
CLOCKS_APART_SECONDS = 1000.0
SOUND_BYTES = 110


class Outcome(NamedTuple):
    rate: float
    """Of the picture, the mean as a share of the ceiling."""
    without_picture: float
    """Share of the time."""
    last: Targets
    sound_seconds: list[float]
    """How long each packet of sound was on its way, in order of length."""


class Radio:
    """Carries `bits_per_second`, but for stalls of `stall_seconds` (least, most), one a second."""

    def __init__(
        self, bits_per_second: float, stall_seconds: tuple[float, float], seed: int
    ) -> None:
        self.bits_per_second = bits_per_second
        self._stall_seconds = stall_seconds
        self._dice = random.Random(seed)
        self._next_stall, self._until = 0.5, 0.0
        self._credit_bytes = 0.0
        self._waiting: list[tuple[int, float]] = []
        self._arrived: list[Packet] = []

        self.sound_seconds: list[float] = []

    def send(self, size_bytes: int, now: float) -> None:
        self._waiting.append((size_bytes, now))

    def _carry(self, now: float) -> None:
        """The packets that wait and that there is credit for."""
        while self._waiting and self._waiting[0][0] <= self._credit_bytes:
            size, sent = self._waiting.pop(0)
            self._credit_bytes -= size
            self._arrived.append(Packet(size, sent, now + WAY_SECONDS + CLOCKS_APART_SECONDS))
            if size == SOUND_BYTES:
                self.sound_seconds.append(now + WAY_SECONDS - sent)

    def pass_time(self, now: float) -> None:
        if now >= self._next_stall:
            self._until = now + self._dice.uniform(*self._stall_seconds)
            self._next_stall += 1.0
        carries = self.bits_per_second * TICK_SECONDS / 8
        self._credit_bytes = min(self._credit_bytes + carries, carries + 1300)
        if now < self._until:
            self._credit_bytes = 0.0
        self._carry(now)

    def told(self, now: float) -> list[Packet]:
        """What the sender knows by now, for the first time."""
        came = now - WAY_SECONDS + CLOCKS_APART_SECONDS
        known = [one for one in self._arrived if (one.arrived_seconds or 0.0) <= came]
        self._arrived = self._arrived[len(known) :]
        return known


class Measured(Radio):
    """Carries what a mobile network did carry; a grant that nothing waits for is lost."""

    def __init__(self, stretches: tuple[Stretch, ...], seconds: float, seed: int) -> None:
        super().__init__(0.0, (0.0, 0.0), seed)
        self._grants = deque(grants(stretches, seconds, seed))

    def pass_time(self, now: float) -> None:
        while self._grants and self._grants[0][0] <= now:
            self._credit_bytes = self._grants.popleft()[1] * PACKET_BYTES
            self._carry(now)


def send(radio: Radio, seconds: float, cut_to: float | None = None) -> Outcome:
    """A room sends for so long; in the middle the link may become narrow."""
    rate, feedback = RateControl(150_000, CEILING), Feedback()
    targets, rates, without = rate.targets, 0.0, 0
    steps = int(seconds / TICK_SECONDS)
    for step in range(steps):
        now = step * TICK_SECONDS
        goes = targets.picture is not None and not targets.waits
        without += not goes
        rates += targets.picture or 0
        if cut_to and step == steps // 2:
            radio.bits_per_second = cut_to
        if goes and step % 7 == 0:  # 29 pictures a second
            size = int((targets.picture or 0) / 29 / 8)
            for sent in range(0, size, 1200):
                radio.send(min(1200, size - sent), now)
        if step % 4 == 0:
            radio.send(SOUND_BYTES, now)
        radio.pass_time(now)
        if step % 20 == 0 and (carried := feedback.update(radio.told(now))):
            before, targets = targets, rate.update(LinkReport(*carried, TRANSPORT_FEEDBACK), now)
            if (targets.picture or 0) < (before.picture or 0):
                feedback.judge_from(now)
        if step % 50 == 0 and rate.pass_time(now):
            feedback.queue.forget()
            targets = rate.targets
    shares = rates / steps / CEILING, without / steps
    return Outcome(*shares, targets, sorted(radio.sound_seconds))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits_per_second", [3_000_000.0, 6_000_000.0, 12_000_000.0])
def test_stalls_without_congestion_cost_next_to_nothing(bits_per_second: float, seed: int) -> None:
    """They cost a third of the bitrate, and 13 % of the time without a picture."""
    outcome = send(Radio(bits_per_second, (0.08, 0.2), seed), 60)
    assert outcome.rate > 0.95
    assert outcome.without_picture < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_long_stalls_cost_little(seed: int) -> None:
    outcome = send(Radio(6_000_000, (0.1, 0.4), seed), 60)
    assert outcome.rate > 0.9
    assert outcome.without_picture < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_a_link_that_becomes_narrow_while_it_stalls_is_still_noticed(seed: int) -> None:
    outcome = send(Radio(6_000_000, (0.08, 0.2), seed), 60, cut_to=600_000)
    assert (outcome.last.picture or 0) < 600_000


@pytest.mark.parametrize("seed", range(4))
def test_in_a_car_the_link_is_used_and_the_picture_is_missing_only_in_the_outage(seed: int) -> None:
    """0.9 Mbit/s are there, and for 4.8 of 35 s nothing is: what a measured LTE uplink carries."""
    outcome = send(Measured(DRIVING, 70, seed), 70)
    sound = outcome.sound_seconds
    assert outcome.rate * CEILING > 550_000
    assert outcome.without_picture < 4.8 / 35.1 + 0.06
    assert outcome.last.picture
    assert sound[len(sound) // 2] < 0.15, "no queue of our own stands in the way of the sound"


@pytest.mark.parametrize("seed", range(4))
def test_on_a_motorway_the_sound_gets_through_where_the_link_falls_to_a_fifteenth(
    seed: int,
) -> None:
    outcome = send(Measured(HIGHWAY, 68, seed), 68)
    sound = outcome.sound_seconds
    assert outcome.rate * CEILING > 750_000
    assert outcome.without_picture < 0.12
    assert sound[len(sound) * 9 // 10] < 0.15
    assert sound[-1] < 1.2
