"""The media process against servers that answer nonsense: it lives, and says of each what is wrong."""

from __future__ import annotations

from agent.core.model.media import DownlinkReported, UplinkReported
from tests.media.rooms import plan, room
from tests.support.http_stub import HttpStub
from tests.support.media_process import MediaProcess
from tests.support.sdp_fuzz import replies
from tests.support.waiting import wait_for

ASKED = 40


def test_nonsense_ends_no_media_process() -> None:
    """The long form: `./scripts/bench answers`."""
    with HttpStub(*replies(ASKED, seed=2)) as server, MediaProcess(room()) as process:
        urls = [f"{server.url}/{number}/whep" for number in range(4)]
        process.start(plan(publish=f"{server.url}/whip", play=urls))
        wait_for(lambda: len(server.asked) >= ASKED, 60, "all answers were given")
        assert process.stop() == 0
        assert server.left_behind == []
    told = process.said(DownlinkReported) + process.said(UplinkReported)
    bad = [report for report in told if report.state in ("refused", "unreachable", "stalled")]
    assert bad
    assert all(report.text for report in bad), "always a reason"
