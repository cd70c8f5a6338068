"""Sends a picture's packets evenly: a keyframe in one burst would hold up the sound behind it.

The sleeping is done in the appsrc's thread that sends the picture, so pictures queue up there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from agent.media.gst import Gst
from agent.media.pipeline import weakly

PACE = 1.1
"""Of the picture's bitrate: what is late shall catch up, and no more, or the sound behind it is late."""


class Pacer:
    """Of one pad, from `follow` with a bitrate until `follow(None)`; `follow` in one thread only."""

    def __init__(self, pad: Any) -> None:
        self._pad = pad
        self._probe: int | None = None
        self._bits_per_second = 0.0
        self._free_at = 0.0

    def follow(self, bits_per_second: int | None) -> None:
        """The picture's bitrate; None sends packets as they come, which costs least."""
        if bits_per_second:
            self._bits_per_second = PACE * bits_per_second
        if bits_per_second and self._probe is None:
            kinds = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
            self._probe = self._pad.add_probe(kinds, weakly(self._on_packets))
        elif not bits_per_second and self._probe is not None:
            self._pad.remove_probe(self._probe)
            self._probe = None

    def _on_packets(self, pad: Any, info: Any) -> Any:
        """One by one; what is passed on here is dropped there."""
        for packet in _packets(info):
            now = time.monotonic()
            if self._free_at > now:
                time.sleep(self._free_at - now)
            busy = packet.get_size() * 8 / self._bits_per_second
            self._free_at = max(now, self._free_at) + busy
            pad.get_peer().chain(packet)
        return Gst.PadProbeReturn.DROP


def _packets(info: Any) -> Iterator[Any]:
    if info.type & Gst.PadProbeType.BUFFER_LIST:
        packets = info.get_buffer_list()
        yield from (packets.get(index) for index in range(packets.length()))
    else:
        yield info.get_buffer()
