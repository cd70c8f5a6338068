"""A board that is too slow for its screen: what gives way, in which order, and that the sound does not.

Four sources on a screen of 720p, with less processor than their composing takes (a control group's quota); then with enough.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from agent.core.model.media import DownlinkReported, Measured
from agent.settings import Display, Output
from tests.bench.row import Row
from tests.media.rooms import flowing, plan, room
from tests.support.cpu_quota import CpuQuota
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.sounds import RATE_HZ, read_wav
from tests.support.virtual_screen import VirtualScreen

LONG = True
CORES = float(os.environ.get("DIEMCAU_BENCH_CORES", "0.6"))
"""For the media process; its share of the machine, however busy the rest of it is."""

SOURCES = 4
TOLD_SECONDS = 60.0
LISTEN_SECONDS = 10.0
LEAST_SOUND_PERCENT = 95.0
LOUD = 300
WINDOW_SAMPLES = RATE_HZ // 50


def measure() -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diemcau-bench-")))
        heard = folder / "heard.wav"
        server, screen = (
            stack.enter_context(MediaServer()),
            stack.enter_context(VirtualScreen(1280, 720)),
        )
        for number in range(SOURCES):
            stack.enter_context(Publisher(server.whip(f"s{number}"), tone_hz=400 + 100 * number))
        quota = stack.enter_context(CpuQuota(2.0))
        output = Output(driver="window", width=1280, height=720)
        devices = replace(room(camera=False, record=str(heard)), display=Display(output=output))
        os.environ["DISPLAY"] = screen.name
        child = stack.enter_context(MediaProcess(devices, within=quota.within))
        child.start(plan(play=[server.whep(f"s{number}") for number in range(SOURCES)]))
        for number in range(SOURCES):
            child.wait(
                DownlinkReported,
                lambda r, n=number: r.url == server.whep(f"s{n}") and flowing(r),
                90,
            )  # type: ignore[misc]
        child.wait(Measured, lambda m: m.figures.screen_overloaded is False, 90)
        quota.allow(CORES)
        began = time.monotonic()
        told = len(child.reports)
        child.wait(Measured, lambda m: m.figures.screen_overloaded is True, TOLD_SECONDS, told)
        took = time.monotonic() - began
        sound = sound_percent(heard, LISTEN_SECONDS)
        child.stop()
    return [
        Row(f"{CORES:g} cores for four sources, overloaded said after", took, "s", TOLD_SECONDS),
        Row("... sound that is heard from then on", sound, "%", LEAST_SOUND_PERCENT, at_least=True),
    ]


def sound_percent(file: Path, seconds: float) -> float:
    """How much of the time from now on something is heard."""
    before = len(read_wav(file))
    time.sleep(seconds)
    sound = read_wav(file)[before:].astype(int)
    windows = sound[: len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    loud = np.count_nonzero(np.abs(windows).max(axis=1) > LOUD)
    return 100 * loud * WINDOW_SAMPLES / (seconds * RATE_HZ)
