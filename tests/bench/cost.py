"""What the media process costs: beside bare GStreamer, and beside aiortc and FFmpeg's WHIP, at the same work.

720p at 30 pictures and 1.5 Mbit/s through the test server on loopback. All that do the same work run at the
same time, so that a busy machine is as busy for each.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

from agent.core.model.media import DownlinkReported
from agent.settings import Devices, Speaker
from tests.bench.idle import cpu_seconds
from tests.bench.media import plan, sending
from tests.bench.row import Row
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer

SETTLE_SECONDS = 5.0
MEASURE_SECONDS = 20.0
FLOWING_SECONDS = 20.0
LIMIT_PUBLISH_RATIO, LIMIT_PLAY_RATIO = 1.3, 1.2


def measure() -> list[Row]:
    with MediaServer() as server:
        return [*publishing(server), *playing(server)]


def publishing(server: MediaServer) -> list[Row]:
    with (
        sending(server.whip("ours")) as process,
        program("bare", "publish", server.whip("bare")) as bare,
        program("others", "aiortc-publish", server.whip("aiortc")) as aiortc,
        program("others", "ffmpeg-publish", server.whip("ffmpeg")) as ffmpeg,
    ):
        ours, least, *others = cpu_percents(process.pid, bare, aiortc, ffmpeg)
    return [
        Row("publishing media process's CPU", ours, "%", LIMIT_PUBLISH_RATIO, least),
        Row("... aiortc at the same", others[0], "%", None, least),
        Row("... FFmpeg's WHIP at the same", others[1], "%", None, least),
    ]


def playing(server: MediaServer) -> list[Row]:
    url = server.whep("room")
    with (
        sending(server.whip("room")),
        receiving(url) as process,
        program("bare", "play", url) as bare,
        program("others", "aiortc-play", url) as aiortc,
    ):
        ours, least, other = cpu_percents(process.pid, bare, aiortc)
    return [
        Row("receiving media process's CPU", ours, "%", LIMIT_PLAY_RATIO, least),
        Row("... aiortc at the same", other, "%", None, least),
    ]


@contextlib.contextmanager
def receiving(url: str) -> Iterator[MediaProcess]:
    with MediaProcess(Devices(speaker=Speaker(driver="simulated"))) as process:
        process.start(plan(play=url))
        process.wait(DownlinkReported, lambda r: r.state == "flowing", FLOWING_SECONDS)
        yield process
        process.stop()


@contextlib.contextmanager
def program(module: str, work: str, url: str) -> Iterator[int]:
    """The process id of one of the programs to compare with, once media flows."""
    command = [sys.executable, "-m", f"tests.bench.{module}", work, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            if said != "flowing":
                raise RuntimeError(f"{module} {work}: {said or 'ended'}")
            yield process.pid
        finally:
            process.kill()


def cpu_percents(*pids: int) -> list[float]:
    """Time on a processor of each, in percent of one, over the same while."""
    time.sleep(SETTLE_SECONDS)
    started, before = time.monotonic(), [cpu_seconds(pid) for pid in pids]
    time.sleep(MEASURE_SECONDS)
    elapsed = time.monotonic() - started
    return [
        100 * (cpu_seconds(pid) - used) / elapsed for pid, used in zip(pids, before, strict=True)
    ]
