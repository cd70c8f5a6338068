"""Recordings: what is in the file, that it survives a kill at any time, and the folder's manners."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import pytest

from agent.core.model.media import RecordingReported
from agent.errors import MediaError
from agent.media.pipeline import SharedClock
from agent.media.recording import recording
from agent.media.recording.folder import RecordingFolder
from agent.media.recording.movie import Movie
from agent.media.recording.part import Picture, Sound
from agent.media.recording.recording import Recording
from agent.media.recording.sound_mix import SoundMix
from agent.settings import Recording as Settings
from tests.support.film_strip import FRAME_NANOSECONDS, play, strip
from tests.support.sounds import RATE_HZ, level_dbfs, purity, tone
from tests.support.waiting import wait_for

SECOND = 1_000_000_000


# --- the movie


def write_movie(path: Path, seconds: float) -> Movie:
    """Two pictures and a tone of 440 Hz."""
    units, others = strip(seconds), strip(seconds, 320, 180)
    movie = Movie(path, {"other": others[0].data, "own": units[0].data})
    for number, (own, other) in enumerate(zip(units, others, strict=True)):
        at = number * FRAME_NANOSECONDS
        movie.add_picture("own", own.data, at, keyframe=own.keyframe)
        movie.add_picture("other", other.data, at, keyframe=other.keyframe)
        movie.add_sound(tone(440, number * 3200, 3200).tobytes())
    return movie


def test_a_movie_has_every_picture_and_all_sound(tmp_path: Path):
    write_movie(tmp_path / "a.mp4", 5).close()
    seen = play(tmp_path / "a.mp4")
    assert seen.sizes == [(320, 180), (160, 90)]
    assert seen.pictures == [75, 75]
    assert len(seen.sound) == pytest.approx(5 * RATE_HZ, abs=4096)
    assert purity(seen.sound[RATE_HZ : 4 * RATE_HZ], 440) > 0.98


def test_pictures_are_passed_on_and_not_encoded_again(tmp_path: Path):
    units = strip(2)
    write_movie(tmp_path / "a.mp4", 2).close()
    with av.open(str(tmp_path / "a.mp4")) as film:
        stored = [bytes(packet) for packet in film.demux(film.streams.video[1]) if packet.size]
    for unit, packet in zip(units, stored, strict=True):
        slice_data = unit.data.split(b"\x00\x00\x01")[-1]
        assert packet.endswith(slice_data)


WRITE_FOR_EVER = """
import sys, time
from pathlib import Path
from agent.media.recording.movie import Movie
from tests.support.film_strip import FRAME_NANOSECONDS, strip
units = strip(8)
movie = Movie(Path(sys.argv[1]), {"own": units[0].data})
began = time.monotonic()
for number in range(100_000):
    unit = units[number % len(units)]
    movie.add_picture("own", unit.data, number * FRAME_NANOSECONDS, keyframe=unit.keyframe)
    movie.add_sound(bytes(6400))
    print(number * FRAME_NANOSECONDS, flush=True)
    time.sleep(max(0.0, began + number * FRAME_NANOSECONDS / 4e9 - time.monotonic()))
"""


def test_killed_at_any_time_it_plays_up_to_two_seconds_before(tmp_path: Path):
    """Twenty of twenty, five at a time; the writers run at four times the speed of life."""
    source = random.Random(5)
    for batch in range(4):
        paths = [tmp_path / f"{batch}-{number}.mp4" for number in range(5)]
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, path], stdout=subprocess.PIPE)
            for path in paths
        ]
        for writer, path in zip(writers, paths, strict=True):
            assert writer.stdout is not None
            assert writer.stdout.readline()
            time.sleep(source.uniform(0.1, 0.8))
            writer.kill()
            written = int(writer.communicate()[0].split(b"\n")[-2]) / SECOND
            seen = play(path)
            assert seen.seconds[0] >= written - 2
            assert len(seen.sound) / RATE_HZ >= written - 2


def test_a_power_cut_loses_no_more_than_two_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not put onto the card is lost then; the kernel would keep it for half a minute. Of the two seconds the mix
    takes its part, since it waits for late sound."""
    path, on_card, cards = tmp_path / "a.mp4", [0], [0]

    def put_on_card(descriptor: int) -> None:
        on_card[0] = os.fstat(descriptor).st_size
        cards[0] += 1

    monkeypatch.setattr(os, "fdatasync", put_on_card)
    lost = math.ceil((2 - recording.HOLD_NANOSECONDS / SECOND) * 15)
    units = strip(6)
    movie = Movie(path, {"own": units[0].data})
    for number, unit in enumerate(units):
        movie.add_picture("own", unit.data, number * FRAME_NANOSECONDS, keyframe=unit.keyframe)
        movie.add_sound(tone(440, number * 3200, 3200).tobytes())
        if number and number % 3 == 0:
            left = tmp_path / f"{number}.mp4"
            left.write_bytes(path.read_bytes()[: on_card[0]])
            shown = play(left).pictures[0] if on_card[0] else 0
            assert shown >= number - lost, f"the power is cut after picture {number}"
    movie.close()
    assert on_card[0] == path.stat().st_size, "and at the end all of it is there"
    assert cards[0] <= 6 + 2, "an SD card is not asked more often than there are fragments"


def test_a_movie_that_cannot_be_written_says_where(tmp_path: Path):
    with pytest.raises(MediaError, match="no-such-folder") as caught:
        Movie(tmp_path / "no-such-folder" / "a.mp4", {}).add_sound(bytes(48_000))
    assert caught.value.code == "recording-failed"


# --- the mix


def test_two_voices_are_heard_together():
    mix = SoundMix(0)
    for number in range(100):
        at = number * 10_000_000
        mix.add("a", at, tone(440, number * 480, 480).tobytes())
        mix.add("b", at + 3_000_000, tone(990, number * 480, 480).tobytes())
    heard = samples(mix.take(SECOND))
    assert len(heard) == RATE_HZ
    assert purity(heard, 440) == pytest.approx(0.707, abs=0.02)
    assert purity(heard, 990) == pytest.approx(0.707, abs=0.02)


def test_where_nobody_speaks_is_silence_and_no_gap():
    mix = SoundMix(0)
    mix.add("a", SECOND // 2, tone(440, 0, 480).tobytes())
    heard = samples(mix.take(SECOND))
    assert len(heard) == RATE_HZ
    assert not heard[: RATE_HZ // 2].any()
    assert heard[RATE_HZ // 2 : RATE_HZ // 2 + 480].any()


def test_jitter_makes_no_seam_and_a_jump_is_followed():
    mix = SoundMix(0)
    for number in range(50):
        at = number * 10_000_000 + random.Random(number).randint(0, 15_000_000)
        mix.add("a", at, tone(440, number * 480, 480).tobytes())
    mix.add("a", SECOND, tone(440, 0, 480).tobytes())
    heard = samples(mix.take(2 * SECOND))
    assert purity(heard[480:23_000], 440) > 0.99
    assert heard[RATE_HZ : RATE_HZ + 480].any()


def test_loud_voices_saturate_and_late_ones_are_left_out():
    mix = SoundMix(0)
    loud = (30_000).to_bytes(2, "little") * 480
    mix.add("a", 0, loud)
    mix.add("b", 0, loud)
    assert samples(mix.take(10_000_000)).max() == 32767
    mix.add("c", 0, loud)
    assert not samples(mix.take(SECOND)).any()


def samples(pcm: bytes) -> Any:
    import numpy

    return numpy.frombuffer(pcm, numpy.int16)


# --- the recording


class Meeting:
    """A recording with the reports it makes; `feed` lets time pass in a source."""

    def __init__(self, folder: Path, *expected: str) -> None:
        self.expected = set(expected)
        self.clock = SharedClock()
        self.reports: list[RecordingReported] = []
        self.wishes = 0
        wanted = Settings(directory=str(folder), minimum_free_megabytes=1)
        self.recording = Recording(
            self.clock,
            RecordingFolder(wanted),
            ("room-a", "giao-ban"),
            self.reports.append,
            self.wish,
            lambda: self.expected,
        )

    def wish(self) -> None:
        self.wishes += 1

    def feed(self, seconds: float, **films: list) -> None:
        """In real time: these films, and a tone from the room."""
        began = time.monotonic()
        for number in range(round(seconds * 15)):
            at = self.clock.now()
            for key, units in films.items():
                unit = units[number % len(units)]
                self.recording.push(Picture(key, at, unit.data, unit.keyframe))
            self.recording.push(Sound("own", at, tone(440, number * 3200, 3200).tobytes()))
            time.sleep(max(0.0, began + (number + 1) / 15 - time.monotonic()))

    def end(self) -> None:
        self.recording.stop()
        self.recording.thread.join(60)
        assert not self.recording.thread.is_alive()


def test_a_recording_shows_the_others_first_and_has_the_sound(tmp_path: Path):
    meeting = Meeting(tmp_path, "own", "other")
    meeting.recording.start()
    meeting.feed(3, own=strip(3), other=strip(3, 320, 180))
    meeting.end()
    (file,) = tmp_path.iterdir()
    seen = play(file)
    assert seen.sizes == [(320, 180), (160, 90)]
    assert min(seen.pictures) >= 40
    assert len(seen.sound) / RATE_HZ == pytest.approx(seen.seconds[0], abs=0.5)
    assert purity(seen.sound[RATE_HZ : 2 * RATE_HZ], 440) > 0.95
    assert [report.on for report in meeting.reports] == [True, False]
    assert {report.path for report in meeting.reports} == {str(file)}


def test_another_picture_size_begins_the_next_file(tmp_path: Path):
    meeting = Meeting(tmp_path, "other")
    meeting.recording.start()
    meeting.feed(2, other=strip(2))
    meeting.feed(2, other=strip(2, 320, 180))
    meeting.end()
    first, second = sorted(tmp_path.iterdir())
    assert play(first).sizes == [(160, 90)]
    assert play(second).sizes == [(320, 180)]
    assert [report.on for report in meeting.reports] == [True, True, False]
    assert meeting.wishes == 2, "keyframes are asked for at each beginning"


def test_without_pictures_the_sound_alone_is_recorded(tmp_path: Path):
    meeting = Meeting(tmp_path)
    meeting.recording.start()
    meeting.feed(3)
    meeting.end()
    seen = play(next(tmp_path.iterdir()))
    assert seen.sizes == []
    assert level_dbfs(seen.sound) > -30


def test_a_disk_that_fills_up_ends_it_and_the_file_plays(tmp_path: Path, monkeypatch):
    meeting = Meeting(tmp_path, "own")
    meeting.recording.start()
    meeting.feed(1.5, own=strip(2))
    monkeypatch.setattr(
        recording.RecordingFolder,
        "check",
        lambda self: (_ for _ in ()).throw(MediaError("disk-full", "only 3 MB left")),
    )
    wait_for(lambda: not meeting.recording.on, 5, "it notices within seconds")
    meeting.recording.thread.join(60)
    assert (meeting.reports[-1].on, meeting.reports[-1].code) == (False, "disk-full")
    assert play(next(tmp_path.iterdir())).pictures[0] >= 15


# --- the folder


def test_files_are_named_by_time_room_and_meeting_and_never_overwritten(tmp_path: Path):
    folder = RecordingFolder(Settings(directory=str(tmp_path)))
    at = datetime(2026, 11, 22, 7, 15)
    names = []
    for _ in range(2):
        file = folder.new_file("room-a", "giao-ban", at)
        file.touch()
        names.append(file.name)
    assert names == [
        "2026-11-22T07-15-00_room-a_giao-ban.mp4",
        "2026-11-22T07-15-00_room-a_giao-ban_2.mp4",
    ]


def test_too_little_room_is_a_refusal(tmp_path: Path):
    folder = RecordingFolder(Settings(directory=str(tmp_path), minimum_free_megabytes=10**9))
    with pytest.raises(MediaError, match="MB left, fewer than 1000000000") as caught:
        folder.check()
    assert caught.value.code == "disk-full"


def test_a_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match=r"media\.recording\.directory") as caught:
        RecordingFolder(Settings(directory=str(tmp_path / "file" / "x"))).check()
    assert caught.value.code == "recording-failed"


def test_a_clock_that_is_not_set_makes_no_recording_old(tmp_path: Path):
    """A Pi without a clock of its own may be months behind, or ahead, until it has heard of the time."""
    limits = Settings(directory=str(tmp_path), keep_days=10, keep_megabytes=10)
    dated = RecordingFolder(limits).new_file("room-a", "m", datetime.now())
    undated = RecordingFolder(limits, clock_is_set=False).new_file(
        "room-a", "m", datetime(1970, 1, 1)
    )
    for file in (dated, undated):
        file.write_bytes(bytes(4_000_000))
        os.utime(file, (0, 0))
    assert RecordingFolder(limits, clock_is_set=False).prune() == []
    assert RecordingFolder(limits).prune() == [dated], "the other's time is anybody's guess"
    (tmp_path / "2026-11-01T07-15-00_room-a_m.mp4").write_bytes(bytes(7_000_000))
    assert RecordingFolder(limits).prune() != [], "the room for all of them is bounded as ever"


def test_old_and_excess_recordings_go_oldest_first_and_nothing_else(tmp_path: Path):
    folder = RecordingFolder(Settings(directory=str(tmp_path), keep_days=10, keep_megabytes=10))
    names = [f"2026-11-{day:02}T07-15-00_room-a_giao-ban.mp4" for day in range(1, 6)]
    for age, name in zip((20, 5, 4, 3, 2), names, strict=True):
        (tmp_path / name).write_bytes(bytes(4_000_000))
        then = time.time() - age * 86_400
        os.utime(tmp_path / name, (then, then))
    (tmp_path / "holiday.mp4").write_bytes(bytes(9_000_000))
    gone = folder.prune(keep=tmp_path / names[4])
    assert [file.name for file in gone] == names[:2]
    assert sorted(os.listdir(tmp_path)) == [*names[2:], "holiday.mp4"]
