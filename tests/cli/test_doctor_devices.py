"""The doctor finds each fault that a simulated device can have, alone and in pairs, and names it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Bench

FAULTS = {
    ("camera", "unplugged"): "camera-absent",
    ("camera", "busy"): "camera-busy",
    ("camera", "stalled"): "camera-stalled",
    ("camera", "slow"): "camera-slow",
    ("camera", "black"): "camera-black",
    ("camera", "frozen"): "camera-frozen",
    ("microphone", "unplugged"): "microphone-absent",
    ("microphone", "busy"): "microphone-busy",
    ("microphone", "stalled"): "microphone-stalled",
    ("microphone", "slow"): "microphone-slow",
    ("microphone", "dead"): "microphone-dead",
    ("microphone", "quiet"): "microphone-too-quiet",
    ("microphone", "clipping"): "microphone-clipping",
    ("speaker", "unplugged"): "speaker-absent",
    ("speaker", "busy"): "speaker-busy",
    ("speaker", "stalled"): "speaker-stalled",
    ("speaker", "slow"): "speaker-slow",
    ("speaker", "dead"): "speaker-silent",
    ("display", "unplugged"): "display-absent",
    ("display", "stuck"): "display-stuck",
    ("panel", "unplugged"): "panel-absent",
}
"""(device, fault) -> the finding's code."""

MILD = {
    "camera-slow",
    "microphone-slow",
    "microphone-too-quiet",
    "microphone-clipping",
    "speaker-slow",
}
"""A meeting is possible all the same: warnings."""

BUSY_MACHINE = {"media-session-lossy", "media-session-far"}
"""What a machine that runs other tests beside it may say of its own network."""

DEVICES = ("camera", "microphone", "speaker", "display", "panel")

PAIRS = [
    (("camera", "black"), ("microphone", "clipping")),
    (("camera", "unplugged"), ("speaker", "stalled")),
    (("camera", "slow"), ("display", "stuck")),
    (("microphone", "quiet"), ("panel", "unplugged")),
    (("microphone", "unplugged"), ("speaker", "unplugged")),
    (("speaker", "dead"), ("display", "stuck")),
    (("camera", "frozen"), ("panel", "unplugged")),
]


def test_a_healthy_room_gives_no_warning(healthy: Bench) -> None:
    found = healthy.doctor()
    assert set(found.troubles) <= BUSY_MACHINE
    assert found.exit_code == 0
    assert [section["group"] for section in found.sections] == [
        *("settings", "service", "clock", "power", "storage", "network", "hub", "media-server"),
        *DEVICES,
    ]
    well = {
        "camera-ok",
        "microphone-ok",
        "speaker-ok",
        "display-relay-ok",
        "panel-ok",
        "hub-ok",
        "media-server-ok",
    }
    assert well <= set(found.codes("ok"))


@pytest.mark.parametrize(("device", "fault"), FAULTS, ids=lambda word: word)
def test_a_fault_is_named_right(healthy: Bench, device: str, fault: str) -> None:
    code = FAULTS[device, fault]
    healthy.break_device(device, fault)
    found = healthy.doctor(device)
    assert found.troubles == [code]
    finding = found.finding(code)
    unjudged = finding.get("busy", False)  # tests beside this one took the processor
    assert found.exit_code == (0 if code in MILD or unjudged else 1)
    assert all(finding[part] for part in ("title", "evidence", "cause", "advice"))


@pytest.mark.parametrize(
    ("one", "other"),
    PAIRS,
    ids="-".join,
)
def test_two_faults_are_both_named(
    healthy: Bench, one: tuple[str, str], other: tuple[str, str]
) -> None:
    for device, fault in (one, other):
        healthy.break_device(device, fault)
    found = healthy.doctor(one[0], other[0])
    assert set(found.troubles) == {FAULTS[one], FAULTS[other]}


def test_everything_broken_at_once_is_all_named(healthy: Bench) -> None:
    faults = [("camera", "black"), ("microphone", "dead"), ("speaker", "unplugged")]
    faults += [("display", "stuck"), ("panel", "unplugged")]
    for device, fault in faults:
        healthy.break_device(device, fault)
    assert healthy.doctor(*DEVICES).troubles == [FAULTS[fault] for fault in faults]


def test_a_dead_loudspeaker_is_not_blamed_when_the_microphone_is_deaf(healthy: Bench) -> None:
    healthy.break_device("microphone", "dead")
    found = healthy.doctor("microphone", "speaker")
    assert found.troubles == ["microphone-dead"]
    assert found.codes("skipped") == ["speaker-unheard"]


def test_quiet_makes_no_sound(healthy: Bench) -> None:
    assert healthy.doctor("speaker", "--quiet").codes("skipped") == ["speaker-quiet"]
