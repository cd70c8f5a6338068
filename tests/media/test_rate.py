"""The bitrate against a simulated link: it fits, the sound is spared, and all of it comes back."""

from __future__ import annotations

import random

import pytest

from agent.media.sending.adaptation import SMALL
from agent.media.sending.rate import (
    OVERHEAD_BITS_PER_SECOND,
    SOUND_ALONE,
    SOUND_BITS_PER_SECOND,
    TRANSPORT_FEEDBACK,
    LinkReport,
    RateControl,
    Targets,
)

FLOOR, CEILING = 150_000, 1_500_000
QUEUE_SECONDS = 0.3


class Link:
    """So many bits a second, a queue, then loss; `second` passes what the targets send."""

    def __init__(self, bits_per_second: float) -> None:
        self.bits_per_second = bits_per_second
        self._queued = 0.0
        self.now_seconds = 0.0

    def second(self, targets: Targets) -> LinkReport:
        sent = (targets.picture or 0) + targets.sound + OVERHEAD_BITS_PER_SECOND
        self._queued += sent - self.bits_per_second
        room = QUEUE_SECONDS * self.bits_per_second
        lost = max(0.0, self._queued - room)
        self._queued = min(max(self._queued, 0.0), room)
        return LinkReport(lost / sent, self._queued / self.bits_per_second)


def run(control: RateControl, link: Link, seconds: int) -> list[LinkReport]:
    reports = []
    for _ in range(seconds):
        reports.append(link.second(control.targets))
        link.now_seconds += 1
        control.update(reports[-1], link.now_seconds)
    return reports


def test_a_wide_link_carries_all() -> None:
    control = RateControl(FLOOR, CEILING)
    run(control, Link(3_000_000), 60)
    assert control.targets == Targets(CEILING, SOUND_BITS_PER_SECOND)


def test_the_picture_fits_into_a_narrow_link_within_seconds_and_uses_it() -> None:
    control, link = RateControl(FLOOR, CEILING), Link(3_000_000)
    run(control, link, 10)
    link.bits_per_second = 500_000
    run(control, link, 3)
    reports, rates = [], []
    for _ in range(60):
        reports += run(control, link, 1)
        rates.append(control.targets.picture or 0)
    assert sum(report.loss for report in reports) / 60 < 0.02
    assert 250_000 < sum(rates) / 60 < 480_000


def test_below_the_floor_the_picture_is_given_up_and_the_sound_kept_whole() -> None:
    control, link = RateControl(FLOOR, CEILING), Link(3_000_000)
    run(control, link, 10)
    link.bits_per_second = 100_000
    run(control, link, 6)
    reports = run(control, link, 60)
    assert control.targets.picture is None
    assert sum(report.loss for report in reports) / 60 < 0.03, "feeling up costs little"


@pytest.mark.parametrize(
    ("narrow", "picture_seconds", "full_seconds"), [(500_000, 0, 15), (100_000, 15, 22)]
)
def test_all_comes_back_when_the_link_does(
    narrow: int, picture_seconds: int, full_seconds: int
) -> None:
    for seconds in range(20, 30):
        control, link = RateControl(FLOOR, CEILING), Link(3_000_000)
        run(control, link, 5)
        link.bits_per_second = narrow
        run(control, link, seconds)
        link.bits_per_second = 3_000_000
        run(control, link, picture_seconds)
        assert control.targets.picture, (narrow, seconds)
        run(control, link, full_seconds - picture_seconds)
        assert control.targets == Targets(CEILING, SOUND_BITS_PER_SECOND), (narrow, seconds)


def test_the_full_picture_begins_where_it_was_before_the_thumbnail() -> None:
    control, link = RateControl(FLOOR, CEILING), Link(3_000_000)
    run(control, link, 5)
    control.resize(*SMALL)
    assert control.targets.picture == SMALL.ceiling
    run(control, link, 20)
    control.resize(FLOOR, CEILING)
    assert control.targets.picture == CEILING


def test_what_congested_the_thumbnail_counts_for_the_full_picture() -> None:
    control, link = RateControl(FLOOR, CEILING), Link(3_000_000)
    run(control, link, 5)
    control.resize(*SMALL)
    link.bits_per_second = 105_000
    run(control, link, 10)
    assert control.targets.picture is not None, "a thumbnail goes where no full picture does"
    assert control.targets.picture < SMALL.ceiling
    control.resize(FLOOR, CEILING)
    assert control.targets.picture == FLOOR


def test_a_bad_radio_is_not_a_full_link() -> None:
    control, dice = RateControl(FLOOR, CEILING), random.Random(1)
    for second in range(120):
        lost = sum(dice.random() < 0.05 for _ in range(200)) / 200
        control.update(LinkReport(lost, 0.0), second)
    assert (control.targets.picture or 0) > 0.6 * CEILING


def test_a_sudden_cut_is_answered_at_once_and_leaves_room_for_the_sound() -> None:
    control = RateControl(FLOOR, CEILING)
    after = control.cut(0.6, 1.0).picture
    assert after is not None
    assert after < 0.3 * CEILING
    assert control.cut(0.6, 2.0).picture == after, (
        "what was lost before it took effect says nothing new"
    )


def test_a_picture_that_a_cut_leaves_next_to_nothing_of_is_given_up() -> None:
    control = RateControl(FLOOR, 2 * FLOOR)
    assert control.cut(0.6, 1.0) == Targets(None, SOUND_BITS_PER_SECOND)


def test_what_the_receiver_says_it_can_take_is_not_exceeded() -> None:
    control, link = RateControl(FLOOR, CEILING), Link(3_000_000)
    control.limit(600_000)
    run(control, link, 20)
    assert control.targets.picture == 600_000 - SOUND_ALONE
    control.limit(100_000)
    run(control, link, 20)
    assert control.targets.picture is None
    control.limit(None)
    run(control, link, 15)
    assert control.targets.picture == CEILING


def test_a_drained_burst_while_the_picture_waits_does_not_lift_it_over_the_ceiling() -> None:
    """A stall that ends delivers for a moment at all that the link can do: 6 Mbit/s of our 1.5."""
    rate = RateControl(150_000, 1_500_000)
    now = 1.0
    for queue, carried in ((0.2, 400_000.0), (0.2, None), (0.25, 6_000_000.0)):
        now += 0.6
        targets = rate.update(LinkReport(0.0, queue, carried, TRANSPORT_FEEDBACK), now)
        assert targets.picture is None or targets.picture <= 1_500_000
