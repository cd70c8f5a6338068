"""A dead peer is told from one that is slow, whatever it usually sends."""

from __future__ import annotations

from agent.media.webrtc.silence import SilenceWatch

TICK_SECONDS = 0.25


def noticed_after(pauses: list[float]) -> float:
    """Seconds of silence until a peer is taken for dead that paused so between its packets."""
    watch, now, packets = SilenceWatch(0.0), 0.0, 0
    for pause in pauses:
        end = now + pause
        while now + TICK_SECONDS < end:
            now += TICK_SECONDS
            watch.update(packets, now)
            assert not watch.dead(now), f"alive, but for a pause of {pause} s"
        now, packets = end, packets + 1
        watch.update(packets, now)
    died = now
    while not watch.dead(now):
        now += TICK_SECONDS
        watch.update(packets, now)
    return now - died


def test_the_end_of_media_is_noticed_within_5_seconds() -> None:
    assert noticed_after([TICK_SECONDS] * 100) <= 5


def test_a_server_that_reports_every_second_is_missed_within_5_seconds() -> None:
    assert noticed_after([1.0] * 20) <= 5
    assert noticed_after([0.5, 1.5] * 10) <= 5


def test_reports_that_come_rarely_are_waited_for() -> None:
    assert 7.5 < noticed_after([3.0, 3.9, 5.0, 7.4, 6.0]) < 20


def test_one_stall_does_not_make_it_blind() -> None:
    assert noticed_after([TICK_SECONDS] * 50 + [3.5] + [TICK_SECONDS] * 50) <= 5


def test_lost_reports_of_a_moment_ago_make_it_no_slower() -> None:
    assert noticed_after([0.5, 1.5] * 4 + [3.0] + [0.5, 1.5] * 2) <= 5


def test_nothing_from_the_beginning_is_dead_too() -> None:
    assert noticed_after([]) <= 5


def test_a_pause_of_our_own_is_not_the_peers() -> None:
    watch = SilenceWatch(0.0)
    watch.update(1, 0.25)
    watch.update(5, 2.5)  # this process was held up while the peer went on
    now = 2.5
    while not watch.dead(now):
        now += TICK_SECONDS
        watch.update(5, now)
    assert now - 2.5 <= 4.5


def test_after_a_change_of_the_network_a_second_of_silence_is_enough() -> None:
    watch = SilenceWatch(0.0)
    for n in range(1, 40):
        watch.update(n, n * 0.1)
    watch.doubt(4.9)
    assert not watch.dead(5.8), "a second from the change on"
    assert watch.dead(6.0)
    watch.update(100, 6.1)
    assert not watch.dead(7.0)


def test_a_peer_that_is_heard_of_rarely_gets_its_time_after_a_change_too() -> None:
    watch = SilenceWatch(0.0)
    for n in range(1, 40):
        watch.update(n // 8, n * 0.25)
    watch.doubt(10.0)
    assert not watch.dead(12.5)
    assert watch.dead(13.1)


def lively(until_seconds: float = 4.0) -> SilenceWatch:
    """A peer that is heard with each look, and then no more."""
    watch = SilenceWatch(0.0)
    for n in range(1, int(until_seconds / TICK_SECONDS) + 1):
        watch.update(n * 12, n * TICK_SECONDS)
    return watch


def test_what_was_never_silent_is_cut_when_the_server_answers_and_nothing_comes() -> None:
    watch = lively()
    assert not watch.suspected(5.5), "the server's own report may still come"
    assert watch.suspected(5.75)
    assert not watch.cut(5.75), "the network may stall as a whole"
    watch.answered(5.8)
    assert not watch.cut(5.9), "what queued with the answer is still on its way"
    assert watch.cut(6.25)
    watch.update(9999, 6.25)
    assert not watch.cut(6.5)


def test_an_answer_to_an_older_silence_says_nothing() -> None:
    watch = lively()
    watch.answered(4.5)
    watch.update(9999, 4.75)
    assert not watch.cut(6.5)


def test_a_link_that_stalls_by_itself_is_asked_about_later() -> None:
    watch = lively()
    for tick in range(1, 5):
        watch.update(192, 4.0 + tick * TICK_SECONDS)
    watch.update(9999, 5.2)
    assert not watch.suspected(6.9)
    assert watch.suspected(7.1)


def test_a_peer_that_reports_now_and_then_is_never_suspected() -> None:
    watch = SilenceWatch(0.0)
    for n in range(1, 20):
        watch.update(n, n * 1.0)
    assert not watch.suspected(22.9)
