"""Pictures wait for sound: which threads of a screen and a decoder give way, and that no other becomes so by them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.media import priority
from agent.media.decoder import Decoders, PictureDecoder
from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.picture.composer import Composer
from agent.media.picture.surface import Surface
from agent.media.pipeline import Pipeline, SharedClock
from agent.settings import Output
from tests.support.waiting import wait_for

NICE = 10

OUTPUT = Output(driver="window", width=320, height=180, framerate=30)
UNITS = (
    "videotestsrc num-buffers=300 is-live=true ! video/x-raw,width=320,height=180,framerate=30/1 "
    "! x264enc tune=zerolatency threads=1 ! h264parse name=units"
)


@pytest.fixture(autouse=True)
def without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process begun with 0 instead of -10, and pictures with 10 instead of 0: the same by the same way."""
    monkeypatch.setattr(priority, "NICENESS", NICE)


def nice(name: str) -> set[int]:
    """The niceness of each thread of this process with that name."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            if (task / "comm").read_text().strip() == name:
                found.add(os.getpriority(os.PRIO_PROCESS, int(task.name)))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def unexpected(text: str) -> None:
    raise AssertionError(text)


def becomes_nice(*names: str) -> Callable[[], bool]:
    return lambda: all(nice(name) == {NICE} for name in names)


def test_what_decodes_is_nice_and_what_brings_the_pictures_is_not() -> None:
    pipeline = Pipeline(SharedClock(), UNITS, unexpected)
    units = pipeline["units"].get_static_pad("src")
    PictureDecoder(Loop(), pipeline, units, "H264", Decoders()).start(lambda sink: None, seen=True)
    pipeline.play()
    try:
        wait_for(becomes_nice("waiting:src"), 10, "a decoder's threads")
        assert nice("videotestsrc0:src") <= {os.getpriority(os.PRIO_PROCESS, 0)}
    finally:
        pipeline.close()


def test_what_composes_and_shows_is_nice() -> None:
    clock = SharedClock()
    surface = Surface(clock, OUTPUT, "fakesink name=out sync=false", unexpected)
    composer = Composer(clock, OUTPUT, surface.show, unexpected)
    surface.play()
    composer.play()
    try:
        wait_for(becomes_nice("mix:src", "in:src"), 10, "the screen's threads")
    finally:
        composer.close()
        surface.close()


def test_no_thread_that_was_nice_is_used_for_something_else() -> None:
    clock = SharedClock()
    composer = Composer(clock, OUTPUT, lambda sample: None, unexpected)
    composer.play()
    wait_for(becomes_nice("mix:src"), 10, "the screen's threads")
    composer.close()
    seen: list[int] = []
    sound = Pipeline(clock, "audiotestsrc is-live=true ! fakesink name=end", unexpected)

    def look(_pad: object, _info: object) -> object:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return Gst.PadProbeReturn.REMOVE

    sound["end"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)
    sound.play()
    try:
        wait_for(lambda: seen, 10, "sound")
        assert seen == [os.getpriority(os.PRIO_PROCESS, 0)]
    finally:
        sound.close()


def test_a_sandbox_that_forbids_it_costs_no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", forbid)
    priority.after_sound()
