"""The agent's own downlink and loudspeaker in this process, so that each picture can be looked at."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from agent.core.model.commands import Source
from agent.core.model.hosts import AllowedHosts
from agent.media.context import Context
from agent.media.loop import Loop
from agent.media.pipeline import SharedClock
from agent.media.receiving.downlink import Downlink
from agent.media.receiving.lipsync import Paths
from agent.media.receiving.reception import Outlets
from agent.media.reporting import DeviceReporter
from agent.media.sound.speaker import SpeakerFeed
from agent.ports import Speaker
from agent.settings import Devices, Media
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.session_network import make_network

CLOSE_SECONDS = 10


@contextlib.contextmanager
def viewing(
    url: str,
    make_speaker: Callable[[], Speaker],
    on_picture: Callable[[Any], None],
    own_delay_seconds: float = 0.0,
) -> Iterator[Downlink]:
    """Play this source; `on_picture` gets each sample when it is due, in a streaming thread."""
    loop, clock = Loop(), SharedClock()
    reporter = DeviceReporter("speaker", False, lambda report: None)
    speaker = SpeakerFeed(clock, make_speaker, 100, reporter, own_delay_seconds=own_delay_seconds)
    downlink = Downlink(
        Context(
            loop,
            clock,
            make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS))),
            Devices(),
            Media(),
            lambda report: None,
        ),
        Source(url),
        report=lambda state, text: None,
        outlets=Outlets(
            on_picture=on_picture,
            sound=speaker.attach(url),
            on_sound=lambda buffer, due: None,
            on_unit=lambda buffer, due: None,
        ),
        paths=lambda: Paths(speaker.delay_nanoseconds, 0),
    )
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    speaker.start()
    loop.post(downlink.start)
    try:
        yield downlink
    finally:
        loop.post(downlink.close)
        loop.post(loop.stop)
        thread.join(CLOSE_SECONDS)
        speaker.close()


def captured_seconds(sample: Any, framerate: float) -> float:
    """When the simulated camera took this picture: its counter n was at n / framerate, monotonic."""
    structure = sample.get_caps().get_structure(0)
    width, height = structure.get_value("width"), structure.get_value("height")
    buffer = sample.get_buffer()
    row = np.frombuffer(buffer.extract_dup(height // 36 * width, width), np.uint8)
    bits = (row[(2 * bit + 1) * width // 32] > 125 for bit in range(16))
    number = sum(1 << bit for bit, white in enumerate(bits) if white)
    newest = int(time.monotonic() * framerate)
    return (newest - ((newest - number) & 0xFFFF)) / framerate
