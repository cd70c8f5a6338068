"""A board that is too slow for its screen: what gives way, in which order, and that the sound does not.

Four sources of 720p at 30 pictures and 1.5 Mbit/s on a screen of 720p, with less processor than decoding and composing them
takes (a control group's quota, for the media process alone). One room publishes; it is played four times.
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
from tests.bench.media import sending
from tests.bench.row import Row
from tests.media.rooms import flowing, plan, room
from tests.support.cpu_quota import CpuQuota
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.sounds import RATE_HZ, read_wav
from tests.support.virtual_screen import VirtualScreen

LONG = True
CORES = float(os.environ.get("DIEMCAU_BENCH_CORES", "0.6"))
"""For the media process; its share of the machine, however busy the rest of it is."""

AS_SERVICE = ("nice", "-n", "-10")
"""As systemd begins it."""

SOURCES = 4
TOLD_SECONDS = 60.0
SETTLE_SECONDS = 20.0
"""Three steps of ten seconds at the most, the first of which is over."""

LISTEN_SECONDS = 20.0
LEAST_SOUND_PERCENT = 97.0
LEAST_PICTURES = 27.0
LOUD = 300
WINDOW_SAMPLES = RATE_HZ // 50
STEPS = (None, "size", "framerate", "noise")


def measure() -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diemcau-bench-")))
        heard = folder / "heard.wav"
        server = stack.enter_context(MediaServer())
        screen = stack.enter_context(VirtualScreen(1280, 720))
        stack.enter_context(sending(server.whip("room")))
        quota = stack.enter_context(CpuQuota(2.0))
        output = Output(driver="window", width=1280, height=720)
        devices = replace(room(camera=False, record=str(heard)), display=Display(output=output))
        os.environ["DISPLAY"] = screen.name
        urls = [f"{server.whep('room')}?as={number}" for number in range(SOURCES)]
        process = stack.enter_context(MediaProcess(devices, within=(*quota.within, *AS_SERVICE)))
        process.start(plan(play=urls))
        for url in urls:
            process.wait(DownlinkReported, lambda r, url=url: r.url == url and flowing(r), 90)  # type: ignore[misc]
        process.wait(Measured, lambda m: m.figures.screen_overloaded is False, 90)
        quota.allow(CORES)
        began, told = time.monotonic(), len(process.reports)
        process.wait(Measured, lambda m: m.figures.screen_overloaded is True, TOLD_SECONDS, told)
        took = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        listened = len(process.reports)
        sound = sound_percent(heard, LISTEN_SECONDS)
        measured = [r for _, r in process.reports[listened:] if isinstance(r, Measured)]
        process.stop()
    rates = [
        one.frames_per_second
        for m in measured
        for one in m.figures.downlinks
        if one.frames_per_second
    ]
    name = f"{CORES:g} cores for four sources"
    return [
        Row(f"{name}: overloaded said after", took, "s", TOLD_SECONDS),
        Row("... steps given way of three", STEPS.index(measured[-1].figures.screen_eased), "", 3),
        Row("... sound heard after that", sound, "%", LEAST_SOUND_PERCENT, at_least=True),
        Row(
            "... each source's pictures", float(np.mean(rates)), "/s", LEAST_PICTURES, at_least=True
        ),
    ]


def sound_percent(file: Path, seconds: float) -> float:
    """How much of the time from now on something is heard."""
    before = len(read_wav(file))
    time.sleep(seconds)
    sound = read_wav(file)[before:].astype(int)
    windows = sound[: len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    loud = np.count_nonzero(np.abs(windows).max(axis=1) > LOUD)
    return 100 * loud * WINDOW_SAMPLES / (seconds * RATE_HZ)
