"""The service under systemd: started, joined, killed, hung, misconfigured, upgraded in a meeting."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.broker import wait_until
from tests.support.peers import Publisher, Receiver
from tests.system.host import PACKAGE, SERVICE, children, install, journal, main_pid, run, unit
from tests.system.room import MEETING, Room, active

SETTINGS = Path("/etc/diemcau/agent.yaml")
NEXT = PACKAGE.with_name("diemcau-agent-next.deb")


@pytest.fixture
def hub_speaks(room: Room) -> Iterator[None]:
    """The hub's own picture and sound in the meeting."""
    with Publisher(f"{room.plays}/whip"):
        yield


def restarts() -> int:
    return int(unit("NRestarts"))


def test_set_up_ends_when_the_service_is_ready(room):
    assert active()
    assert unit("UnitFileState") == "enabled"
    assert run("ps", "-o", "user=", "-p", str(main_pid())).strip() == "diemcau"


def test_join_and_leave(room, hub_speaks):
    ack = room.join()
    assert ack["state"] == "succeeded", ack
    with Receiver(f"{room.publishes}/whep") as hub_sees:
        assert hub_sees.wait_for_picture().shape == (180, 320, 3)
    assert children(main_pid())
    assert room.leave()["state"] == "succeeded"
    room.wait_for_phase("standby")
    wait_until(lambda: not children(main_pid()), "the media process has ended")


def test_the_sandbox_holds_for_the_media_process_too(room, hub_speaks):
    room.join()
    (media_pid,) = children(main_pid())
    for pid in (main_pid(), media_pid):
        status = Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["NoNewPrivs"].strip() == "1"
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
        assert fields["Seccomp"].strip() == "2"
        in_its_eyes = ("nsenter", f"--mount=/proc/{pid}/ns/mnt")
        mounts = run(*in_its_eyes, "findmnt", "--noheadings", "--output=OPTIONS", "--target=/usr")
        assert "ro" in mounts.split(","), mounts


def test_killed_in_a_meeting_it_is_back_in_it(room, hub_speaks):
    room.join()
    before = main_pid()
    (media_pid,) = children(before)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: main_pid() not in (0, before), "systemd started it again", 30)
    wait_until(lambda: not Path(f"/proc/{media_pid}").exists(), "no orphan is left")
    state = room.wait_for_phase("in-meeting")
    assert (state["meeting"]["id"], state["microphone"]) == (MEETING, "muted")


@contextmanager
def changed_unit(lines: str) -> Iterator[None]:
    """The unit with other times, so that a test needs not wait for the real ones."""
    drop_in = Path("/run/systemd/system/diemcau-agent.service.d/test.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(f"[Service]\n{lines}\n")
    try:
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", SERVICE)
        yield
    finally:
        drop_in.unlink()
        run("systemctl", "daemon-reload")


def test_hung_it_is_killed_by_the_watchdog(room):
    with changed_unit("WatchdogSec=4"):
        hung, before = main_pid(), restarts()
        os.kill(hung, signal.SIGSTOP)
        wait_until(lambda: restarts() > before and active(), "the watchdog had it restarted", 60)
        assert main_pid() != hung
        assert any("Watchdog timeout" in entry["MESSAGE"] for entry in journal(f"UNIT={SERVICE}"))
        room.wait_for_phase("standby")


def test_killed_again_and_again_it_is_still_restarted(room):
    """systemd's own limit would be five starts in ten seconds."""
    with changed_unit("RestartSec=0"):
        started = time.monotonic()
        for _ in range(7):
            before = main_pid()
            os.kill(before, signal.SIGKILL)
            wait_until(lambda gone=before: main_pid() not in (0, gone), "it is started again", 60)
        assert time.monotonic() - started < 10, "too slow to prove anything"
        room.wait_for_phase("standby")


def test_broken_settings_are_said_and_mended_ones_taken(room):
    good = SETTINGS.read_text()
    SETTINGS.write_text(good.replace("host: 127.0.0.1", "hots: 127.0.0.1"))
    try:
        run("systemctl", "restart", SERVICE, check=False)
        said = [entry["MESSAGE"] for entry in journal(f"_SYSTEMD_UNIT={SERVICE}")]
        assert any("hub.hots: unknown key; did you mean host?" in line for line in said)
        assert not active()
    finally:
        SETTINGS.write_text(good)
    wait_until(active, "it came up by itself once they were mended", 60)
    room.wait_for_phase("standby")


def test_no_hub_and_no_media_server_is_no_reason_to_fail(room, broker):
    broker.stop()
    try:
        run("systemctl", "restart", SERVICE)
        assert active()
    finally:
        broker.start()
    room.wait_for_phase("standby")


def version() -> str:
    return run("dpkg-query", "--show", "--showformat=${Version}", "diemcau-agent")


def upgrade() -> str:
    """Install a version that is not the one there; returns which."""
    before = version()
    install(NEXT)
    if version() == before:
        install(PACKAGE)
    assert version() != before
    return version()


def wait_for_new_daemon(room: Room, old: int, version: str, phase: str) -> None:
    wait_until(lambda: main_pid() not in (0, old) and active(), "systemd started it again", 60)
    wait_until(lambda: room.state()["agent"]["version"] == version, "the new version runs", 60)
    room.wait_for_phase(phase)


def test_an_upgrade_in_standby_is_taken_at_once(room):
    before = main_pid()
    wait_for_new_daemon(room, before, upgrade(), "standby")


def test_an_upgrade_waits_for_the_end_of_the_meeting(room, hub_speaks):
    room.join()
    daemon, mark = main_pid(), "# kept over the upgrade\n"
    SETTINGS.write_text(SETTINGS.read_text() + mark)
    new = upgrade()
    assert room.command("ping")["detail"]["version"] != new, "the old one answers"
    assert main_pid() == daemon
    assert room.state()["phase"] == "in-meeting"
    assert room.leave()["state"] == "succeeded"
    wait_for_new_daemon(room, daemon, new, "standby")
    assert SETTINGS.read_text().endswith(mark)


def test_a_media_process_of_the_new_version_is_never_started_by_the_old_daemon(room, hub_speaks):
    """The media process dies while the upgrade waits: both are of the new version afterwards."""
    room.join()
    daemon = main_pid()
    (media_pid,) = children(daemon)
    new = upgrade()
    os.kill(media_pid, signal.SIGKILL)
    wait_for_new_daemon(room, daemon, new, "in-meeting")
    assert children(main_pid())


def test_a_removed_package_stops_the_room(room):
    run("apt-get", "purge", "--yes", "diemcau-agent")
    assert not active()
    wait_until(lambda: room.state()["connection"] == "offline", "the room said goodbye")
    assert not Path("/var/lib/diemcau").exists()


def test_the_journal_can_be_searched_by_command_and_meeting(room, hub_speaks):
    join = room.join()
    lines = journal(f"COMMAND={join['id']}")
    assert {line["ROOM"] for line in lines} == {room.id}
    assert journal(f"MEETING={MEETING}", f"MESSAGE_ID={lines[-1]['MESSAGE_ID']}")
