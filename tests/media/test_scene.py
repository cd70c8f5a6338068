"""The laid-out picture, as a snapshot file and as pixels in a real window of a virtual X server."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.picture.screen import Screen
from agent.media.picture.snapshot import write_scene
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.settings import Output
from tests.support.virtual_screen import VirtualScreen
from tests.support.waiting import wait_for

RED, BLUE = (0xFF, 0, 0), (0, 0, 0xFF)
OUTPUT = Output(driver="none", width=640, height=360)


def picture(colour: tuple[int, int, int]) -> object:
    """One picture of this colour, 16:9."""
    number = 0xFF000000 | colour[0] << 16 | colour[1] << 8 | colour[2]
    pipeline = Gst.parse_launch(
        f"videotestsrc pattern=solid-color foreground-color={number} num-buffers=1 "
        "! video/x-raw,format=I420,width=320,height=180,framerate=20/1 ! appsink name=out"
    )
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("out").emit("pull-sample")
    pipeline.set_state(Gst.State.NULL)
    return sample


def pixels(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24")


def colour_at(image: np.ndarray, x: float, y: float) -> str:
    """The name of the colour at this share of width and height."""
    red, _, blue = image[int(image.shape[0] * y), int(image.shape[1] * x)].astype(int)
    if max(red, blue) < 60:
        return "black"
    return "red" if red > blue else "blue"


def test_two_sources_stand_side_by_side_in_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    write_scene(OUTPUT, [("", picture(RED)), ("", picture(BLUE))], "", str(path))
    image = pixels(path)
    assert image.shape == (360, 640, 3)
    assert colour_at(image, 0.25, 0.5) == "red"
    assert colour_at(image, 0.75, 0.5) == "blue"
    assert colour_at(image, 0.25, 0.1) == "black"


def test_label_and_words_leave_their_marks(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.png", tmp_path / "marked.png"
    write_scene(OUTPUT, [("", picture(RED))], "", str(plain))
    write_scene(OUTPUT, [("Lũng Cú", picture(RED))], "Micrô đang tắt", str(marked))
    changed = (pixels(plain).astype(int) != pixels(marked)).any(axis=2)
    assert changed[250:, :320].any(), "the label, bottom left"
    assert changed[:110, 320:].any(), "the words, top right"
    assert not changed[150:200, 300:340].any(), "the middle is left alone"


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with VirtualScreen() as screen:
        monkeypatch.setenv("DISPLAY", screen.name)
        yield screen.name


@pytest.fixture
def run() -> Iterator[Callable[[Callable[[], object]], None]]:
    """The child's loop in a thread; what is returned has a call done there."""
    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()

    def do(call: Callable[[], object]) -> None:
        done = threading.Event()
        loop.post(lambda: (call(), done.set()))
        assert done.wait(10)

    do.loop = loop  # type: ignore[attr-defined]
    yield do
    loop.post(loop.stop)
    thread.join(10)


def test_the_window_shows_sources_as_they_come_and_go(display, run, tmp_path: Path) -> None:
    output = Output(driver="window", width=640, height=360)
    screen = Screen(
        run.loop, SharedClock(), output, DeviceReporter("display", False, lambda _: None)
    )
    pushes: dict[str, tuple[Callable[[object], None], object]] = {}
    stop = threading.Event()

    def feed() -> None:
        while not stop.wait(0.05):
            for push, sample in list(pushes.values()):
                push(sample)

    def seen(x: float, y: float) -> str:
        path = tmp_path / "window.png"
        grab = ["ffmpeg", "-loglevel", "error", "-y", "-f", "x11grab", "-draw_mouse", "0"]
        subprocess.run(
            [*grab, "-video_size", "640x360", "-i", display, "-frames:v", "1", path],
            check=True,
            timeout=20,
        )
        return colour_at(pixels(path), x, y)

    def attach(key: str, colour: tuple[int, int, int]) -> None:
        sample = picture(colour)
        screen.attach(key, "", lambda: sample)
        pushes[key] = (partial(screen.show, key), sample)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        run(screen.start)
        run(lambda: attach("a", RED))
        wait_for(lambda: seen(0.5, 0.5) == "red", 20, "one source, full screen")
        run(lambda: attach("b", BLUE))
        wait_for(
            lambda: (seen(0.25, 0.5), seen(0.75, 0.5)) == ("red", "blue"), 20, "two side by side"
        )
        run(lambda: (pushes.pop("a"), screen.detach("a")))
        wait_for(lambda: seen(0.25, 0.2) == "blue", 20, "the other has the screen alone")
    finally:
        stop.set()
        feeder.join()
        run(screen.close)
