"""What the other end of one session tells by RTCP, as it comes."""

from __future__ import annotations

import time
from typing import Any

from agent.media.gst import Gst
from agent.media.webrtc import rtcp
from agent.media.webrtc.rtcp import ReportBlock

LIMIT_SECONDS = 10.0
"""How long what a receiver says it can take (REMB) holds without being said again."""


class ReceivedRtcp:
    """Written by GStreamer's thread, read by any."""

    def __init__(self) -> None:
        self.packets = 0
        self.byes = 0
        """How many streams the other end has said good-bye to (RFC 3550, 6.6)."""

        self.reports: dict[int, ReportBlock] = {}
        """The newest of each of our streams, by SSRC."""

        self._limit: int | None = None
        self._limited_seconds = 0.0

    @property
    def receiver_limit(self) -> int | None:
        """The bits per second that the other end takes at most, if it has said so lately: who limits us
        repeats it each second, and who has forgotten it limits nobody.
        """
        fresh = time.monotonic() - self._limited_seconds < LIMIT_SECONDS
        return self._limit if fresh else None

    def watch(self, _rtpbin: Any, pad: Any) -> None:
        """For rtpbin's signal `pad-added`."""
        if pad.get_name().startswith("recv_rtcp_sink"):
            pad.add_probe(Gst.PadProbeType.BUFFER, self._take)

    def _take(self, _pad: Any, info: Any) -> Any:
        self.packets += 1
        buffer = info.get_buffer()
        packet = bytes(buffer.extract_dup(0, buffer.get_size()))
        for block in rtcp.report_blocks(packet, time.time()):
            self.reports[block.ssrc] = block
        if limit := rtcp.receiver_limit(packet):
            self._limit, self._limited_seconds = limit, time.monotonic()
        self.byes += rtcp.byes(packet)
        return Gst.PadProbeReturn.OK
