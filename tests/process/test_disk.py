"""A broken journal, a disk that cannot be written, a read-only root, and a quiet SD card."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.store.journal import Journal
from tests.store.test_journal import ping, result
from tests.support.broker import Broker, Hub
from tests.support.room import Room
from tests.support.waiting import wait_for

ROOT = "diemcau/test"
ROOM = f"{ROOT}/room/r1"
IDLE_HEALTH_DOCUMENTS = 8
WAITING = 3000


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room("r1", "Phòng thử", tmp_path / "room")
    room.settings["health"]["interval_seconds"] = 1
    return room


@pytest.fixture
def hub(room: Room, tmp_path: Path) -> Iterator[Hub]:
    with Broker(tmp_path / "hub") as broker:
        room.use_hub(broker.port, ROOT)
        with Hub(broker.port) as hub:
            yield hub
            room.stop()


def answer(hub: Hub, command_id: str, kind: str = "ping", **fields: Any) -> dict[str, Any]:
    hub.send(f"{ROOM}/cmd/{kind}", {"id": command_id, **fields})
    ack: dict[str, Any] = hub.wait_for(
        f"{ROOM}/ack/{command_id}", lambda ack: ack["state"] not in ("accepted", "running")
    ).document
    return ack


def host_with(hub: Hub, code: str) -> dict[str, Any]:
    health = hub.wait_for(f"{ROOM}/health", lambda health: health["host"].get("code") == code)
    host: dict[str, Any] = health.document["host"]
    return host


def test_a_corrupted_journal_is_set_aside_and_told(room: Room, hub: Hub) -> None:
    store = Path(room.settings["store"]["path"])
    store.mkdir(parents=True)
    (store / "journal.db").write_bytes(b"\x00\xffbroken by a power cut" * 1000)
    room.start()
    room.wait_online()
    fault = hub.wait_for(f"{ROOM}/event/fault", lambda e: e["code"] == "journal-replaced").document
    assert "journal.db.corrupt-" in fault["text"]
    assert host_with(hub, "journal-replaced")["status"] == "degraded"
    assert answer(hub, "p1")["state"] == "succeeded"
    assert [path for path in store.iterdir() if ".corrupt-" in path.name]


def test_without_a_place_to_write_the_room_works_and_says_that_nothing_is_kept(
    room: Room, hub: Hub
) -> None:
    room.folder.mkdir()
    (room.folder / "store").write_text("a file where the folder should be")
    room.start()
    room.wait_online()
    assert answer(hub, "p1")["state"] == "succeeded"
    host = host_with(hub, "journal-not-kept")
    assert host["status"] == "failed"
    assert str(room.folder / "store") in host["text"]


def test_everything_that_waited_for_the_hub_is_sent(room: Room, hub: Hub) -> None:
    """More than paho or the link's mailbox would take at once."""
    start_with_much_to_say(room)
    wait_for(lambda: len(acks(hub)) >= WAITING, 60, f"{WAITING} acks")
    assert answer(hub, "after")["state"] == "succeeded"
    assert sorted(acks(hub)) == sorted(f"p{number}" for number in range(WAITING)), "each once"
    room.stop()
    assert Journal(room.settings["store"]["path"]).unsent() == []


def test_a_hub_program_that_is_busy_misses_nothing(room: Room, hub: Hub) -> None:
    """By the broker's settings of config/hub: it keeps what a client does not take yet."""
    take, idle = hub.client.on_message, threading.Event()

    def take_when_idle(*arguments: Any) -> None:
        assert idle.wait(60)
        take(*arguments)

    hub.client.on_message = take_when_idle
    start_with_much_to_say(room)
    store = room.settings["store"]["path"]
    wait_for(lambda: not Journal(store).unsent(), 60, "the room has told the broker all")
    idle.set()
    wait_for(lambda: len(acks(hub)) >= WAITING, 60, f"{WAITING} acks")


def start_with_much_to_say(room: Room) -> None:
    """Acks of before the start wait for the hub."""
    journal = Journal(room.settings["store"]["path"])
    with journal.together():
        for number in range(WAITING):
            journal.record_result(result(ping(f"p{number}")))
    journal.close()
    room.start()


def acks(hub: Hub) -> list[str]:
    """Ids of the commands from before the start, as their acks came in."""
    topics = [seen.topic for seen in list(hub.seen) if "/ack/p" in seen.topic]
    return [topic.rpartition("/")[2] for topic in topics]


def read_only_root(writable: Path) -> list[str]:
    """A command that runs another with everything but one folder read-only."""
    folder = shlex.quote(str(writable))
    return with_mounts(f"mount --bind {folder} {folder} && mount -o remount,ro,bind /")


def small_disk(folder: Path) -> list[str]:
    """A command that runs another with a disk of 1 MB in this folder."""
    return with_mounts(tmpfs(folder))


def tmpfs(folder: Path) -> str:
    return f"mount -t tmpfs -o size=1m none {shlex.quote(str(folder))}"


def with_mounts(mounts: str) -> list[str]:
    """A command that runs another with mounts of its own (mount_namespaces(7))."""
    script = f'{mounts} && exec "$@"'
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    return [*unshare, "sh", "-c", script, "sh"]


def test_with_a_read_only_root_only_the_state_folder_is_needed(room: Room, hub: Hub) -> None:
    room.folder.mkdir()
    entry = ("tests.support.crashing", str(room.folder / "steps"), "--media-process", "meeting")
    room.meet(room, "http://127.0.0.1:1")
    room.start(entry=entry, prefix=read_only_root(room.folder))
    room.wait_online()
    assert answer(hub, "j1", "join", meeting={"id": "giao-ban"})["state"] == "succeeded"
    health = hub.wait_for(f"{ROOM}/health", lambda h: h["host"].get("root_read_only"))
    assert health.document["host"]["code"] != "journal-not-kept"
    room.kill()

    room.start(entry=entry, prefix=read_only_root(room.folder))
    room.wait_online()
    hub.wait_for(f"{ROOM}/event/resumed")
    assert "Read-only" not in room.log.read_text()


def test_a_full_disk_costs_durability_and_is_told_until_there_is_room(room: Room, hub: Hub) -> None:
    store = Path(room.settings["store"]["path"])
    store.mkdir(parents=True)
    room.start(prefix=small_disk(store))
    room.wait_online()
    assert answer(hub, "before")["state"] == "succeeded"
    filler = Path(f"/proc/{room.pid}/root{store}/filler")
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(2_000_000))
    assert host_with(hub, "disk-full")["status"] == "failed"
    for number in range(20):
        assert answer(hub, f"full-{number}")["state"] == "succeeded", "the room still obeys"
    assert "free some space" in room.log.read_text()

    filler.unlink()
    word = answer(hub, "again")
    said = len(hub.on(f"{ROOM}/ack/again"))
    hub.send(f"{ROOM}/cmd/report", {"id": "again"})
    repeats = wait_for(lambda: hub.on(f"{ROOM}/ack/again")[said:], 10, "the repeat is answered")
    assert repeats[-1].document == word, "the journal remembers again"


def test_a_disk_that_is_full_at_the_start_does_not_keep_the_room_away(room: Room, hub: Hub) -> None:
    store = Path(room.settings["store"]["path"])
    store.mkdir(parents=True)
    fill = f"head -c 2m /dev/zero > {shlex.quote(str(store))}/filler"
    room.start(prefix=with_mounts(f"{tmpfs(store)} && {{ {fill} || true; }}"))
    room.wait_online()
    assert answer(hub, "p1")["state"] == "succeeded"
    host = wait_for(lambda: failed_host(hub), 20, "health says that the disk is full")
    assert "disk" in host["text"].lower()


def failed_host(hub: Hub) -> dict[str, Any] | None:
    hosts = [seen.document["host"] for seen in hub.on(f"{ROOM}/health")]
    return next((host for host in hosts if host.get("status") == "failed"), None)


def test_an_idle_agent_writes_nothing(room: Room, hub: Hub) -> None:
    """Health documents, self-checks and keep alives cost the SD card nothing."""
    room.start()
    room.wait_online()
    assert answer(hub, "p1")["state"] == "succeeded"
    wait_for_health(hub, 2)  # what the start brings is over
    store = Path(room.settings["store"]["path"])
    before = {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in store.iterdir()}
    written = bytes_written(room.pid)
    wait_for_health(hub, IDLE_HEALTH_DOCUMENTS)
    after = {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in store.iterdir()}
    assert after == before
    assert bytes_written(room.pid) == written


def wait_for_health(hub: Hub, more: int) -> None:
    seen = len(hub.on(f"{ROOM}/health"))
    hub.wait_for(f"{ROOM}/health", lambda _: len(hub.on(f"{ROOM}/health")) >= seen + more, 60)


def bytes_written(pid: int) -> int:
    """What the process has had written to disks: proc(5), write_bytes."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))
