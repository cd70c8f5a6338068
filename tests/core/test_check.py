"""The check by command: one at a time, seen and heard of, and never in a meeting's way."""

from __future__ import annotations

from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.announcement import Checking
from agent.core.model.commands import AckDetail, AckState, Code
from agent.core.model.documents import CheckFinding, DeviceStatus, HealthDocument, Status
from agent.core.model.events import (
    CheckEnded,
    DevicesBorrowed,
    DevicesProbed,
    DevicesReturned,
    HostSampled,
)
from agent.core.participation.check import LATE_SECONDS
from tests.core.playbook import HOST, PROFILE, Playbook

SCREEN = structs.replace(PROFILE, has_screen=True)
GOOD = CheckFinding("camera", "camera-ok", "ok")
BLACK = CheckFinding("camera", "camera-black", "failed", "brightness 2", "uncover-the-lens")


def checking() -> Playbook:
    play = Playbook(SCREEN)
    play.command("check", id="k")
    return play


def health(play: Playbook) -> HealthDocument:
    play.tell(HostSampled(HOST))
    return play.all(do.PublishHealth)[-1].health


def test_it_is_seen_while_it_looks_and_stands_in_the_audit() -> None:
    play = checking()
    order = [type(e) for e in play.effects if isinstance(e, do.SetLamp | do.StartCheck)]
    assert order == [do.SetLamp, do.StartCheck]
    assert play.all(do.StartMedia)[-1].plan.announcement == Checking()
    play.tell(DevicesBorrowed("loan", ("camera",), "uid 0 pid 1"))
    opened = play.all(do.PublishEvent)[-1].event
    assert (opened.type, opened.detail.asked_by) == ("device-opened", "hub, check k")
    play.tell(DevicesReturned("loan"))
    assert play.events()[-1] == "device-closed"
    play.tell(CheckEnded(1, [GOOD], complete=True))
    assert play.all(do.SetLamp)[-1].mode == "off"
    ack = play.acks("k")[-1]
    assert (ack.state, ack.detail.verdict) == (AckState.SUCCEEDED, "go")


def test_health_keeps_the_verdict_until_it_is_old_or_a_device_has_gone() -> None:
    play = checking()
    play.tell(CheckEnded(1, [GOOD], complete=True))
    assert health(play).readiness.verdict == "go"
    play.tell(DevicesProbed({"camera": DeviceStatus(Status.ABSENT, "absent", "")}))
    assert health(play).readiness.verdict == "unknown"
    play.tell(DevicesProbed({"camera": DeviceStatus(Status.OK, "ok", "")}))
    assert health(play).readiness.verdict == "go"
    play.wait(4 * 3600 + 1)
    assert health(play).readiness.verdict == "unknown"
    assert health(play).readiness.findings == [GOOD]


def test_a_part_can_only_say_no() -> None:
    play = checking()
    play.tell(CheckEnded(1, [GOOD], complete=False))
    assert play.acks("k")[-1].detail.verdict == "unknown"
    play.command("check", id="l", parts=["camera"])
    play.tell(CheckEnded(2, [BLACK], complete=False))
    assert play.acks("l")[-1].detail == AckDetail(verdict="no-go", findings=[BLACK])


def test_a_join_takes_the_devices_away_from_it_at_once() -> None:
    play = checking()
    effects = play.join()
    acts = [e for e in effects if isinstance(e, do.StopCheck | do.StartMedia | do.StopMedia)]
    assert isinstance(acts[0], do.StopCheck)
    assert play.acks("k")[-1].code is Code.WITHDRAWN
    assert play.all(do.SetLamp)[-1].mode == "muted"
    play.tell(CheckEnded(1, [BLACK]))
    assert health(play).readiness.verdict == "unknown"


def test_one_at_a_time_and_not_on_the_way_in_or_out() -> None:
    play = checking()
    play.command("check", id="l")
    assert play.acks("l")[-1].code is Code.BUSY
    play = Playbook()
    play.join()
    play.command("check", id="m")
    assert (play.acks("m")[-1].state, play.acks("m")[-1].code) == (AckState.REJECTED, Code.BUSY)
    assert not play.all(do.StartCheck)


def test_in_a_meeting_it_opens_nothing_and_goes_on() -> None:
    play = Playbook(SCREEN)
    play.enter()
    before = len(play.all(do.SetLamp))
    play.command("check", id="k")
    assert play.all(do.StartCheck)
    assert len(play.all(do.SetLamp)) == before
    play.tell(CheckEnded(1, [GOOD], complete=True))
    assert play.acks("k")[-1].state is AckState.SUCCEEDED


def test_one_that_hangs_or_breaks_down_is_answered() -> None:
    play = checking()
    play.wait(91)
    assert play.acks("k")[-1].code is Code.TIMEOUT
    assert do.StopCheck() in play.effects
    play.command("check", id="l")
    play.tell(CheckEnded(2, error="it broke down"))
    assert play.acks("l")[-1].code is Code.CHECK_FAILED


def test_on_a_slow_board_the_doctor_has_more_time() -> None:
    play = Playbook(structs.replace(PROFILE, slowness=4.0))
    play.command("check", id="k")
    play.wait(LATE_SECONDS * 4 - 1)
    assert play.acks("k")[-1].state == AckState.RUNNING
    play.wait(1)
    assert play.acks("k")[-1].code == Code.TIMEOUT
