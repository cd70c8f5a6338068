"""The room takes part, in a real daemon: the floor, a call that rings, a check by command."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.process.conftest import Site
from tests.support.broker import free_port
from tests.support.media_server import MediaServer
from tests.support.waiting import wait_for

UP = ("media-session-ok", "media-session-lossy", "media-session-far")
"""There was a session; a busy machine loses packets and is late, which is said."""


def finger(site: Site, word: str) -> None:
    with (site.room.folder / "mute-button").open("w") as fifo:
        fifo.write(f"{word}\n")


def lamp(site: Site) -> str:
    log = site.room.folder / "lamp.log"
    return log.read_text().split()[-1] if log.exists() else "off"


def test_a_planted_fault_is_found_by_command_and_kept_in_health(site: Site) -> None:
    (site.room.folder / "camera").write_text("black")
    ack = site.command("check", parts=["camera", "clock"], sound="off")
    found = {one["code"]: one for one in ack["detail"]["findings"]}
    assert ack["detail"]["verdict"] == "no-go"
    assert found["camera-black"]["advice"] == "uncover-the-lens"
    assert [event["detail"]["device"] for event in site.events("device-opened")] == ["camera"]
    assert "check" in site.events("device-opened")[0]["detail"]["asked_by"]
    wait_for(lambda: site.health()["readiness"]["verdict"] == "no-go", 5, "health keeps it")
    wait_for(lambda: lamp(site) == "off", 5, "the lamp goes off")


def test_a_check_tries_a_session_that_opens_no_device(
    site: Site, media_server: MediaServer
) -> None:
    ack = site.command("check", parts=["media-server"])
    answers, tried = ack["detail"]["findings"][:2]
    assert answers["code"] == "media-server-ok"
    assert tried["code"] in UP, ack
    session = tried["session"]
    assert session["path"]["transport"] == "udp"
    assert {"set_up_milliseconds", "round_trip_milliseconds"} <= session.keys()
    assert site.events("device-opened") == []
    assert [one for one in media_server.sessions() if "doctor" in one["name"]] == []


def test_in_a_meeting_a_check_says_what_the_meeting_shows(site: Site) -> None:
    site.join()
    wait_for(lambda: (site.health()["media"] or {}).get("uplink"), 40, "the meeting's figures")
    ack = site.command("check", parts=["media-server"])
    found = ack["detail"]["findings"][0]
    assert found["code"] in UP, ack
    assert "set_up_milliseconds" not in found["session"]


def test_a_join_does_not_wait_for_a_check(site: Site) -> None:
    site.hub.send(f"{site.topic}/cmd/check", {"id": "k", "sound": "off"})
    site.hub.wait_for(f"{site.topic}/ack/k", lambda ack: ack["state"] == "running")
    assert site.join()["state"] == "succeeded"
    final = site.hub.wait_for(f"{site.topic}/ack/k", lambda ack: ack["seq"] == 3)
    assert final.document["code"] == "withdrawn"
    commands = [Path(f"/proc/{process.pid}/cmdline").read_text() for process in site.children()]
    assert not [one for one in commands if "check_process" in one]


def test_a_call_rings_in_standby_opens_no_microphone_and_a_press_joins(site: Site) -> None:
    meeting = {"id": f"bao-{os.getpid()}"}
    site.hub.send(f"{site.topic}/cmd/call", {"id": "c", "meeting": meeting, "volume": 80})
    wait_for(lambda: lamp(site) == "called", 5, "the lamp flashes")
    sound = site.room.speaker_recording
    wait_for(lambda: sound.exists() and sound.stat().st_size > 48_000, 20, "the chime is played")
    assert any(sound.read_bytes()[1000:]), "and it is no silence"
    opened = set(site.room.open_devices())
    assert not {"camera", "microphone"} & opened
    finger(site, "press")
    finger(site, "release")
    final = site.hub.wait_for(f"{site.topic}/ack/c", lambda ack: ack["seq"] == 3, seconds=40)
    assert final.document["state"] == "succeeded"
    assert final.document["detail"]["answered"] is True
    assert site.events("call-answered")[0]["detail"]["meeting"] == meeting["id"]


def test_without_the_floor_the_room_stays_muted_and_the_hand_is_seen(site: Site) -> None:
    site.join(floor="request", microphone="live")
    state = site.wait_state(microphone="muted")
    assert state["floor"]["mode"] == "request"
    assert site.command("unmute")["code"] == "no-floor"
    finger(site, "press")
    finger(site, "release")
    wait_for(lambda: site.events("hand-raised") != [], 5, "the hand is up")
    wait_for(lambda: lamp(site) == "hand", 5, "the lamp says so")
    assert site.command("floor", state="given")["state"] == "succeeded"
    site.wait_state(microphone="live")
    assert re.fullmatch("on", lamp(site))


def test_a_join_that_failed_comes_true_when_the_media_server_does(site: Site) -> None:
    """A storm call to a room whose router boots needs no second call (docs/decisions/014)."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    failed = site.join(publish={"url": f"{url}/late/whip"}, play=[], timeout_seconds=6)
    assert failed["state"] == "failed"
    assert failed["detail"]["again_in_seconds"] >= 5
    waiting = site.wait_state(phase="standby", camera="off", microphone="off")["retry"]
    assert (waiting["meeting"], waiting["tries"]) == ("giao-ban", 1)
    watched = ("camera", "microphone")
    wait_for(lambda: not site.room.live_processes(*watched), 20, "nothing open between the tries")
    with MediaServer(port=port):
        state = site.wait_state(90, phase="in-meeting")
        assert state["retry"] is None
        assert site.events("joining-again")[0]["detail"]["attempt"] >= 2
        assert site.command("leave")["state"] == "succeeded"
