"""The room's own picture in the corner of its screen: when it is seen, and that it is what the camera sends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.devices import registry
from agent.media import decoder
from agent.media.context import Context
from agent.media.decoder import ELEMENTS
from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.picture.screen import Screen
from agent.media.picture.self_view import SelfView
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.settings import Camera, Devices, Display, Media, Output
from tests.support.pi_decoder import register
from tests.support.waiting import wait_for

SINK = "capsfilter caps=video/x-raw,format=I420 ! fakesink name=out sync=false"


@pytest.fixture
def room(
    run, loop: Loop, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Any]:
    """A screen of 320x180, a camera that films, and the view between them as the test's parameter says."""
    monkeypatch.setattr(Screen, "_sink", lambda self: SINK)
    output = Output(driver="window", width=320, height=180, framerate=20)
    devices = Devices(
        camera=Camera(driver="simulated", width=320, height=180, framerate=10),
        display=Display(output=output, self_view=request.param),
    )
    reporter = DeviceReporter("display", False, lambda _: None)
    clock = SharedClock()
    screen = Screen(loop, clock, output, reporter)
    context = Context(loop, clock, None, devices, Media(), lambda _: None)  # type: ignore[arg-type]
    assert devices.camera
    camera = registry.camera(devices.camera, devices.simulation)
    view = SelfView(context, screen, camera.request_keyframe)
    run(screen.start)
    run(view.start)
    made = Room(screen, camera, run)
    camera.start(lambda unit: (made.units.append(unit), view.take(unit)), lambda _: None)
    yield made
    camera.close()
    run(view.close)
    run(screen.close)


class Room:
    def __init__(self, screen: Screen, camera: Any, run: Callable[..., None]) -> None:
        self.screen, self.camera, self.run = screen, camera, run
        self.units: list[object] = []

    @property
    def sees_itself(self) -> bool:
        return self.screen.scene().own is not None

    def hear_of_another(self) -> Feeding:
        self.run(lambda: self.screen.attach("a", "A", lambda: None))
        return Feeding(self.screen, "a", grey())


class Feeding:
    """Pictures of a source, until it is closed."""

    def __init__(self, screen: Screen, key: str, sample: Any) -> None:
        self._stop = threading.Event()

        def feed() -> None:
            while not self._stop.wait(0.05):
                screen.show(key, sample)

        self._thread = threading.Thread(target=feed)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def grey() -> Any:
    caps = "video/x-raw,format=I420,width=320,height=180,framerate=20/1"
    raw = Gst.Buffer.new_wrapped(b"\x80" * (320 * 180 * 3 // 2))
    return Gst.Sample.new(raw, Gst.Caps.from_string(caps), None, None)


@pytest.mark.parametrize("room", ["alone"], indirect=True)
def test_a_room_sees_itself_while_nobody_else_is_seen(room: Room) -> None:
    wait_for(lambda: room.sees_itself, 20, "the own picture, alone")
    caps = room.screen.scene().own.get_caps().get_structure(0)
    assert (caps.get_value("width"), caps.get_value("height")) == (320, 180)
    other = room.hear_of_another()
    try:
        wait_for(lambda: not room.sees_itself, 20, "that the others have the screen")
    finally:
        other.close()
    wait_for(lambda: room.sees_itself, 20, "the own picture again, the other is gone")
    room.camera.close()
    wait_for(lambda: not room.sees_itself, 20, "no picture of a closed camera")


@pytest.mark.parametrize("room", ["always"], indirect=True)
def test_always_is_beside_the_others_too(room: Room) -> None:
    wait_for(lambda: room.sees_itself, 20, "the own picture")
    other = room.hear_of_another()
    try:
        wait_for(lambda: not room.screen.alone, 20, "the other")
        shown = room.screen.pictures("own"), room.screen.pictures("a")
        wait_for(lambda: room.screen.pictures("own") > shown[0] + 5, 20, "own pictures go on")
        wait_for(lambda: room.screen.pictures("a") > shown[1] + 5, 20, "the other's too")
        assert room.sees_itself
    finally:
        other.close()


@pytest.mark.parametrize("room", ["off"], indirect=True)
def test_off_decodes_nothing(room: Room) -> None:
    wait_for(lambda: len(room.units) > 12, 20, "more than two looks")
    assert not room.sees_itself
    assert room.screen.pictures("own") == 0


@pytest.fixture(params=["pinomemory", "piunopenable", "pisilent"])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ELEMENTS, "H264", (register(request.param), "avdec_h264"))
    monkeypatch.setattr(decoder, "HANG_SECONDS", 0.3)


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("room", ["alone"], indirect=True)
def test_another_decoder_shows_it_where_the_first_one_fails(room: Room) -> None:
    """A Pi's decoder has no memory for one stream more while it decodes others."""
    wait_for(lambda: room.screen.pictures("own") > 20, 8, "own pictures, by the next decoder")
