"""Three rooms with real media, run by a real conductor: who is seen and heard where, and tokens that are checked."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from agent.conductor.core.model.acts import End, Give, Mode, StartMeeting
from tests.support.real_hub import PATIENCE_SECONDS, real_hub
from tests.support.waiting import wait_for

ROOMS = CHAIR, ONE, TWO = "xa-a", "xa-b", "xa-c"


def post(url: str, token: str) -> int:
    """The status that the media server gives to somebody with this token."""
    request = urllib.request.Request(url, b"v=0", {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.alone
def test_the_floor_goes_round_and_everybody_sees_and_hears_the_right_one(tmp_path: Path) -> None:
    with real_hub(tmp_path, ROOMS) as hub:
        conductor = hub.site.conductor
        conductor.ask(StartMeeting("hop", list(ROOMS), chair=CHAIR, mode=Mode.ONE_BY_ONE))
        hub.wait_for_all("hop")
        for holder in (ONE, TWO, ONE, TWO, ONE):
            conductor.ask(Give("hop", holder))
            hub.wait_for_floor(CHAIR, holder)
        publishing = hub.server.whip(f"hop-{TWO}")
        assert [post(publishing, token) for token in ("", "made.up.token")] == [401, 401]
        conductor.ask(End("hop"))
        wait_for(lambda: hub.server.sessions() == [], PATIENCE_SECONDS, "no session is left")
