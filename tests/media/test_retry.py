"""When the next attempt comes: soon enough to be back in 3 s, not all rooms at once."""

from __future__ import annotations

import pytest

from agent.errors import MediaError
from agent.media.webrtc.http import Refused, Unreachable
from agent.media.webrtc.peer import WrongPeer
from agent.media.webrtc.retry import RetrySchedule

NOT_YET = Refused("nothing there (404)", 404)
WRONG_TOKEN = Refused("wants another token (401)", 401)
BROKEN = Refused("answered 200 with text/html")
ROOMS = 212


def pauses(error: MediaError, count: int) -> list[float]:
    schedule = RetrySchedule()
    return [schedule.pause_seconds(error) for _ in range(count)]


@pytest.mark.parametrize("error", [Unreachable("refused"), MediaError("pipeline", "broke")])
def test_a_server_that_is_away_for_hours_is_asked_every_second_or_so(error: MediaError) -> None:
    assert all(pause <= 1.5 for pause in pauses(error, 5000))


def test_the_room_whose_media_follow_another_room_is_back_in_the_same_3_seconds() -> None:
    assert all(pause <= 1.0 for pause in pauses(NOT_YET, 20))


def test_a_live_server_is_not_worn_out_by_rooms_that_wait_for_a_meeting_to_begin() -> None:
    assert all(1.5 <= pause <= 3.0 for pause in pauses(NOT_YET, 100)[20:])
    assert all(1.5 <= pause <= 3.0 for pause in pauses(BROKEN, 100)[20:])


def test_a_wrong_token_is_tried_rarely() -> None:
    assert all(7.5 <= pause <= 15.0 for pause in pauses(WRONG_TOKEN, 100)[10:])


def test_what_failed_before_does_not_count_once_the_server_answers() -> None:
    schedule = RetrySchedule()
    for _ in range(50):
        schedule.pause_seconds(WRONG_TOKEN)
    assert schedule.pause_seconds(NOT_YET) <= 0.5
    schedule.pause_seconds(NOT_YET)
    schedule.reset()
    assert schedule.pause_seconds(NOT_YET) <= 0.5


def test_the_rooms_of_a_meeting_do_not_come_back_in_one_moment() -> None:
    first = [pauses(Unreachable("gone"), 3)[2] for _ in range(ROOMS)]
    busiest = max(sum(at <= other < at + 0.1 for other in first) for at in first)
    assert busiest < ROOMS / 3


def test_a_server_that_says_when_is_asked_then_and_by_the_rooms_one_after_the_other() -> None:
    busy = Refused("answered 503", 503, retry_after_seconds=10.0)
    waits = [RetrySchedule().pause_seconds(busy) for _ in range(ROOMS)]
    assert min(waits) >= 10.0
    assert max(waits) <= 12.5
    assert max(waits) - min(waits) > 1.5


def test_a_wrong_peer_is_not_asked_again_at_once() -> None:
    assert all(30 <= pause <= 60 for pause in pauses(WrongPeer("somebody else answers"), 20))
