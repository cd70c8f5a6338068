"""Hands RTP packets of one aiortc session on to others, undecoded and numbered as they came.

aiortc has no such mode, so this stands in two places of it: where a receiver's jitter buffer would
be, and where a sender's packetizer would be. Used by `tests.support.media_server`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.clock import current_ntp_time
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPsfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
)

from tests.support.transport_feedback import INTERVAL_SECONDS, TransportFeedback

if TYPE_CHECKING:
    from tests.support.adapting import Player

NACK_SECONDS = 0.1
NACK_ATTEMPTS = 10
"""As pion, which most WHIP servers are made with: asks again every 100 ms, ten times."""

REPORT_SECONDS = 0.5
"""Between the reports of a source that is not there."""

HISTORY_PACKETS = 128
"""aiortc's own RTP_HISTORY_SIZE: what a sender can retransmit."""


def _private(instance: object, name: str) -> Any:
    return getattr(instance, f"_{type(instance).__name__}__{name}")


HEADER_BYTES = 58
"""Of IP, UDP and RTP with one extension, and SRTP's tag."""


class Inlet:
    """A publisher's stream: takes its packets and sender reports and gives them to the outlets."""

    def __init__(
        self, receiver: RTCRtpReceiver, feedback: TransportFeedback, *, tells_of: bool = True
    ) -> None:
        """`tells_of`: whether feedback knows this stream's packets."""
        self._tells_of = tells_of
        self.kind: str = _private(receiver, "kind")
        self.keyframe_requests = 0
        self.first_packet_monotonic_seconds: float | None = None
        self.packets = 0
        self.bytes_on_the_link = 0
        self._receiver = receiver
        self._outlets: set[Outlet] = set()
        self._report: RtcpSenderInfo | None = None
        self._handle_rtcp = receiver._handle_rtcp_packet
        receiver._handle_rtcp_packet = self._on_rtcp
        self._feedback = feedback
        self._handle_rtp = receiver._handle_rtp_packet
        receiver._handle_rtp_packet = self._on_rtp
        receiver._RTCRtpReceiver__jitter_buffer = self
        self._gaps = Gaps()
        receiver._RTCRtpReceiver__nack_generator = self._gaps
        self._tasks = [
            asyncio.ensure_future(self._ask_again()),
            asyncio.ensure_future(self._tell()),
        ]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """What aiortc calls on its jitter buffer: no keyframe wanted, no frame complete."""
        if self.first_packet_monotonic_seconds is None:
            self.first_packet_monotonic_seconds = time.monotonic()
        self.packets += 1
        self.bytes_on_the_link += len(packet.payload) + HEADER_BYTES
        for outlet in tuple(self._outlets):
            outlet.forward(packet)
        return False, None

    async def _on_rtp(self, packet: RtpPacket, **arrival: int) -> None:
        number = packet.extensions.transport_sequence_number
        if self._tells_of and number is not None:
            self._feedback.note(number)
        await self._handle_rtp(packet, **arrival)

    async def _on_rtcp(self, packet: Any) -> None:
        await self._handle_rtcp(packet)
        if isinstance(packet, RtcpSrPacket):
            self._report = packet.sender_info
            for outlet in tuple(self._outlets):
                outlet.report(packet.sender_info)

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(NACK_SECONDS)
            if missing := self._gaps.ask_again():
                ssrc = next(iter(_private(self._receiver, "remote_streams")))
                await self._receiver._send_rtcp_nack(ssrc, missing)

    async def _tell(self) -> None:
        """When packets arrived, of both kinds: whichever inlet is first says it."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            ours = _private(self._receiver, "rtcp_ssrc")
            theirs = next(iter(_private(self._receiver, "remote_streams")), None)
            if ours and theirs and (report := self._feedback.report(ours, theirs)):
                with contextlib.suppress(ConnectionError):
                    await self._receiver.transport._send_rtp(report)

    async def limit(self, bits_per_second: int) -> None:
        """Ask the publisher to send no more (draft-alvestrand-rmcat-remb-03)."""
        ours = _private(self._receiver, "rtcp_ssrc")
        if streams := list(_private(self._receiver, "remote_streams")):
            fci = pack_remb_fci(bits_per_second, streams)
            await self._receiver._send_rtcp(
                RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=ours, media_ssrc=0, fci=fci)
            )

    async def request_keyframe(self) -> None:
        """Send the publisher a PLI (RFC 4585, 6.3.1)."""
        self.keyframe_requests += 1
        for ssrc in list(_private(self._receiver, "remote_streams")):
            await self._receiver._send_rtcp_pli(ssrc)

    def attach(self, outlet: Outlet) -> None:
        self._outlets.add(outlet)
        if self._report is not None:
            outlet.report(self._report)

    def detach(self, outlet: Outlet) -> None:
        self._outlets.discard(outlet)


class Silence:
    """A source that is not there, in a session that stays: sender reports come, and no packet."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._tasks: dict[Outlet, asyncio.Task[None]] = {}

    def attach(self, outlet: Outlet) -> None:
        self._tasks[outlet] = asyncio.ensure_future(self._report(outlet))

    def detach(self, outlet: Outlet) -> None:
        if task := self._tasks.pop(outlet, None):
            task.cancel()

    async def request_keyframe(self) -> None:
        """Nobody is there to make one."""

    async def _report(self, outlet: Outlet) -> None:
        while True:
            outlet.report(RtcpSenderInfo(current_ntp_time(), 0, 0, 0))
            await asyncio.sleep(REPORT_SECONDS)


class Gaps:
    """Stands where aiortc's NACK generator would be, which repeats all it misses at every loss."""

    def __init__(self) -> None:
        self.missing: list[int] = []
        self._attempts: dict[int, int] = {}
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> bool:
        """Whether there is a new gap before this packet; it is in `missing` then."""
        number = packet.sequence_number
        self._attempts.pop(number, None)
        ahead = (number - self._newest) & 0xFFFF if self._newest is not None else 1
        if ahead >= 0x8000 or ahead == 0:
            return False
        self.missing = [(number - back) & 0xFFFF for back in range(ahead - 1, 0, -1)]
        self.missing = self.missing[-HISTORY_PACKETS:]
        self._newest = number
        self._attempts |= dict.fromkeys(self.missing, 1)
        return bool(self.missing)

    def ask_again(self) -> list[int]:
        """What is still missing and worth another attempt."""
        self._attempts = {
            number: attempts + 1
            for number, attempts in self._attempts.items()
            if attempts < NACK_ATTEMPTS
        }
        return sorted(self._attempts)


class Outlet:
    """A player's stream: what an aiortc sender sends instead of a track of its own."""

    def __init__(
        self, sender: RTCRtpSender, inlet: Inlet | Silence, player: Player | None = None
    ) -> None:
        """Without `player` all is sent, whatever its link carries."""
        self._sender = sender
        self._inlet = inlet
        self._player = player
        self._left_out = 0
        self._payload_type: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        sender._run_rtp = self._run_rtp
        sender._run_rtcp = self._run_rtcp
        sender._send_keyframe = lambda: self._spawn(self._inlet.request_keyframe())

    def mute(self) -> None:
        """The source is gone: its reports go on, and nothing else ever comes."""
        self._inlet.detach(self)
        self._inlet = Silence(self._inlet.kind)
        if self._payload_type is not None:
            self._inlet.attach(self)

    async def _run_rtp(self, codec: Any) -> None:
        self._payload_type = codec.payloadType
        self._inlet.attach(self)
        _private(self._sender, "rtp_started").set()
        try:
            await asyncio.Event().wait()
        finally:
            self._inlet.detach(self)
            _private(self._sender, "rtp_exited").set()

    async def _run_rtcp(self) -> None:
        _private(self._sender, "rtcp_started").set()
        try:
            await asyncio.Event().wait()
        finally:
            _private(self._sender, "rtcp_exited").set()

    def forward(self, packet: RtpPacket) -> None:
        assert self._payload_type is not None
        if self._player and self._inlet.kind == "video" and not self._player.passes(packet):
            self._left_out += 1
            _private(self._sender, "rtp_history").clear()  # nor is any of it sent again
            return
        copy = RtpPacket(
            payload_type=self._payload_type,
            marker=packet.marker,
            sequence_number=(packet.sequence_number - self._left_out) & 0xFFFF,
            timestamp=packet.timestamp,
            ssrc=self._sender._ssrc,
            payload=packet.payload,
        )
        copy.extensions.mid = _private(self._sender, "mid")
        if self._player:
            copy.extensions.transport_sequence_number = self._player.number(packet)
        _private(self._sender, "rtp_history")[copy.sequence_number % HISTORY_PACKETS] = copy
        self._send(copy.serialize(_private(self._sender, "rtp_header_extensions_map")))

    def report(self, info: RtcpSenderInfo) -> None:
        """The publisher's own clock goes on, so that the player can keep lips and sound together."""
        self._send(bytes(RtcpSrPacket(ssrc=self._sender._ssrc, sender_info=info)))

    def _send(self, data: bytes) -> None:
        self._spawn(self._send_quietly(data))

    async def _send_quietly(self, data: bytes) -> None:
        try:
            await self._sender.transport._send_rtp(data)
        except ConnectionError:
            self._inlet.detach(self)

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
