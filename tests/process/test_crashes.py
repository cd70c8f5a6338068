"""What is left of a meeting when something is killed in the middle of it: nothing, or the meeting."""

from __future__ import annotations

import psutil

from tests.process.conftest import Site, kill
from tests.support.broker import wait_until


def test_a_killed_media_process_is_reported_and_the_meeting_rejoined(site: Site):
    assert site.join(microphone="live")["state"] == "succeeded"
    first = site.media_process()
    kill(first.pid)
    site.wait_state(phase="reconnecting")
    state = site.wait_state(phase="in-meeting")
    assert site.media_process().pid != first.pid
    assert state["meeting"]["id"] == "giao-ban"
    assert state["microphone"] == "live", "who was live before is live again"
    assert site.phases()[-3:] == ["in-meeting", "reconnecting", "in-meeting"]
    (restarted,) = site.events("media-restarted")
    assert f"media process {first.pid} was killed by SIGKILL" in restarted["text"]


def test_a_killed_daemon_leaves_no_media_process_and_is_back_in_the_meeting_when_restarted(
    site: Site,
):
    assert site.join(microphone="live")["state"] == "succeeded"
    process = site.media_process()
    kill(site.room.pid)
    gone = psutil.wait_procs([process], timeout=60)[0]
    assert gone, "the media process dies with the daemon"
    site.wait_state(connection="lost")
    site.room.start()
    state = site.wait_state(connection="online", phase="in-meeting")
    assert state["meeting"]["id"] == "giao-ban"
    assert state["microphone"] == "muted", "nobody may be heard who does not know it"
    assert site.command("leave")["state"] == "succeeded"
    assert site.room.open_devices() == ["display", "panel"]


def test_leaving_closes_everything_even_if_the_media_process_has_to_be_killed(site: Site):
    assert site.join()["state"] == "succeeded"
    assert {"camera", "microphone"} <= set(site.room.open_devices())
    process = site.media_process()
    process.suspend()
    assert site.command("leave")["state"] == "succeeded"
    wait_until(lambda: not process.is_running(), "the stopped media process was killed")
    site.wait_state(phase="standby", camera="off", microphone="off")
    assert site.children() == []
