"""All that the demo needs running: the hub's broker, the media server and two rooms' daemons.

A context manager; on leaving it nothing that was started is left, whatever happened.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path

from tests.support.broker import Broker
from tests.support.closing import Closing
from tests.support.demo import recordings
from tests.support.demo.hub import Hub
from tests.support.demo.timeline import Timeline
from tests.support.media_server import MediaServer
from tests.support.room import Room

ROOT = Path(__file__).parents[3]
GROUP = "giao-ban"
TOPIC_ROOT = "diemcau/v1"
USUAL_PORT = 1883
"""The broker's, if nobody has it: then the README's lines work as they stand."""


def is_free(port: int) -> bool:
    """Whether nobody on this machine listens there."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Stage(Closing):
    """The rooms `lung_cu` (test picture and tone) and `dat_mui` (recordings), the hub, the server."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Stage:
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def close(self) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="diemcau-demo-")
        self.folder = Path(self._stack.enter_context(folder))
        self.broker = self._stack.enter_context(
            Broker(self.folder / "broker", own_ports=is_free(USUAL_PORT))
        )
        self.server = self._stack.enter_context(MediaServer())
        self._timeline.say("hub", f"broker on port {self.broker.port}, media on {self.server.url}")
        hub = Hub(self.broker.port, TOPIC_ROOT, self._timeline.heard)
        self.hub = self._stack.enter_context(hub)
        self.lung_cu, self.dat_mui = self.rooms = self._make_rooms()
        for room, other in (self.rooms, self.rooms[::-1]):
            room.use_hub(self.broker.port, TOPIC_ROOT)
            room.meet(other, self.server.url)
            self._stack.callback(room.stop)
            room.start()

    def _make_rooms(self) -> tuple[Room, Room]:
        lung_cu = Room("lung-cu", "Lũng Cú", self.folder / "lung-cu")
        dat_mui = Room("dat-mui", "Đất Mũi", self.folder / "dat-mui")
        words, video = self.folder / "words.wav", self.folder / "photograph.mp4"
        camera = dat_mui.devices["camera"]
        recordings.make_words(words)
        recordings.make_video(video, camera["width"], camera["height"], camera["framerate"])
        camera["source"] = str(video)
        dat_mui.devices["microphone"]["source"] = str(words)
        return lung_cu, dat_mui
