"""A conductor as a process, with rooms' daemons at a real Mosquitto."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from agent.conductor.core.model.acts import End, Extend, Give, StartMeeting, Take
from agent.conductor.core.refused import Refused
from agent.conductor.requests import ShowMinutes
from tests.support.hub_site import HubSite
from tests.support.waiting import wait_for

ROOMS = ("xa-a", "xa-b", "xa-c")


def present(hub: HubSite, *rooms: str, meeting: str = "hop") -> bool:
    statuses = hub.conductor.statuses(meeting)
    return all(statuses[room] == "present" for room in rooms)


def test_a_meeting_of_three_rooms_from_call_to_end(make_hub: Callable[..., HubSite]) -> None:
    hub = make_hub(*ROOMS)
    hub.conductor.ask(StartMeeting("hop", list(ROOMS), chair="xa-a", title="Giao ban"))
    wait_for(lambda: present(hub, *ROOMS), 20, f"all there: {hub.conductor.tail()}")
    assert {hub.meeting_of(room) for room in ROOMS} == {"hop"}
    hub.conductor.ask(Give("hop", "xa-b"))
    assert [one.room for one in hub.conductor.meeting("hop").holders] == ["xa-b"]
    hub.conductor.ask(End("hop"))
    wait_for(lambda: {hub.meeting_of(room) for room in ROOMS} == {None}, 20, "all have left")
    found = hub.conductor.ask(ShowMinutes("hop")).minutes
    assert found is not None
    assert sorted({span.room for span in found.presence}) == list(ROOMS)


def test_the_second_conductor_refuses(make_hub: Callable[..., HubSite]) -> None:
    hub = make_hub(*ROOMS[:2])
    hub.conductor.ask(StartMeeting("hop", ["xa-a"], chair="xa-a"))
    other = hub.make_conductor("other")
    other.start()
    try:
        other.wait_linked()

        def refused() -> str:
            try:
                other.ask(StartMeeting("hop", ["xa-b"], chair="xa-b"))
            except Refused as error:
                return error.code
            return ""

        assert refused() == "run-elsewhere"
    finally:
        other.stop()
    same = hub.make_conductor("hub")
    same.start()
    assert same.wait(60) == 1, "one journal and socket have one conductor"
    assert "already" in same.tail()


def test_a_killed_conductor_finds_its_meeting_and_nobody_leaves(
    make_hub: Callable[..., HubSite],
) -> None:
    hub = make_hub(*ROOMS[:2])
    hub.conductor.ask(StartMeeting("hop", ["xa-a", "xa-b"], chair="xa-a"))
    wait_for(lambda: present(hub, "xa-a", "xa-b"), 20, "all there")
    for _ in range(3):
        hub.conductor.kill()
        assert {hub.meeting_of("xa-a"), hub.meeting_of("xa-b")} == {"hop"}
        hub.conductor.start()
        hub.conductor.wait_linked()
        wait_for(lambda: present(hub, "xa-a", "xa-b"), 5, "all there, five seconds after")
    found = hub.conductor.ask(ShowMinutes("hop")).minutes
    assert found is not None
    present_still = sorted((span.room, span.end) for span in found.presence)
    assert present_still == [("xa-a", None), ("xa-b", None)]


def test_a_broker_that_restarts_costs_nobody_the_meeting(make_hub: Callable[..., HubSite]) -> None:
    hub = make_hub(*ROOMS[:2])
    hub.conductor.ask(StartMeeting("hop", ["xa-a", "xa-b"], chair="xa-a"))
    wait_for(lambda: present(hub, "xa-a", "xa-b"), 20, "all there")
    hub.broker.kill()
    wait_for(lambda: hub.meeting_of("xa-b") == "hop", 5, "the room needs no hub")
    hub.broker.start()
    hub.conductor.wait_linked(30)
    wait_for(lambda: present(hub, "xa-a", "xa-b"), 30, "all there again")


def test_a_silent_room_is_found_and_a_late_one_is_welcome(make_hub: Callable[..., HubSite]) -> None:
    import os

    hub = make_hub(*ROOMS[:2])
    os.kill(hub.rooms["xa-b"].pid, signal.SIGSTOP)
    try:
        hub.conductor.ask(StartMeeting("hop", ["xa-a", "xa-b"], chair="xa-a"))
        wait_for(lambda: hub.conductor.statuses("hop")["xa-b"] == "silent", 15, "found silent")
    finally:
        os.kill(hub.rooms["xa-b"].pid, signal.SIGCONT)
    wait_for(lambda: present(hub, "xa-a", "xa-b"), 30, "the late one is there")


def test_the_end_reaches_a_room_that_was_without_power(make_hub: Callable[..., HubSite]) -> None:
    hub = make_hub(*ROOMS[:2])
    hub.conductor.ask(StartMeeting("hop", ["xa-a", "xa-b"], chair="xa-a"))
    wait_for(lambda: present(hub, "xa-a", "xa-b"), 20, "all there")
    hub.rooms["xa-b"].kill()
    hub.conductor.ask(End("hop"))
    wait_for(lambda: hub.meeting_of("xa-a") is None, 20, "the other has left")
    hub.start_room(hub.rooms["xa-b"])
    wait_for(lambda: hub.meeting_of("xa-b") is None, 30, "it leaves what is over")


def test_on_a_full_disk_only_what_closes_is_done_and_nothing_is_lost(
    make_hub: Callable[..., HubSite],
) -> None:
    hub = make_hub(*ROOMS[:2])
    conductor = hub.conductor
    conductor.ask(StartMeeting("hop", ["xa-a", "xa-b"], chair="xa-a"))
    wait_for(lambda: present(hub, "xa-a", "xa-b"), 20, "all there")
    conductor.ask(Give("hop", "xa-b"))
    wait_for(lambda: hub.holds_floor("xa-b"), 20, "it speaks")
    resource.prlimit(conductor.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    with pytest.raises(Refused) as refused:
        conductor.ask(Extend("hop", datetime.now(UTC) + timedelta(hours=1)))
    assert refused.value.code == "journal-failed"
    assert "cannot be written" in conductor.ask(Take("hop", "xa-b")).warning
    wait_for(lambda: not hub.holds_floor("xa-b"), 20, "it speaks no more")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(conductor.pid, resource.RLIMIT_FSIZE, unlimited)
    assert conductor.ask(Give("hop", "xa-b")).warning == ""
    conductor.kill()
    conductor.start()
    conductor.wait_linked()
    found = conductor.ask(ShowMinutes("hop")).minutes
    assert found is not None
    assert [(span.room, span.end is None) for span in found.floor] == [
        ("xa-b", False),
        ("xa-b", True),
    ]


@pytest.mark.parametrize("line", [b"{}", b"[]", b"\xff", b'{"type": "give"}', b'{"type": "nope"}'])
def test_a_line_that_makes_no_sense_is_refused(
    make_hub: Callable[..., HubSite], line: bytes
) -> None:
    import json
    import socket

    hub = make_hub()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.connect(hub.conductor.settings["conductor"]["socket"])
        client.sendall(line + b"\n")
        answer = json.loads(client.makefile().readline())
    assert (answer["type"], answer["code"]) == ("error", "bad-request")
