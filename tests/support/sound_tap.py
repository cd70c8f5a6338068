"""What was said when: a receiver that knows of each sample the moment at which it was taken in the room.

Packets are kept as they come, before any jitter buffer, and decoded afterwards; the room's sender reports (RFC 3550, 6.4.1)
say which wall-clock time their timestamps are. So nothing of the receiver's own waiting is in it.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from aiortc import RTCPeerConnection
from aiortc.rtp import RtcpSrPacket, RtpPacket

from tests.support.peers import Receiver
from tests.support.sounds import RATE_HZ, Sound

UNIX_TO_NTP_SECONDS = 2_208_988_800
FRAME_SECONDS = 0.02
"""Of Opus: what begins in the middle of a frame may be heard, faintly, from its beginning."""

LOOKAHEAD_SECONDS = 312 / RATE_HZ
"""For which Opus's encoder holds sound back (RFC 7845, 4.2: the usual pre-skip)."""


class SoundTap(Receiver):
    """A Receiver that also keeps the sound's packets; `said` decodes them."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._packets: dict[int, RtpPacket] = {}
        self._clock: tuple[float, int] | None = None
        """A wall-clock time, and the timestamp that it has."""

    def prepare(self, pc: RTCPeerConnection) -> None:
        super().prepare(pc)
        receiver = next(t.receiver for t in pc.getTransceivers() if t.kind == "audio")
        handle_rtp, handle_rtcp = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def on_rtp(packet: RtpPacket, **arrival: int) -> None:
            self._packets[packet.timestamp] = packet
            await handle_rtp(packet, **arrival)

        async def on_rtcp(packet: Any) -> None:
            if isinstance(packet, RtcpSrPacket):
                told = packet.sender_info
                self._clock = told.ntp_timestamp / 2**32 - UNIX_TO_NTP_SECONDS, told.rtp_timestamp
            await handle_rtcp(packet)

        receiver._handle_rtp_packet = on_rtp
        receiver._handle_rtcp_packet = on_rtcp

    def said(self) -> list[tuple[float, Sound]]:
        """Each packet's sound and the Unix time at which its first sample was taken, in order. None before the first report."""
        if self._clock is None:
            return []
        decoder = av.CodecContext.create("libopus", "r")
        decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
        found = []
        for timestamp, packet in sorted(self._packets.items(), key=lambda item: self._at(item[0])):
            frames = decoder.decode(av.Packet(packet.payload))
            sound = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
            found.append((self._at(timestamp) - LOOKAHEAD_SECONDS, sound))
        return found

    def _at(self, timestamp: int) -> float:
        assert self._clock is not None
        wall, then = self._clock
        later = (timestamp - then + 2**31) % 2**32 - 2**31
        return wall + later / RATE_HZ

    def loud(self, began: float, ended: float, amplitude: int) -> int:
        """How many samples that were taken between these Unix times are louder than that."""
        return sum(
            int(np.count_nonzero((np.abs(sound.astype(int)) > amplitude) & within))
            for at, sound in self.said()
            for times in [at + np.arange(len(sound)) / RATE_HZ]
            for within in [(times >= began) & (times < ended)]
        )
