"""What somebody in the room can rely on: no meeting, nothing open; open, lamp on; muted, not heard."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.process.conftest import Site, kill
from tests.support.media_server import MediaServer
from tests.support.peers import Receiver
from tests.support.room import Room
from tests.support.sounds import level_dbfs
from tests.support.waiting import wait_for

AUDIBLE_DBFS = -30
SILENT_DBFS = -70
WATCHED = ("camera.open", "microphone.open")


def lamp(room: Room) -> str:
    """What the lamp shows, with how often it was switched: `3 on`."""
    path = room.folder / "lamp.log"
    words = path.read_text().split()[1::2] if path.exists() else []
    return f"{len(words)} {words[-1] if words else 'off'}"


class Witness(threading.Thread):
    """Looks at the lamp and at what is open, all the time."""

    def __init__(self, room: Room) -> None:
        super().__init__(daemon=True)
        self._room = room
        self._going = threading.Event()
        self.looks = 0
        self.dark: list[str] = []
        self.opened: set[str] = set()

    def run(self) -> None:
        while not self._going.wait(0.001):
            before = lamp(self._room)
            open_now = [name for name in WATCHED if (self._room.folder / name).exists()]
            self.opened.update(open_now)
            if open_now and before.endswith("off") and lamp(self._room) == before:
                self.dark.append(f"{open_now} while the lamp is {before}")
            self.looks += 1

    def __enter__(self) -> Witness:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going.set()
        self.join()


def press(room: Room, name: str = "mute-button") -> None:
    with (room.folder / name).open("w") as button:
        button.write("press\n")
        button.flush()
        time.sleep(0.2)  # as long as a finger
        button.write("release\n")


def test_the_lamp_is_on_whenever_anything_is_open(site: Site) -> None:
    assert site.room.open_devices() == ["display", "panel"]
    with Witness(site.room) as witness:
        assert site.join()["state"] == "succeeded"
        assert lamp(site.room).endswith("muted")
        kill(site.media_process().pid)  # the media process dies and another takes over
        site.wait_state(phase="reconnecting")
        site.wait_state(phase="in-meeting")
        assert site.command("leave")["state"] == "succeeded"
        wait_for(lambda: lamp(site.room).endswith("off"), 10, "the lamp goes off")
        assert [d for d in site.room.open_devices() if d in ("camera", "microphone")] == []
    assert witness.looks > 100
    assert witness.dark == []


def test_who_muted_by_hand_is_not_heard_whatever_the_hub_says(
    site: Site, media_server: MediaServer, tmp_path: Path
) -> None:
    site.join(microphone="live")
    with Receiver(media_server.whep(f"giao-ban-{tmp_path.name}")) as listener:
        wait_for(lambda: level_dbfs(listener.hear(0.5)) > AUDIBLE_DBFS, 30, "the room is heard")
        press(site.room)
        site.wait_state(microphone="muted")
        wait_for(lambda: level_dbfs(listener.hear(0.5)) < SILENT_DBFS, 30, "silence")
        refused = site.command("unmute")
        assert (refused["state"], refused["code"]) == ("rejected", "muted-by-hand")
        again = site.join(microphone="live")
        assert again["code"] == "already"
        assert level_dbfs(listener.hear(2)) < SILENT_DBFS
        press(site.room)
        site.wait_state(microphone="live")
        wait_for(lambda: level_dbfs(listener.hear(0.5)) > AUDIBLE_DBFS, 30, "the room is heard")


def test_who_switched_the_camera_off_is_not_seen_whatever_the_hub_says(site: Site) -> None:
    site.join()
    site.wait_state(camera="live")
    press(site.room, "camera-button")
    site.wait_state(camera="off", camera_off_by_hand=True)
    assert "camera" not in site.room.open_devices()
    again = site.join(camera="live")
    assert "by hand" in again["detail"]["missing"]["camera"]
    assert "camera" not in site.room.open_devices()
    press(site.room, "camera-button")
    site.wait_state(camera="live", camera_off_by_hand=False)


def test_a_lamp_that_cannot_be_lit_is_a_fault(site: Site) -> None:
    (site.room.folder / "panel").write_text("unplugged")
    site.join()
    faults = wait_for(lambda: site.events("fault"), 10, "the fault is told")
    assert any(fault["detail"]["device"] == "panel" for fault in faults)
    panel = site.room.ask(type="health")["devices"]["panel"]
    assert panel["status"] in ("failed", "absent")
