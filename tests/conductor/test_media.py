"""Three rooms with real media, run by a real conductor: who is seen and heard where, and tokens that are checked."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.demo.looking import read_pictures
from tests.support.demo.meeting import MEETING, ONE, ROOMS, TWO, MeetingPlay
from tests.support.demo.timeline import Timeline
from tests.support.real_hub import real_hub


def post(url: str, token: str) -> int:
    """The status that the media server gives to somebody with this token."""
    request = urllib.request.Request(url, b"v=0", {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.alone
def test_the_demo_s_meeting_with_five_hand_overs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everybody sees and hears the right one, and nobody else; the page shows all; tokens are for those who have them."""
    timeline = Timeline()
    play = MeetingPlay(timeline, tmp_path, (TWO, ONE, TWO, ONE, TWO))
    with real_hub(tmp_path / "hub", ROOMS) as hub:
        play.meet(hub)
        publishing = hub.server.whip(f"{MEETING}-{TWO}")
        assert [post(publishing, token) for token in ("", "made.up.token")] == [401, 401]
        play.end(hub)
    assert timeline.failed == [], capsys.readouterr().out
    assert next(read_pictures(tmp_path / "console.png")).shape[1] > 1000
