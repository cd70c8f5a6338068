"""A meeting recorded on the hub's command by a whole room, also when its media process is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.conftest import Site, kill
from tests.support.broker import wait_until
from tests.support.film_strip import play
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.room import Room
from tests.support.sounds import RATE_HZ, Sound, purity

OWN_TONE_HZ, OTHER_TONE_HZ = 440, 660


@pytest.fixture
def room(room: Room, media_server: MediaServer, tmp_path: Path):
    """With a folder for recordings, and somebody else in its meetings."""
    name = f"other-{tmp_path.name}"
    room.settings["media"] |= {
        "play_urls": [media_server.whep(name)],
        "recording": {"directory": str(tmp_path / "films"), "minimum_free_megabytes": 1},
    }
    with Publisher(media_server.whip(name), tone_hz=OTHER_TONE_HZ):
        yield room


def films(site: Site) -> list[Path]:
    """Oldest first; a source that came late has made a file of its own."""
    folder = Path(site.room.settings["media"]["recording"]["directory"])
    return sorted(folder.glob("*.mp4"), key=lambda film: film.stat().st_mtime_ns)


def wait_bytes(site: Site, least: int) -> None:
    wait_until(
        lambda: films(site) and films(site)[-1].stat().st_size > least, f"{least} bytes", seconds=60
    )


def clearest(sound: Sound, frequency_hz: float) -> float:
    """The purity of the second in which it is purest: a microphone that starts late on a busy machine is no fault."""
    seconds = range(0, len(sound) - RATE_HZ + 1, RATE_HZ)
    return max((purity(sound[at : at + RATE_HZ], frequency_hz) for at in seconds), default=0.0)


def test_the_meeting_is_recorded_both_pictures_and_both_voices(site: Site):
    assert site.join(microphone="live")["state"] == "succeeded"
    assert site.command("record", recording="on")["state"] == "succeeded"
    site.wait_state(recording="on")
    wait_bytes(site, 300_000)
    assert site.command("record", recording="off")["state"] == "succeeded"
    site.wait_state(recording="off")
    film = films(site)[-1]
    assert film.name.endswith("_room-a_giao-ban.mp4")
    seen = play(film)
    assert len(seen.sizes) == 2
    assert min(seen.pictures) > 10
    assert clearest(seen.sound, OWN_TONE_HZ) > 0.3
    assert clearest(seen.sound, OTHER_TONE_HZ) > 0.3
    stopped = wait_until(lambda: site.events("recording-stopped"), "it is told")
    assert [event["detail"]["path"] for event in stopped] == [str(film)]


def test_a_muted_room_is_silent_in_the_file_too(site: Site):
    assert site.join(microphone="muted", recording="on")["state"] == "succeeded"
    wait_bytes(site, 300_000)
    assert site.command("leave")["state"] == "succeeded"
    seen = play(films(site)[-1])
    assert clearest(seen.sound, OWN_TONE_HZ) < 0.05
    assert clearest(seen.sound, OTHER_TONE_HZ) > 0.5


def test_a_killed_media_process_leaves_a_file_that_plays_and_the_next_one_goes_on(site: Site):
    assert site.join(recording="on")["state"] == "succeeded"
    site.wait_state(recording="on")
    wait_bytes(site, 300_000)
    kill(site.media_process().pid)
    broken_off = films(site)[-1]
    site.wait_state(phase="reconnecting", recording="off")
    site.wait_state(phase="in-meeting", recording="on")
    assert site.command("leave")["state"] == "succeeded"
    assert min(play(broken_off).pictures) > 10
    assert broken_off != films(site)[-1]
    assert len(play(films(site)[-1]).sound) > 0
    wait_until(lambda: len(site.events("recording-stopped")) == 2, "both ends are told")


def test_without_a_folder_the_room_refuses_and_says_which_setting(site: Site, tmp_path: Path):
    site.room.stop()
    site.room.settings["media"]["recording"] = {}
    site.room.start()
    site.room.wait_online()
    assert site.join()["state"] == "succeeded"
    ack = site.command("record", recording="on")
    assert (ack["state"], ack["code"]) == ("failed", "recording-failed")
    assert "media.recording.directory" in ack["text"]
    wait_until(lambda: site.events("recording-failed"), "it is told")
