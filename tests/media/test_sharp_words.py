"""Words stand on the screen in its own resolution, however small the pictures are that they lie over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.picture.scene import Scene
from agent.media.picture.screen import Screen
from agent.media.picture.snapshot import write_scene
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.settings import Output
from tests.support.waiting import wait_for

WIDTH, HEIGHT = 1920, 1080
OUTPUT = Output(driver="window", width=WIDTH, height=HEIGHT)
PLANE = (
    f"videoscale method=bilinear ! video/x-raw,format=I420,width={WIDTH},height={HEIGHT} "
    "! fakesink name=out sync=false"
)
"""Scales what it is given to the screen, as a display controller's plane does."""

SHARP = 110
"""Steps of brightness, of 255, from one pixel to the next at a letter's edge. Letters that were drawn three times
smaller reach 75."""


def grey(width: int, height: int) -> object:
    """A picture without any edge of its own."""
    data = bytes([110]) * (width * height) + bytes([128]) * (width * height // 2)
    caps = f"video/x-raw,format=I420,width={width},height={height},framerate=30/1,pixel-aspect-ratio=1/1"
    return Gst.Sample.new(Gst.Buffer.new_wrapped(data), Gst.Caps.from_string(caps), None, None)


def edges(shot: np.ndarray) -> float:
    """The steepest steps from one pixel to the next, the middle of the best hundred."""
    steps = np.abs(np.diff(shot.astype(int), axis=1)).ravel()
    return float(np.median(np.sort(steps)[-100:]))


class Room:
    """A screen of a meeting, whose sources each bring a picture when it is asked for a shot."""

    def __init__(self) -> None:
        self._loop = Loop()
        self._thread = threading.Thread(target=self._loop.run)
        self._thread.start()
        reporter = DeviceReporter("display", False, lambda report: None)
        self.screen = Screen(self._loop, SharedClock(), OUTPUT, reporter)
        self._samples: dict[str, object] = {}
        self.do(self.screen.start)

    def do(self, call: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.post(lambda: (call(), done.set()))
        assert done.wait(10)

    def add(self, key: str, label: str, sample: object) -> None:
        self._samples[key] = sample
        self.do(lambda: self.screen.attach(key, label, lambda: sample))

    def show(self) -> None:
        for key, sample in self._samples.items():
            self.screen.show(key, sample)

    def is_short(self) -> bool:
        """Whether a source is shown alone, without being composed."""
        self.show()
        return self.screen._composer is None

    def shot(self) -> np.ndarray:
        """Brightness, as it is on the plane now."""
        surface = self.screen._surface
        sample = surface._out.get_property("last-sample") if surface else None
        if sample is None:
            return np.zeros((HEIGHT, WIDTH), np.uint8)
        buffer = sample.get_buffer()
        pixels = np.frombuffer(buffer.extract_dup(0, WIDTH * HEIGHT), np.uint8)
        return pixels.reshape(HEIGHT, WIDTH)

    def close(self) -> None:
        self.do(self.screen.close)
        self._loop.post(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(Screen, "_sink", lambda self: PLANE)
    made = Room()
    yield made
    made.close()


def sharp(room: Room, part: tuple[slice, slice]) -> Callable[[], bool]:
    def look() -> bool:
        room.show()
        return edges(room.shot()[part]) > SHARP

    return look


BOTTOM_LEFT = slice(HEIGHT * 3 // 4, HEIGHT), slice(0, WIDTH // 2)
TOP_LEFT = slice(0, HEIGHT // 4), slice(0, WIDTH // 2)
TOP_RIGHT = slice(0, HEIGHT // 4), slice(WIDTH // 2, WIDTH)


@pytest.mark.parametrize("size", [(640, 360), (320, 180), (360, 640), (1280, 720)])
def test_the_words_over_one_source_are_sharp(room: Room, size: tuple[int, int]) -> None:
    room.do(lambda: room.screen.head("Giao ban"))
    room.do(lambda: room.screen.say("Mọi người đang nghe phòng này"))
    room.add("a", "Xã Lũng Cú", grey(*size))
    if size[0] > size[1]:  # words beside an upright picture would have its width alone
        wait_for(room.is_short, 40, "the short way")
        wait_for(sharp(room, BOTTOM_LEFT), 40, "a sharp label")
    wait_for(sharp(room, TOP_LEFT), 40, "a sharp title and clock")
    wait_for(sharp(room, TOP_RIGHT), 40, "sharp words")


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_the_labels_of_composed_sources_are_sharp(room: Room, size: tuple[int, int]) -> None:
    room.add("a", "Xã Lũng Cú", grey(*size))
    room.add("b", "Xã Đồng Văn", grey(*size))
    wait_for(sharp(room, (slice(HEIGHT // 2, HEIGHT), slice(0, WIDTH // 2))), 40, "the left label")
    wait_for(
        sharp(room, (slice(HEIGHT // 2, HEIGHT), slice(WIDTH // 2, WIDTH))), 40, "the right label"
    )


def test_the_label_in_a_snapshot_is_sharp(tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    write_scene(OUTPUT, Scene([("Xã Lũng Cú", grey(640, 360))]), str(path))
    with av.open(str(path)) as file:
        shot = next(file.decode(video=0)).to_ndarray(format="gray")
    assert edges(shot[BOTTOM_LEFT]) > SHARP


def test_a_picture_larger_than_the_screen_is_not_scaled_for_its_words(room: Room) -> None:
    room.add("a", "Xã Lũng Cú", grey(2560, 1440))
    wait_for(room.is_short, 40, "the short way")
    wait_for(sharp(room, BOTTOM_LEFT), 40, "a sharp label")
    last = room.screen._surface._pipeline["last"].get_static_pad("sink")

    def width() -> int:
        room.show()
        return int(last.get_current_caps().get_structure(0).get_value("width"))

    wait_for(lambda: width() == 2560, 40, "the picture's own size")
