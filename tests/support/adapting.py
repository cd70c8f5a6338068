"""What a media server that adapts does for one player: of the picture it sends what the player's link
carries, and it asks the publisher for no more.

The player's feedback tells what arrives, and REMB tells the publisher, as Galene does it (so all players
have what the narrowest takes). What the link carries is judged by the agent's own rules.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiortc.rtp import RtpPacket

from agent.media.sending.rate import (
    OVERHEAD_BITS_PER_SECOND,
    TRANSPORT_FEEDBACK,
    LinkReport,
    Pace,
    RateControl,
)
from agent.media.webrtc.rtcp import packets
from agent.media.webrtc.transport_feedback import HEADER_BYTES, Feedback, Packet
from tests.support import transport_feedback

FLOOR, CEILING = 150_000, 1_500_000
LOOK_SECONDS = 0.25
BLINDLY = Pace(TRANSPORT_FEEDBACK.effect_seconds, 1.0)
"""Without a picture nothing tells how much more the link would carry, and a trial disturbs the sound."""

PARAMETER_SET, AGGREGATE = 7, 24
"""What a keyframe begins with (RFC 6184): alone or in one packet with more."""


class Player:
    """Counts what is sent to it; `passes` says what of the picture is sent at all."""

    def __init__(self, picture: Any) -> None:
        """`picture`: the publisher's inlet, or None."""
        self._picture = picture
        self._rate = RateControl(FLOOR, CEILING)
        self._feedback = Feedback()
        self._sent: dict[int, tuple[int, float]] = {}
        self._number = 0
        self._keyframe_wanted = False
        self._looking = asyncio.ensure_future(self._look())

    def close(self) -> None:
        self._looking.cancel()

    def number(self, packet: RtpPacket) -> int:
        """The transport-wide number of one that is sent now."""
        self._number = (self._number + 1) & 0xFFFF
        self._sent[self._number] = (len(packet.payload) + HEADER_BYTES, time.monotonic())
        return self._number

    def passes(self, packet: RtpPacket) -> bool:
        """Whether this packet of the picture goes on."""
        targets = self._rate.targets
        if targets.picture is None or targets.waits:
            self._keyframe_wanted = True
        elif self._keyframe_wanted and packet.payload[0] & 31 in (PARAMETER_SET, AGGREGATE):
            self._keyframe_wanted = False
        return not self._keyframe_wanted

    def hear(self, compound: bytes) -> None:
        """RTCP of the player."""
        for _, _, packet in packets(compound):
            told = [
                Packet(*self._sent.pop(number), at)
                for number, at in transport_feedback.read(packet)
                if number in self._sent
            ]
            if told and (carried := self._feedback.update(told)):
                pace = TRANSPORT_FEEDBACK if self._rate.targets.picture else BLINDLY
                self._follow(LinkReport(*carried, pace))

    def _follow(self, report: LinkReport) -> None:
        before, now = self._rate.targets, time.monotonic()
        after = self._rate.update(report, now)
        if (after.picture or 0) < (before.picture or 0) or after.waits != before.waits:
            self._feedback.judge_from(now)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._rate.pass_time(time.monotonic()):
                self._feedback.queue.forget()
            if self._picture:
                targets = self._rate.targets
                picture = max(targets.picture or 0, FLOOR)
                await self._picture.limit(picture + targets.sound + OVERHEAD_BITS_PER_SECOND)
                if self._keyframe_wanted and targets.picture and not targets.waits:
                    await self._picture.request_keyframe()
