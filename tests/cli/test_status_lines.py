"""What `diemcau status` prints of what the core says: a join that is tried again, and the last check."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from rich.console import Console

from agent import locale
from agent.cli.status import screen
from agent.core.model.commands import AckState
from agent.core.model.documents import CheckFinding
from agent.core.model.events import CheckEnded, HostSampled
from agent.core.model.media import UplinkReported
from agent.core.model.room_status import HubLinkStatus, RoomStatus
from tests.core.playbook import HOST, Playbook

BLACK = CheckFinding("camera", "camera-black", "failed", "mean brightness 2 of 255")
FAR = CheckFinding("media-server", "media-server-silent", "failed", "no answer")


def printed(play: Playbook) -> str:
    """On a terminal of 80 columns, from what goes over the socket."""
    play.tell(HostSampled(HOST))
    acks = [ack for ack in play.acks("c1") if ack.state is AckState.FAILED]
    status = RoomStatus(
        play.state,
        play.room.health.latest,
        HubLinkStatus(up=True),
        failed_join=(acks or [None])[-1],
    )
    sent = msgspec.json.decode(msgspec.json.encode(status), type=RoomStatus)
    with io.StringIO() as said:
        Console(file=said, width=80).print(screen(sent, 80))
        lines = said.getvalue()
    assert max(map(len, lines.splitlines())) <= 80
    return re.sub(r"\s+", " ", lines)


@pytest.mark.parametrize(
    ("language", "verdict", "said"),
    [
        ("en", "Works, with 1 warning", r"last join failed .* tried again at \d\d:\d\d:\d\d"),
        ("vi", "Chạy được, có 1 cảnh báo", r"lần vào trước .* thử lại lúc \d\d:\d\d:\d\d"),
    ],
)
def test_a_join_that_is_tried_again(language: str, verdict: str, said: str) -> None:
    locale.use(language)
    play = Playbook()
    play.join(id="c1")
    play.report(UplinkReported("refused", "503 Service Unavailable"))
    while play.acks("c1")[-1].state is not AckState.FAILED:
        play.wait(1)
    play.exit("")
    shown = printed(play)
    assert verdict in shown
    assert re.search(said, shown)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "last check failed {}: The camera's picture is black; media-server-silent: no answer",
        ),
        ("vi", "lần kiểm tra lỗi {}: Hình của camera bị đen"),
    ],
)
def test_what_the_last_check_found_and_when(language: str, said: str) -> None:
    locale.use(language)
    play = Playbook()
    play.command("check", id="k")
    play.tell(CheckEnded(1, [BLACK, FAR], complete=True))
    assert re.search(said.format(r"\d\d/\d\d \d\d:\d\d"), printed(play))
    play.wait(4 * 3600 + 1)
    old = {"en": "last check out of date", "vi": "lần kiểm tra đã cũ"}
    assert old[language] in printed(play), "an old one is not believed"
    play.command("check", id="l")
    play.tell(CheckEnded(2, [], complete=True))
    well = {"en": "last check ok", "vi": "lần kiểm tra tốt"}
    assert well[language] in printed(play)
