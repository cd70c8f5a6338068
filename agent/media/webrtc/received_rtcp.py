"""What the other end of one session tells by RTCP, as it comes."""

from __future__ import annotations

import time
from typing import Any

from agent.media.gst import Gst
from agent.media.webrtc import rtcp
from agent.media.webrtc.rtcp import ReportBlock


class ReceivedRtcp:
    """Written by GStreamer's thread, read by any."""

    def __init__(self) -> None:
        self.packets = 0
        self.byes = 0
        """How many streams the other end has said good-bye to (RFC 3550, 6.6)."""

        self.reports: dict[int, ReportBlock] = {}
        """The newest of each of our streams, by SSRC."""

        self.receiver_limit: int | None = None
        """The bits per second that the other end takes at most, if it says so."""

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
        self.receiver_limit = rtcp.receiver_limit(packet) or self.receiver_limit
        self.byes += rtcp.byes(packet)
        return Gst.PadProbeReturn.OK
