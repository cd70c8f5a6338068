"""Three rooms with real media, run by a real conductor: who is seen and heard where, and tokens that are checked."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from agent.conductor.core.model.acts import Give, Mode, StartMeeting
from tests.support.demo.looking import read_pictures
from tests.support.demo.meeting import CHAIR, MEETING, ONE, ROOMS, TWO, MeetingPlay
from tests.support.demo.timeline import Timeline
from tests.support.media_server import MediaServer
from tests.support.real_hub import PATIENCE_SECONDS, real_hub
from tests.support.waiting import wait_for


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


@pytest.mark.paired
def test_a_media_server_that_was_killed_has_its_meeting_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    """Its rooms see and hear the right ones anew, by the tokens that they have, and it takes no others."""
    with real_hub(tmp_path / "hub", (CHAIR, ONE)) as hub:
        conductor = hub.site.conductor
        conductor.ask(StartMeeting(MEETING, [CHAIR, ONE], chair=CHAIR, mode=Mode.ONE_BY_ONE))
        hub.wait_for_all(MEETING)
        conductor.ask(Give(MEETING, ONE))
        hub.wait_for_floor(CHAIR, ONE)
        hub.server.kill()
        jwks = f"http://127.0.0.1:{conductor.settings['console']['port']}/jwks.json"
        with MediaServer(hub.server.port, jwks=jwks) as server:
            wait_for(lambda: len(server.sessions()) == 4, PATIENCE_SECONDS, "two send, two play")
            hub.wait_for_floor(CHAIR, ONE)
            hub.wait_for_all(MEETING)
            assert post(server.whip(f"{MEETING}-{ONE}"), "made.up.token") == 401
