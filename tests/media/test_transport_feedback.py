"""What a server tells of each packet: how long they queue, how much the link carries, and what comes of it."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from agent.media.sending.rate import (
    OVERHEAD_BITS_PER_SECOND,
    SOUND_BITS_PER_SECOND,
    TRANSPORT_FEEDBACK,
    LinkReport,
    RateControl,
    Targets,
)
from agent.media.webrtc.transport_feedback import ID, Feedback, Packet, is_numbered
from tests.support import transport_feedback
from tests.support.transport_feedback import TransportFeedback

FLOOR, CEILING = 150_000, 1_500_000
WIDE = 3_000_000
QUEUE_SECONDS, DELAY_SECONDS = 0.3, 0.05
REPORT_SECONDS = 0.1
PICTURE_BYTES, SOUND_BYTES = 1200, 130
STALL_EVERY_SECONDS = 0.37
CLOCKS_SECONDS = 1000.0
"""The server's clock is another."""


class Link:
    """Packet by packet: a tail-drop queue before so many bits a second, feedback ten times a second."""

    def __init__(self, bits_per_second: float) -> None:
        self.bits_per_second = bits_per_second
        self.extra_delay_seconds = 0.0
        self.loss = 0.0
        self.stall_seconds = 0.0
        self.now = 0.0
        self.sound_seconds_late = list[float | None]()
        self.control = RateControl(FLOOR, CEILING)
        self._feedback = Feedback()
        self._free_at = 0.0
        self._dice = random.Random(7)
        self._picture_due = self._sound_due = 0.0
        self._on_way = list[tuple[float, Packet]]()

    def run(self, seconds: float) -> Targets:
        until = self.now + seconds
        while self.now < until:
            self.now += REPORT_SECONDS
            self._send_until(self.now)
            if self.control.pass_time(self.now):
                self._feedback.queue.forget()
            before = self.control.targets
            told = [one for at, one in self._on_way if at <= self.now]
            self._on_way = [(at, one) for at, one in self._on_way if at > self.now]
            if told and (carried := self._feedback.update(told)):
                after = self.control.update(LinkReport(*carried, TRANSPORT_FEEDBACK), self.now)
                if (after.picture or 0) < (before.picture or 0) or after.waits != before.waits:
                    self._feedback.judge_from(self.now)
        return self.control.targets

    def _send_until(self, now: float) -> None:
        targets = self.control.targets
        for at, size in sorted(self._due(targets, now)):
            leaves = max(at, self._free_at) + size * 8 / self.bits_per_second
            lost = leaves - at > QUEUE_SECONDS or self._dice.random() < self.loss
            if leaves - at <= QUEUE_SECONDS:
                self._free_at = leaves
            arrives = leaves + DELAY_SECONDS + self.extra_delay_seconds
            if self.stall_seconds and arrives % STALL_EVERY_SECONDS < self.stall_seconds:
                arrives += self.stall_seconds - arrives % STALL_EVERY_SECONDS
            if size == SOUND_BYTES:
                self.sound_seconds_late.append(None if lost else arrives - at - DELAY_SECONDS)
            told = Packet(size, at, None if lost else arrives + CLOCKS_SECONDS)
            self._on_way.append((arrives + DELAY_SECONDS, told))

    def _due(self, targets: Targets, now: float) -> Iterator[tuple[float, int]]:
        size = (targets.sound + OVERHEAD_BITS_PER_SECOND) // 400
        while self._sound_due < now:
            yield self._sound_due, SOUND_BYTES if targets.picture else size
            self._sound_due += 0.02
        while targets.picture and not targets.waits and self._picture_due < now:
            yield self._picture_due, PICTURE_BYTES
            self._picture_due += PICTURE_BYTES * 8 / targets.picture
        self._picture_due = max(self._picture_due, now)


def test_a_wide_link_carries_all() -> None:
    link = Link(WIDE)
    assert link.run(30) == Targets(CEILING, SOUND_BITS_PER_SECOND)


def test_a_cut_is_answered_within_half_a_second_with_what_the_link_carries() -> None:
    link = Link(WIDE)
    link.run(10)
    link.bits_per_second = 500_000
    assert link.run(0.5).waits, "the way is cleared for the sound"
    after = link.run(1.0)
    assert not after.waits
    assert 300_000 < (after.picture or 0) < 450_000


def test_the_sound_of_a_narrow_link_is_whole_and_in_time_but_for_a_moment() -> None:
    link = Link(WIDE)
    link.run(10)
    link.bits_per_second = 500_000
    link.run(1.0)
    link.sound_seconds_late.clear()
    link.run(60)
    late = [seconds is None or seconds > 0.2 for seconds in link.sound_seconds_late]
    assert sum(late) < 0.01 * len(late)
    assert link.control.targets.picture


def test_a_link_too_narrow_for_a_picture_keeps_the_sound_alone() -> None:
    link = Link(WIDE)
    link.run(10)
    link.bits_per_second = 100_000
    assert link.run(1.0).picture is None
    pictures = 0
    for _ in range(60):
        pictures += link.run(1.0).picture is not None
    assert pictures < 3


def test_all_comes_back_within_15_seconds_of_the_end_of_the_cut() -> None:
    for narrow in (100_000, 300_000, 500_000):
        for seconds in range(20, 26):
            link = Link(WIDE)
            link.run(10)
            link.bits_per_second = narrow
            link.run(seconds)
            link.bits_per_second = WIDE
            assert link.run(13).picture == CEILING, (narrow, seconds)


def test_a_bad_radio_is_not_a_full_link() -> None:
    link = Link(WIDE)
    link.loss = 0.05
    link.run(120)
    assert (link.control.targets.picture or 0) > 0.6 * CEILING


def test_a_server_that_is_busy_at_times_is_not_a_full_link() -> None:
    link = Link(WIDE)
    link.loss, link.stall_seconds = 0.05, 0.12
    link.run(60)
    assert (link.control.targets.picture or 0) > 0.6 * CEILING


def test_a_way_that_takes_longer_for_good_is_no_queue() -> None:
    link = Link(WIDE)
    link.run(10)
    link.extra_delay_seconds = 0.12
    link.run(15)
    assert link.control.targets.picture == CEILING


def test_what_the_test_server_writes_is_what_it_reads() -> None:
    """Its own feedback, by the draft's rules; GStreamer reads and writes it in the other tests."""
    feedback = TransportFeedback()
    for number in (65534, 65535, 1):
        feedback.note(number)
    packet = feedback.report(1, 2)
    assert packet is not None
    assert len(packet) == 4 * (struct.unpack_from("!H", packet, 2)[0] + 1)
    told = transport_feedback.read(packet)
    assert [number for number, _ in told] == [65534, 65535, 0, 1]
    assert [at is not None for _, at in told] == [True, True, False, True]
    assert feedback.report(1, 2) is None, "nothing new came"


def rtp(*extensions: bytes, sources: int = 0) -> bytes:
    """A packet with these elements (RFC 8285, 4.2) and so many contributing sources."""
    body = b"".join(extensions)
    body += bytes(-len(body) % 4)
    header = bytes([0x90 + sources]) + bytes(11 + 4 * sources)
    return header + b"\xbe\xde" + struct.pack("!H", len(body) // 4) + body + bytes(100)


def test_a_server_that_counts_its_packets_for_feedback_is_known_by_them() -> None:
    mid, count = bytes([0x10, 0x30]), bytes([ID << 4 | 1, 0, 7])
    assert is_numbered(rtp(mid, count))
    assert is_numbered(rtp(count, sources=2))
    assert is_numbered(rtp(bytes(2), count)), "padding before it"
    assert not is_numbered(rtp(mid))
    assert not is_numbered(bytes([0x80]) + bytes(60)), "no extension at all"
    assert not is_numbered(rtp(mid)[:14]), "cut off"
