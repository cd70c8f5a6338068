"""Servers that take or give one medium only: the room goes on with the other, and says which is missing."""

from __future__ import annotations

import pytest

from agent.core.model.figures import DownlinkFigures
from agent.core.model.media import DeviceReported, DownlinkReported, Measured, UplinkReported
from tests.media.rooms import flowing, plan, room
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.shapes import SHAPES
from tests.support.waiting import wait_for

KINDS = {"video": "picture", "audio": "sound"}


def refused(figures: DownlinkFigures) -> str:
    return " and ".join(figures.refused or ())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ["bare", "port-0.bundled", "inactive"])
def test_the_other_medium_is_published(media_server: MediaServer, kind: str, shape: str) -> None:
    name, other = f"{kind}-{shape}", {"video": "audio", "audio": "video"}[kind]
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip(name, f"{kind}.{shape}")))
        process.wait(UplinkReported, flowing)
        packets = lambda: media_server.sessions(name)[0]["packets"]  # noqa: E731
        wait_for(lambda: packets()[other] > 40, 10, "the other medium")
        assert packets()[kind] == 0, "nothing is sent of what was refused"
        assert process.said(UplinkReported, flowing)[-1].refused == (KINDS[kind],)
        if kind == "video":
            process.wait(DeviceReported, lambda r: r.device == "camera" and not r.open)
        assert process.stop() == 0
    assert media_server.sessions(name) == []


@pytest.mark.parametrize("how", ["", ".anyway"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_other_medium_is_played(media_server: MediaServer, kind: str, how: str) -> None:
    name = f"hub-{kind}{how}"
    shapes = [*SHAPES][:4] if kind == "video" else [*SHAPES][2:]
    urls = [media_server.whep(name, f"{kind}.{shape}{how}") for shape in shapes]
    with Publisher(media_server.whip(name)), MediaProcess(room()) as process:
        process.start(plan(play=urls))
        for url in urls:
            process.wait(DownlinkReported, lambda r, url=url: r.url == url and flowing(r))
        process.wait(Measured, lambda m: {*map(refused, m.figures.downlinks)} == {KINDS[kind]}, 40)
        assert process.stop() == 0
