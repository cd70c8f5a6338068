"""The lines of the media in `diemcau status` and `diemcau test media`, from what the core publishes."""

from __future__ import annotations

import msgspec
import pytest

from agent.cli.media_lines import STATES, media_lines
from agent.core.model.documents import HealthDocument, MediaHealth, Status, UplinkHealth
from agent.core.model.events import HostSampled
from agent.core.model.figures import (
    DownlinkFigures,
    LinkState,
    MediaFigures,
    Path,
    UplinkFigures,
)
from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from tests.core.playbook import HOST, SERVER, Playbook


def printed(play: Playbook) -> list[tuple[str, bool, str]]:
    """What a client prints of the document that it was sent."""
    play.tell(HostSampled(HOST))
    sent = msgspec.json.encode(play.room.health.latest)
    media = msgspec.json.decode(sent, type=HealthDocument).media
    return list(media_lines(media))


def test_a_link_says_why_it_does_not_flow_before_the_first_figures_and_after_them() -> None:
    """The figures had the keys `state` and `text` too, and so no link had its text any more."""
    play = Playbook()
    url = f"{SERVER}/a/whep?token=s3cret"
    play.enter(play=[{"url": url, "label": "Đất Mũi"}])
    play.report(UplinkReported("refused", "403 Forbidden"))
    play.report(DownlinkReported(url, "stalled", "nothing for 5 s"))
    assert printed(play) == [
        ("sending", False, "refused by the server, 403 Forbidden"),
        ("receiving", False, "Đất Mũi: nothing arrives any more, nothing for 5 s"),
    ]
    up = UplinkFigures(
        picture_bits_per_second=900_000,
        picture_loss_percent=1.0,
        sound_loss_percent=2.5,
        round_trip_milliseconds=41.2,
    )
    down = DownlinkFigures(url=url, frames_per_second=24.6)
    play.report(Measured(MediaFigures(uplink=up, downlinks=[down])))
    assert printed(play) == [
        (
            "sending",
            False,
            "refused by the server, 403 Forbidden, picture 900 kbit/s, loss 2.5 %, round trip 41 ms",
        ),
        (
            "receiving",
            False,
            "Đất Mũi: nothing arrives any more, nothing for 5 s, 25 pictures/s",
        ),
    ]


def test_figures_find_their_source_though_two_differ_in_their_secrets_alone() -> None:
    play = Playbook()
    urls = [f"{SERVER}/a/whep?token={token}" for token in ("one", "two")]
    play.enter(play=[{"url": url, "label": url[-3:]} for url in urls])
    downlinks = [DownlinkFigures(url=url, frames_per_second=n) for n, url in enumerate(urls, 24)]
    play.report(Measured(MediaFigures(downlinks=downlinks)))
    assert [text for _, _, text in printed(play)[1:]] == [
        "one: 24 pictures/s",
        "two: 25 pictures/s",
    ]
    assert b"token" not in msgspec.json.encode(play.room.health.latest)


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_link_has_its_line(state: LinkState) -> None:
    up = UplinkHealth(state=state, text="why")
    media = MediaHealth(status=Status.OK, code="ok", text="", uplink=up, downlinks=[])
    ((name, flows, text),) = media_lines(media)
    assert (name, flows) == ("sending", state == "flowing")
    assert text.endswith("why")


def test_a_decoder_that_failed_is_named_with_the_one_that_took_over() -> None:
    play = Playbook()
    url = f"{SERVER}/a/whep"
    play.enter(play=[{"url": url, "label": "Đất Mũi"}])
    failed = {"v4l2h264dec": "Failed to allocate required memory."}
    down = DownlinkFigures(url=url, decoder="avdec_h264", decoders_failed=failed)
    play.report(Measured(MediaFigures(downlinks=[down])))
    assert printed(play)[-1][2].endswith("avdec_h264 decodes, v4l2h264dec failed")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (Path(transport="udp", local_family="ipv4"), "direct, UDP"),
        (Path(transport="tcp", local_family="ipv6"), "direct, TCP, IPv6"),
        (Path(transport="tls", relay="turn.example:443"), "relayed by turn.example:443, TLS"),
    ],
)
def test_the_way_through_the_network_is_told(path: Path, words: str) -> None:
    play = Playbook()
    url = f"{SERVER}/a/whep"
    play.enter(play=[{"url": url, "label": "Đất Mũi"}])
    down = DownlinkFigures(url=url, path=path, round_trip_milliseconds=31.2)
    play.report(Measured(MediaFigures(uplink=UplinkFigures(path=path), downlinks=[down])))
    (_, _, sent), (_, _, received) = printed(play)
    assert sent.endswith(words)
    assert received == f"Đất Mũi: round trip 31 ms, {words}"


def test_what_a_server_refuses_is_told_of_either_way() -> None:
    play = Playbook()
    url = f"{SERVER}/a/whep"
    play.enter(play=[{"url": url, "label": "Đất Mũi"}])
    up, down = UplinkFigures(refused=["sound"]), DownlinkFigures(url=url, refused=["picture"])
    play.report(Measured(MediaFigures(uplink=up, downlinks=[down])))
    (_, _, sent), (_, _, received) = printed(play)
    assert "without sound" in sent
    assert "without picture" in received
