"""The media process killed in the middle of a meeting that it records: every file plays, nearly to its end.

DIEMCAU_RECORDING_KILLS=20 is the long form.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import time
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from agent.core.model.media import DownlinkReported, Measured, RecordingReported, SetRecording
from agent.settings import Media
from agent.settings import Recording as Settings
from tests.media.rooms import flowing, plan, room
from tests.support.film_strip import play, seconds_of
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.pictures import capture_seconds, read_number

pytestmark = pytest.mark.paired

KILLS = int(os.environ.get("DIEMCAU_RECORDING_KILLS", "3"))
AT_A_TIME = 3
LONGEST_SECONDS = 8.0
MAY_BE_LOST_SECONDS = 2.0
"""On a machine that has no more to do than processors for it; else all is written later by as much."""

FRAMERATE = 30
SEED = 11


class Ends(NamedTuple):
    """Monotonic times up to which a file shows the room, shows the other, and sounds."""

    own: float = -math.inf
    other: float = -math.inf
    sound: float = -math.inf


def test_killed_at_any_time_a_recording_plays_up_to_two_seconds_before(
    media_server: MediaServer, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    with Publisher(media_server.whip("recorded")):
        for first in range(0, KILLS, AT_A_TIME):
            numbers = range(first, min(first + AT_A_TIME, KILLS))
            kill_some(media_server, [tmp_path / str(number) for number in numbers], chance)


def kill_some(server: MediaServer, folders: list[Path], chance: random.Random) -> None:
    """A media process for each folder, which records into it and is killed."""
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(meeting(server, folder)) for folder in folders]
        for process, folder in zip(processes, folders, strict=True):
            began = record(process)
            time.sleep(chance.uniform(0, LONGEST_SECONDS))
            process.signal(signal.SIGKILL)
            killed = time.monotonic()
            process.ended()
            # a source that fell silent for a moment makes the next file begin
            films = [ends(film, killed) for film in sorted(folder.glob("*.mp4"))]
            lost = {
                name: round(killed - max(began, *(getattr(film, name) for film in films)), 2)
                for name in Ends._fields
            }
            print(f"{folder.name}: lost {lost} s")
            busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
            assert max(lost.values()) <= MAY_BE_LOST_SECONDS * busy, lost


def meeting(server: MediaServer, folder: Path) -> MediaProcess:
    settings = Settings(directory=str(folder), minimum_free_megabytes=1)
    process = MediaProcess(
        room(), Media(local_address=ADDRESS, allowed_hosts=LOCAL_HOSTS, recording=settings)
    )
    process.start(plan(publish=server.whip(folder.name), play=[server.whep("recorded")]))
    return process


def record(process: MediaProcess) -> float:
    """Until the file has begun, with both pictures: the monotonic time."""
    process.wait(DownlinkReported, flowing, 30)
    process.wait(Measured, lambda m: m.figures.downlinks[0].frames_per_second, 30)
    process.send(SetRecording(True))
    process.wait(RecordingReported, lambda report: report.on, 20)
    return time.monotonic()


def ends(film: Path, now: float) -> Ends:
    """By the number in the simulated camera's last picture, which says when it was taken."""
    seen = play(film)
    if not seen.pictures or not seen.pictures[-1]:
        return Ends()
    with av.open(str(film)) as file:
        *_, last = file.decode(file.streams.video[-1])
    own = capture_seconds(read_number(last.to_ndarray(format="rgb24")), FRAMERATE, now)
    began = own - seen.seconds[-1]
    return Ends(own, began + seen.seconds[0], began + seconds_of(seen.sound))
