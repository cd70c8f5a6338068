"""What every part of the media process needs and none of them owns: given along, never global."""

from __future__ import annotations

from typing import NamedTuple

from agent.media.loop import Loop
from agent.media.pipeline import SharedClock
from agent.media.reporting import Send
from agent.media.webrtc.network import Network
from agent.settings import Devices, Media


class Context(NamedTuple):
    """`send` puts a report on the line to the daemon and may be called from any thread."""

    loop: Loop
    clock: SharedClock
    network: Network
    devices: Devices
    media: Media
    send: Send
