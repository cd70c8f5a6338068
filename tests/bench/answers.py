"""10,000 mutated SDP answers, and some hundreds of HTTP responses against the media process.

Nothing may end the process, each refusal has a reason, and no session is left behind at the server.
"""

from __future__ import annotations

from agent.core.model.media import DownlinkReported, UplinkReported
from agent.media.webrtc.answer import Unusable, agree
from tests.bench.row import Row
from tests.media.rooms import plan, room
from tests.support.http_stub import HttpStub
from tests.support.media_process import MediaProcess
from tests.support.sdp_fuzz import answers, replies
from tests.support.waiting import wait_for

LONG = True
ANSWERS = 10_000
RESPONSES, MEETINGS = 100, 5


def measure() -> list[Row]:
    mistakes = sum(_is_mistaken(offer, answer) for offer, answer in answers(ANSWERS, seed=3))
    ended = unsaid = left = 0
    for meeting in range(MEETINGS):
        status, silent, sessions = _meet(seed=10 + meeting)
        ended += status != 0
        unsaid += silent
        left += sessions
    return [
        Row("10,000 mutated answers, mistakes", mistakes, "", 0),
        Row(f"{RESPONSES * MEETINGS} mutated responses, media processes ended", ended, "", 0),
        Row(f"{RESPONSES * MEETINGS} mutated responses, refusals without a reason", unsaid, "", 0),
        Row(f"{RESPONSES * MEETINGS} mutated responses, sessions left behind", left, "", 0),
    ]


def _is_mistaken(offer: str, answer: str) -> bool:
    try:
        agree(offer, answer)
    except Unusable as error:
        return not str(error)
    except Exception:
        return True
    return False


def _meet(seed: int) -> tuple[int, int, int]:
    """The process's exit status, refusals without a reason, and sessions without a DELETE."""
    with HttpStub(*replies(RESPONSES, seed)) as server, MediaProcess(room()) as process:
        urls = [f"{server.url}/{number}/whep" for number in range(4)]
        process.start(plan(publish=f"{server.url}/whip", play=urls))
        wait_for(lambda: len(server.asked) >= RESPONSES, 300, "all answers were given")
        status = process.stop()
        left = len(server.left_behind)
    told = process.said(DownlinkReported) + process.said(UplinkReported)
    unsaid = sum(not r.text for r in told if r.state in ("refused", "unreachable", "stalled"))
    return status, unsaid, left
