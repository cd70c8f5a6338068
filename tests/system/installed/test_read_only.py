"""A read-only root file system: as docs/install.md has it, and as a failing card leaves it."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.broker import wait_until
from tests.support.peers import Publisher
from tests.system.host import SERVICE, main_pid, run
from tests.system.room import MEETING, Room

STATE, CACHE = Path("/var/lib/diemcau"), Path("/var/cache/diemcau")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test mounts is put right after it, in the reverse order."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def read_only(room: Room, stack: ExitStack) -> None:
    """All that is on the disk, from before the service's next start on."""
    run("systemctl", "stop", SERVICE)
    for folder in ("/etc", "/usr", "/var"):
        run("mount", "--bind", folder, folder)
        stack.callback(run, "umount", "--lazy", folder)  # what reads there meanwhile is not asked
        run("mount", "-o", "remount,bind,ro", folder)
    for path in (STATE, CACHE, Path("/var/tmp")):
        mount(path, "ro", stack)
    stack.callback(run, "systemctl", "stop", SERVICE)


def mount(folder: Path, access: str, stack: ExitStack) -> None:
    """A partition in the folder's place, of the same owner. Only a file system that is itself
    read-only is so for a service, which has mounts of its own."""
    options = f"{access},mode=0750,uid=diemcau,gid=diemcau"
    run("mount", "-t", "tmpfs", "-o", options, "partition", str(folder))
    stack.callback(run, "umount", str(folder))


def test_with_its_state_on_a_partition_of_its_own_nothing_is_forgotten(room, read_only, stack):
    mount(STATE, "rw", stack)
    run("systemctl", "start", SERVICE)
    with Publisher(f"{room.plays}/whip"):
        assert room.join()["state"] == "succeeded"
        before = main_pid()
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: main_pid() not in (0, before), "systemd started it again", 30)
        assert room.wait_for_phase("in-meeting")["meeting"]["id"] == MEETING
        assert room.leave()["state"] == "succeeded"
    assert (STATE / "journal.db").exists()


def test_without_one_the_room_works_and_says_that_nothing_is_kept(room, read_only):
    run("systemctl", "start", SERVICE)
    with Publisher(f"{room.plays}/whip"):
        assert room.join()["state"] == "succeeded"
        wait_until(
            lambda: room.health().get("host", {}).get("code") == "journal-not-kept", "it is told"
        )
        assert room.health()["host"]["status"] == "failed"
        assert room.leave()["state"] == "succeeded"


def test_settings_that_cannot_be_written_are_left_alone(room, read_only):
    said = run("sh", "-c", "diemcau setup --name x 2>&1; echo $?")
    assert "/etc/diemcau" in said
    assert "Read-only file system" in said
    assert said.endswith("2\n")
