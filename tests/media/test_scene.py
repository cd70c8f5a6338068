"""The laid-out picture, as a snapshot file and as pixels in a real window of a virtual X server."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.picture import putting_out, strain, surface
from agent.media.picture import screen as screen_module
from agent.media.picture.lettering import Words
from agent.media.picture.scene import Scene
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
        "! video/x-raw,format=I420,width=320,height=180,framerate=20/1,pixel-aspect-ratio=1/1 "
        "! appsink name=out"
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
    write_scene(OUTPUT, Scene([("", picture(RED)), ("", picture(BLUE))]), str(path))
    image = pixels(path)
    assert image.shape == (360, 640, 3)
    assert colour_at(image, 0.25, 0.5) == "red"
    assert colour_at(image, 0.75, 0.5) == "blue"
    assert colour_at(image, 0.25, 0.1) == "black"


def marks(image: np.ndarray) -> np.ndarray:
    """Where something is drawn that is neither the picture's red nor black."""
    red, green, _ = (image[..., channel].astype(int) for channel in range(3))
    return (green > 90) | ((red > 60) & (red < 200))


@pytest.mark.parametrize(
    "band", ["", "HỌP KHẨN: bão số 5\nNhấn nút để trả lời", "Mời vào họp ngay. " * 20]
)
def test_label_and_words_are_drawn_and_none_of_them_over_a_face(tmp_path: Path, band: str) -> None:
    path = tmp_path / "scene.png"
    words = Words("Giao ban", "Tắt micrô bằng nút: nhấn để nói\nĐang ghi hình", band=band)
    write_scene(OUTPUT, Scene([("Lũng Cú", picture(RED))], words), str(path))
    image = pixels(path)
    drawn = marks(image)
    red = (image[..., 0] > 200) & (image[..., 1] < 60)
    rows, columns = (np.flatnonzero(red.sum(axis=axis) > 100) for axis in (1, 0))
    assert drawn[: rows[0] - 2, :320].any(), "the title and the time, top left"
    assert drawn[: rows[0] - 2, 320:].any(), "the words, top right"
    assert drawn[rows[-1] + 3 :, :320].any(), "the label, bottom left"
    assert bool(drawn[rows[-1] + 3 :, 250:390].any()) is bool(band)
    face = drawn[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1]
    assert face.size > 20_000
    assert not face.any(), "nothing is drawn on the picture"


def test_an_announcement_stands_alone_on_an_empty_screen_however_long(tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    words = Words(title="Mời đồng chí Chủ tịch xã vào họp ngay. " * 12)
    write_scene(OUTPUT, Scene([], words, picture(BLUE)), str(path))
    image = pixels(path)
    white = image.min(axis=2) > 200
    assert white.any()
    assert not white[:4].any(), "nothing is cut off above"
    assert not white[-4:].any(), "nor below"


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with VirtualScreen() as screen:
        monkeypatch.setenv("DISPLAY", screen.name)
        yield screen.name


def test_the_window_shows_sources_as_they_come_and_go(
    display, run, loop: Loop, tmp_path: Path
) -> None:
    output = Output(driver="window", width=640, height=360)
    screen = Screen(loop, SharedClock(), output, DeviceReporter("display", False, lambda _: None))
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
            timeout=60,
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


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, float]]:
    """A sink that holds each picture for so long, as one does that waits for the display's refresh."""
    state = {"seconds": 0.0}
    released = threading.Event()
    sink = "capsfilter caps=video/x-raw,format=I420 ! fakesink name=out sync=false signal-handoffs=true"
    monkeypatch.setattr(Screen, "_sink", lambda self: sink)
    make = surface.Pipeline

    def hold(*args: object) -> None:
        released.wait(state["seconds"])

    def making(*args: object) -> object:
        made = make(*args)  # type: ignore[arg-type]
        made["out"].connect("handoff", hold)
        return made

    monkeypatch.setattr(surface, "Pipeline", making)
    yield state
    released.set()


@pytest.fixture
def reports() -> list[Any]:
    """What is told of the display."""
    return []


@pytest.fixture
def screen(run, loop: Loop, held: dict[str, float], reports: list[Any]) -> Iterator[Screen]:
    output = Output(driver="window", width=640, height=360, framerate=30)
    made = Screen(loop, SharedClock(), output, DeviceReporter("display", False, reports.append))
    run(made.start)
    yield made
    run(made.close)


class Feeding:
    """Pictures of one source at 30 a second, until it is closed."""

    def __init__(self, screen: Screen, key: str, sample: object) -> None:
        self._stop = threading.Event()

        def feed() -> None:
            while not self._stop.wait(1 / 30):
                screen.show(key, sample)

        self._thread = threading.Thread(target=feed)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def feed(run, screen: Screen) -> Iterator[Callable[[str, object], None]]:
    feeding: list[Feeding] = []

    def begin(key: str, sample: object) -> None:
        run(lambda: screen.attach(key, f"Phòng {key}", lambda: sample))
        feeding.append(Feeding(screen, key, sample))

    yield begin
    for one in feeding:
        one.close()


def test_one_source_is_not_composed_with_words_or_without(run, screen: Screen, feed) -> None:
    assert screen._composer is not None, "an empty screen is"
    feed("a", picture(RED))
    wait_for(lambda: screen._composer is None, 40, "the short way")
    before = screen.rendered
    wait_for(lambda: screen.rendered > before + 10, 40, "pictures")
    run(lambda: screen.say("Micrô đang tắt"))
    before = screen.rendered
    wait_for(lambda: screen.rendered > before + 10, 40, "pictures with words")
    assert screen._composer is None, "words are drawn beside the picture"
    run(lambda: screen.announce("Nghỉ giải lao 10 phút"))
    assert screen._composer is not None, "large ones beneath it"
    run(lambda: screen.announce(""))
    wait_for(lambda: screen._composer is None, 40, "the short way again")
    feed("b", picture(BLUE))
    wait_for(lambda: screen._composer is not None, 40, "two sources")
    before = screen.pictures("a"), screen.pictures("b")
    wait_for(lambda: screen.pictures("a") > before[0] + 5, 40, "pictures of a")
    wait_for(lambda: screen.pictures("b") > before[1] + 5, 40, "pictures of b")
    run(lambda: screen.detach("b"))
    wait_for(lambda: screen._composer is None, 40, "alone again")


def test_a_source_that_falls_silent_does_not_stand_still_alone(run, screen: Screen) -> None:
    run(lambda: screen.attach("a", "", lambda: None))
    feeding = Feeding(screen, "a", picture(RED))
    wait_for(lambda: screen._composer is None, 5, "the short way")
    feeding.close()
    wait_for(lambda: screen._composer is not None, 5, "a composed screen")


def test_what_the_sink_holds_is_measured_and_counts_for_the_lips(
    run, screen: Screen, feed, held: dict[str, float]
) -> None:
    feed("a", picture(RED))
    wait_for(lambda: screen.delay_nanoseconds < 20_000_000, 10, "a sink that holds nothing")
    held["seconds"] = 0.033
    wait_for(lambda: screen.delay_nanoseconds > 35_000_000, 10, "a sink at 30 Hz")
    assert screen.sink_milliseconds >= 20


def test_a_sink_that_does_not_return_is_told_and_holds_nobody(
    run,
    screen: Screen,
    feed,
    held: dict[str, float],
    reports: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a Pi's driver after `flip_done timed out` (raspberrypi/linux#4493): the last picture stood still, and the
    display was well."""
    monkeypatch.setattr(screen_module, "STILL_SECONDS", 0.5)
    monkeypatch.setattr(putting_out, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(screen_module, "RETRY_SECONDS", 0.2)
    feed("a", picture(RED))
    wait_for(lambda: reports and reports[-1].open, 40, "word that it works")
    held["seconds"] = 60.0
    wait_for(lambda: not reports[-1].open, 40, "word that it does not")
    assert reports[-1].status.code == "no-screen"
    assert "shows no picture any more" in reports[-1].status.text
    began = time.monotonic()
    run(lambda: None)
    assert time.monotonic() - began < 5, "whoever decides goes on"
    assert screen.overloaded is None, "it is not the machine that cannot keep up"


def test_a_screen_works_when_it_has_shown_a_picture(
    run,
    screen: Screen,
    held: dict[str, float],
    reports: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was said to after a second, also by a sink that held the first one."""
    monkeypatch.setattr(screen_module, "STILL_SECONDS", 0.5)
    monkeypatch.setattr(putting_out, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(screen_module, "PROVEN_SECONDS", 0.1)
    run(screen.close)
    reports.clear()
    held["seconds"] = 60.0
    run(screen.start)
    wait_for(lambda: reports, 40, "word of it")
    assert [(one.open, one.status.code) for one in reports] == [(False, "no-screen")]


def test_pictures_that_the_screen_refuses_are_not_counted_as_shown(run, screen: Screen) -> None:
    """A Pi 4's decoder gave caps in DMABuf memory: the screen broke every 3 s, and health said 30/s."""
    run(lambda: screen.attach("a", "", lambda: None))
    raw = Gst.Buffer.new_wrapped(bytes(320 * 180 * 3 // 2))
    caps = "video/x-raw(memory:DMABuf),format=I420,width=320,height=180,framerate=20/1"
    refused = Gst.Sample.new(raw, Gst.Caps.from_string(caps), None, None)
    feeding = Feeding(screen, "a", refused)
    wait_for(lambda: not screen.lit, 10, "that it breaks")
    run(lambda: None)
    before = screen.pictures("a")
    time.sleep(0.5)
    assert screen.pictures("a") - before == 0
    feeding.close()


def test_a_machine_that_does_not_keep_up_is_said_and_asked_for_less(
    run, screen: Screen, feed, held: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strain, "WINDOW_SECONDS", 0.6)
    feed("a", picture(RED))
    wait_for(lambda: screen._composer is None, 40, "the short way")
    assert screen.overloaded is False
    held["seconds"] = 0.1
    wait_for(lambda: screen.overloaded, 40, "word of it")
    run(lambda: screen.say("Micrô đang tắt"))
    assert screen._surface._pipeline["size"].get_property("caps").to_string().count("320") == 1
    feed("b", picture(BLUE))
    wait_for(lambda: screen._composer and screen._composer._output.framerate == 15, 40, "half")
