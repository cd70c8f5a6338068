"""The documented mosquitto_pub and mosquitto_sub lines, against a real broker and real rooms."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.samples import samples
from tests.support.broker import Broker
from tests.support.room import Room
from tests.support.waiting import wait_for

DEADLINE_SECONDS = 30
DOCUMENTED_PORT = "-p 1883 "


def lines(program: str, port: int) -> list[str]:
    """The README's lines for one program, with the test's own port."""
    (sample,) = [s for s in samples("README.md", "sh") if s.kind == "broker"]
    found = [line for line in sample.text.splitlines() if line.startswith(program)]
    assert all(DOCUMENTED_PORT in line for line in found)
    return [line.replace(DOCUMENTED_PORT, f"-p {port} ") for line in found]


@contextlib.contextmanager
def listening(line: str, output: Path) -> Iterator[None]:
    with (
        output.open("wb") as file,
        subprocess.Popen(f"exec {line}", shell=True, stdout=file) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[tuple[Room, Broker]]:
    with Broker(tmp_path / "broker") as broker:
        room = Room("lung-cu", "Lũng Cú", tmp_path / "room")
        room.use_hub(broker.port, "diemcau/v1")
        room.start()
        try:
            room.wait_online()
            yield room, broker
        finally:
            room.stop()


def test_what_the_readme_says_can_be_typed(room: tuple[Room, Broker], tmp_path: Path) -> None:
    """A join without a media server is answered too: what counts here is that the room obeys."""
    _, broker = room
    seen = tmp_path / "seen"
    (subscribe,) = lines("mosquitto_sub", broker.port)
    with listening(subscribe, seen):
        wait_for(lambda: b'"connection":"online"' in seen.read_bytes(), DEADLINE_SECONDS, "state")
        for line in lines("mosquitto_pub", broker.port):
            subprocess.run(line, shell=True, check=True, timeout=DEADLINE_SECONDS)
        for words in (
            (b'"type":"join"', b'"state":"accepted"'),
            (b'"type":"join"', b'"state":"superseded"'),
            (b'"type":"volume"', b'"state":"succeeded"'),
            (b'"type":"leave"', b'"state":"succeeded"'),
        ):
            wait_for(
                lambda words=words: any(
                    all(word in line for word in words) for line in seen.read_bytes().splitlines()
                ),
                DEADLINE_SECONDS,
                f"an ack with {words}",
            )
