"""Devices that are unplugged, break and come back in the middle of a meeting, which goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.process.conftest import Site
from tests.support.broker import Broker, Hub, wait_until
from tests.support.room import Room


def wait_device(site: Site, device: str, **wanted: str) -> dict[str, Any]:
    """Until the newest health document says this of the device."""

    def found() -> dict[str, Any] | None:
        told: dict[str, Any] = site.health()["devices"][device]
        return told if all(told[key] == value for key, value in wanted.items()) else None

    told: dict[str, Any] = wait_until(found, f"{device} {wanted} in health", 30)
    return told


def break_with(site: Site, device: str, fault: str) -> None:
    (site.room.folder / device).write_text(fault)


@pytest.mark.parametrize("device", ["camera", "microphone", "speaker"])
def test_a_device_unplugged_in_a_meeting_is_told_and_used_again_when_it_is_back(
    site: Site, device: str
) -> None:
    assert site.join(microphone="live")["state"] == "succeeded"
    process = site.media_process()
    break_with(site, device, "unplugged")
    wait_until(lambda: site.health()["devices"][device]["status"] != "ok", "the fault", 30)
    told = site.health()["devices"][device]
    assert "check its cable" in told["text"]
    assert any(device in str(event) for event in site.events("fault"))
    break_with(site, device, "")
    wait_device(site, device, status="ok")
    wait_until(lambda: device in site.room.open_devices(), f"{device} open again", 30)
    assert site.media_process().pid == process.pid, (
        "the same media process, and so the same meeting"
    )
    assert site.phases()[-1] == "in-meeting"


@pytest.mark.parametrize(
    ("device", "fault", "code"),
    [
        ("camera", "black", "black"),
        ("microphone", "dead", "dead"),
        ("camera", "stalled", "stalled"),
    ],
)
def test_a_device_that_breaks_in_a_meeting_is_a_named_fault_that_goes_away(
    site: Site, device: str, fault: str, code: str
) -> None:
    assert site.join(microphone="live")["state"] == "succeeded"
    break_with(site, device, fault)
    told = wait_device(site, device, code=code)
    assert told["text"].startswith(f"{device.capitalize()}: ")
    break_with(site, device, "")
    wait_device(site, device, code="ok")
    assert site.phases()[-1] == "in-meeting"


def test_a_panel_or_relay_that_cannot_be_had_at_the_start_is_a_fault_and_no_reason_to_stay_away(
    room: Room, broker: Broker
) -> None:
    room.folder.mkdir(exist_ok=True)
    for device in ("panel", "display"):
        (room.folder / device).write_text("busy")
    root = room.settings["hub"]["topic_root"]
    with Hub(broker.port, [f"{root}/#"]) as hub:
        room.start()
        health = hub.wait_for(f"{root}/room/room-a/health").document["devices"]
    assert (health["panel"]["status"], health["panel"]["code"]) == ("failed", "busy")
    assert (health["display"]["status"], health["display"]["code"]) == ("failed", "busy")
