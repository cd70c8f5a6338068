"""A session with the media server, tried by the doctor: what is said of it, and that it leaves nothing behind."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from agent.core.model.documents import (
    DownlinkHealth,
    MediaHealth,
    SessionFigures,
    Status,
    UplinkHealth,
)
from agent.core.model.figures import LinkState, Path
from agent.diagnostics.advice import advice_code
from agent.diagnostics.checks import media_session
from agent.diagnostics.report import Finding
from agent.diagnostics.session_trial import SessionFailed, Tried, address_back
from tests.cli.conftest import Bench
from tests.support.media_server import MediaServer

GOOD = SessionFigures(
    set_up_milliseconds=310,
    round_trip_milliseconds=24.0,
    sent_loss_percent=0.0,
    received_loss_percent=0.0,
    path=Path(transport="udp", remote_address="203.0.113.5:8189"),
)
LOSSY = SessionFigures(received_loss_percent=12.0)
FAR = SessionFigures(round_trip_milliseconds=900.0)


@pytest.mark.parametrize(
    ("url", "back"),
    [
        ("https://a/whip-room/x/whip", "https://a/whip-room/x/whep"),
        ("https://a/whip/endpoint/x", "https://a/whep/endpoint/x"),
        ("https://a/api/webrtc?dst=x", "https://a/api/webrtc?src=x"),
        ("https://a/app/x?direction=whip", "https://a/app/x?direction=whep"),
        ("https://whips/x", None),
    ],
)
def test_the_address_that_plays_what_is_published(url: str, back: str | None) -> None:
    assert address_back(url) == back


def codes(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code.removeprefix("media-session-"), finding.outcome) for finding in found]


@pytest.mark.parametrize(
    ("tried", "plays", "expected"),
    [
        (Tried(GOOD, returned="flowing"), True, [("ok", "ok")]),
        (Tried(GOOD), True, [("ok", "ok")]),
        (Tried(GOOD, returned="refused"), False, [("ok", "ok")]),
        (Tried(GOOD, returned="refused", text="404"), True, [("not-returned", "warning")]),
        (Tried(GOOD, returned="connected"), True, [("not-returned", "failed")]),
        (Tried(GOOD, ("picture",), "flowing"), True, [("half-refused", "warning")]),
        (Tried(LOSSY, returned="flowing"), True, [("lossy", "warning")]),
        (Tried(FAR, returned="flowing"), True, [("far", "warning")]),
    ],
)
def test_what_came_of_a_session(tried: Tried, plays: bool, expected: list[object]) -> None:
    found = media_session.judge(tried, plays=plays)
    assert codes(found) == expected
    assert all(finding.session == tried.figures for finding in found)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("refused", "call-the-hub"),
        ("unreachable", "open-the-firewall"),
        ("wrong-peer", "call-the-hub"),
        ("crashed", "reinstall"),
    ],
)
def test_a_session_that_did_not_come_up(code: str, advice: str) -> None:
    finding = media_session.not_up(SessionFailed(code, "UDP 8189 at 203.0.113.5"))
    assert finding.outcome == "failed"
    assert advice_code(finding) == advice
    assert all((finding.title, finding.evidence, finding.cause, finding.advice))


def meeting(state: LinkState | None) -> MediaHealth:
    up = UplinkHealth(state=state, text="", round_trip_milliseconds=24.0) if state else None
    down = DownlinkHealth(url="https://a", label="a", state="flowing", text="")
    return MediaHealth(
        status=Status.OK, code="ok", text="", uplink=up, downlinks=[] if up else [down]
    )


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("flowing", "ok"),
        ("stalled", "stalled"),
        ("unreachable", "no-path"),
        ("refused", "refused"),
        (None, "ok"),
    ],
)
def test_in_a_meeting_its_own_figures_say_it(state: LinkState | None, code: str) -> None:
    (found,) = media_session.of_meeting(meeting(state))
    assert found.code == f"media-session-{code}"


def test_all_figures_stand_in_one_line() -> None:
    assert media_session.describe(GOOD) == (
        "set up in 310 ms, round trip 24 ms, 0 % lost going, 0 % lost coming, direct, UDP, 203.0.113.5:8189"
    )
    assert media_session.describe(SessionFigures()) == ""


MakeBench = Callable[..., Bench]


def test_a_test_picture_goes_there_and_comes_back_and_nothing_is_left(
    make_bench: MakeBench, media_server: MediaServer
) -> None:
    bench = make_bench()
    found = bench.doctor("media-server")
    assert found.codes("failed") == [], found.sections
    finding = found.sections[0]["findings"][1]
    assert finding["session"]["path"]["transport"] == "udp"
    assert {"set_up_milliseconds", "round_trip_milliseconds"} <= finding["session"].keys()
    assert media_server.sessions("diemcau-doctor-lung-cu-lung-cu") == []
    assert bench.room.open_devices() == []


def test_an_address_that_is_every_meetings_gets_no_test_picture(make_bench: MakeBench) -> None:
    bench = make_bench()
    url = bench.room.settings["media"]["publish_url"]
    bench.room.settings["media"]["publish_url"] = url.replace("{meeting}", "phong")
    bench.write_settings()
    found = bench.doctor("media-server")
    assert found.codes("skipped") == ["media-session-none"]
    assert found.codes("ok") == ["media-server-ok"]


def test_a_server_that_answers_and_takes_no_stream(
    make_bench: MakeBench, media_server: MediaServer
) -> None:
    bench = make_bench()
    bench.room.settings["media"]["publish_url"] = f"{media_server.url}/{{meeting}}/nothing-here"
    bench.write_settings()
    found = bench.doctor("media-server")
    assert found.troubles == ["media-session-refused"]
    assert "404" in found.finding("media-session-refused")["evidence"]


@pytest.mark.parametrize(
    ("own_token", "troubles", "skipped"),
    [(None, [], ["media-session-no-token"]), ("of-before", ["media-session-refused"], [])],
)
def test_a_house_whose_tokens_come_with_the_joins_has_nothing_wrong(
    make_bench: MakeBench,
    tmp_path: pathlib.Path,
    own_token: str | None,
    troubles: list[str],
    skipped: list[str],
) -> None:
    with MediaServer(token="of-the-join") as server:
        bench = make_bench(media_url=server.url)
        if own_token:
            (tmp_path / "token").write_text(own_token)
            bench.room.settings["media"]["token_file"] = str(tmp_path / "token")
            bench.write_settings()
        found = bench.doctor("media-server")
    assert (found.troubles, found.codes("skipped")) == (troubles, skipped), found.sections
    assert found.codes("ok") == ["media-server-ok"]
