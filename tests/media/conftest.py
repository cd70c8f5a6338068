"""Fixtures of the media tests: one media server for all of them, and the media process's loop in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from agent.media.loop import Loop
from tests.support.media_server import MediaServer


@pytest.fixture(scope="session")
def media_server() -> Iterator[MediaServer]:
    with MediaServer() as server:
        yield server


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.post(loop.stop)
    thread.join(60)


@pytest.fixture
def run(loop: Loop) -> Callable[[Callable[[], object]], None]:
    """What is given is done in the loop's thread."""

    def do(call: Callable[[], object]) -> None:
        done = threading.Event()
        loop.post(lambda: (call(), done.set()))
        assert done.wait(60)

    return do
