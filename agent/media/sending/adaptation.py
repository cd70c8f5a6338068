"""Keeps what the uplink sends within what the link carries, sound first.

By what the server tells of each packet, or else by its reports and what it asks to be sent again; encoders,
pacer and retransmissions follow `agent.media.sending.rate`. All but the requests in the loop's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from agent.core.model.h264 import level
from agent.media.loop import Loop
from agent.media.sending.pacing import Pacer
from agent.media.sending.rate import TRANSPORT_FEEDBACK, LinkReport, RateControl, Targets
from agent.media.sending.retransmission import SOUND_PER_SECOND, RetransmissionBudget, SuddenLoss
from agent.media.sending.send_times import SendTimes
from agent.media.webrtc.queue import Queue
from agent.media.webrtc.rtcp import ReportBlock
from agent.media.webrtc.session import MediaSession
from agent.media.webrtc.transport_feedback import Feedback, Packet
from agent.ports import THUMBNAIL
from agent.settings import Camera

TICK_SECONDS = 0.25
HOLD_SECONDS = 0.6
"""For a modem's queue to drain, where the server does not tell of each packet."""

REMEMBERED_REPORTS = 30
"""Of those that come once a second."""

FEEDBACK_SECONDS = 1.0
"""A server that told of each packet that lately still does so."""

MEND_SECONDS = 2.0
"""Between keyframes that nobody asked for: each is as large as half a second of picture."""

NARROW_SHARE = 0.1
"""Of the retransmissions that a wide link bears, where less than half of the picture fits."""

LEAST_EXPECTED_LOSS, MOST_EXPECTED_LOSS = 5, 25
"""Percent that Opus's error correction is made for; more costs the speech itself."""


class Bounds(NamedTuple):
    """A picture's least and greatest bitrate, in bit/s."""

    floor: int
    ceiling: int


SMALL = Bounds(25_000, THUMBNAIL.bits_per_second)
"""Less shows nothing; more would leave no room to shrink in, with the sound beside it (rate.HEADROOM)."""


class PictureEncoder(NamedTuple):
    """The camera's encoder as the uplink steers it; its settings name the bitrate's floor and ceiling."""

    settings: Camera
    set_bitrate: Callable[[int], None]
    """Takes bit/s."""
    request_keyframe: Callable[[], None]

    @property
    def level(self) -> int:
        """Ten times the H.264 level of its pictures."""
        return level(self.settings.width, self.settings.height, self.settings.framerate)

    def bounds(self, *, small: bool) -> Bounds:
        """Of the full picture, or of a thumbnail."""
        if small:
            return SMALL
        ceiling = self.settings.bitrate
        return Bounds(min(self.settings.minimum_bitrate, ceiling), ceiling)


def make_rate_control(encoder: PictureEncoder | None) -> RateControl:
    """For a room's uplink, over all its sessions: the link stays what it was when a session is new."""
    return RateControl(*encoder.bounds(small=False)) if encoder else RateControl(0, 0)


class Streams(NamedTuple):
    """The SSRCs of what one session sends."""

    picture: int
    sound: int


class Adaptation:
    """Holds one session that is up to what `rate` allows, until the next session has its own.

    `targets` are the bitrates in force. `on_return` is called when a picture that was given up is back.
    """

    def __init__(
        self,
        loop: Loop,
        session: MediaSession,
        streams: Streams,
        rate: RateControl,
        encoder: PictureEncoder | None,
        on_return: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._session = session
        self._streams = streams
        self._rate = rate
        self._encoder = encoder
        self._on_return = on_return
        self.targets = rate.targets
        self._broken = False
        self._loss = 0.0
        self._mended_seconds = 0.0
        self._seen: dict[int, ReportBlock] = {}
        picture, sound = session.pipeline["picture-pay"], session.pipeline["sound-pay"]
        self._pacer = Pacer(picture.get_static_pad("src")) if picture else None
        self._timed = sound or picture
        self._timed_ssrc = streams.sound if sound else streams.picture
        self._sent = SendTimes()
        self._queue = Queue(REMEMBERED_REPORTS)
        self._feedback = Feedback()
        self._told_seconds = float("-inf")
        self._sudden = SuddenLoss()
        self._picture_repeats = RetransmissionBudget(0)
        self._sound_repeats = RetransmissionBudget(SOUND_PER_SECOND)
        self._aimed: tuple[Targets, int] | None = None
        self._aim(self.targets, 0.0)
        session.elements.permit_repeat = self._permit_repeat
        session.elements.on_feedback = lambda packets: loop.post(lambda: self._take(packets))

    def resize(self) -> None:
        """`rate` has another picture's bitrates from now on."""
        self._aimed = None
        self._aim(self._rate.targets, self._loss)

    @property
    def picture_goes(self) -> bool:
        """Whether the picture is sent at this moment."""
        return self.targets.picture is not None and not self.targets.waits

    def _take(self, packets: list[Packet]) -> None:
        """What a server tells ten times a second of each packet: quicker than its reports."""
        now, carried = time.monotonic(), self._feedback.update(packets)
        if carried and not self._session.closed:
            self._told_seconds = now
            self._aim(
                self._rate.update(LinkReport(*carried, TRANSPORT_FEEDBACK), now), carried.loss
            )

    def tick(self) -> None:
        """Four times a second while media flow."""
        now = time.monotonic()
        self._mend(now)
        self._rate.limit(self._session.rtcp.receiver_limit)
        if self._rate.pass_time(now):
            self._feedback.queue.forget()
            self._aim(self._rate.targets, self._loss)
        if now - self._told_seconds > FEEDBACK_SECONDS:
            self._poll_reports(now)

    def _poll_reports(self, now: float) -> None:
        self._sent.update(self._timed.get_property("seqnum"), time.time())
        reports = [self._session.rtcp.reports.get(ssrc) for ssrc in self._streams]
        fresh = [r for r in reports if r is not None and r is not self._seen.get(r.ssrc)]
        self._seen |= {report.ssrc: report for report in fresh}
        if fresh:
            loss = max((report.loss for report in fresh if self._counts(report)), default=0.0)
            ages = [self._age(report) for report in fresh if report.ssrc == self._timed_ssrc]
            queue = self._queue.update(ages[0]) if ages and ages[0] is not None else None
            self._aim(self._rate.update(LinkReport(loss, queue), now), loss)

    def _counts(self, report: ReportBlock) -> bool:
        """Fifty packets of sound a second tell little of a bad radio's loss: its picture tells more."""
        return report.ssrc == self._streams.picture or self.targets.picture is None

    def _age(self, report: ReportBlock) -> float | None:
        """Of the newest packet that the server had; of the sound if there is any: it leaves evenly."""
        return self._sent.age(report.highest, report.at_unix_seconds)

    def _permit_repeat(self, ssrc: int, number: int) -> bool:
        """In the thread that takes the requests."""
        now = time.monotonic()
        if self._sudden.asked(ssrc, number, now):
            self._loop.post(self._hold)
        if ssrc != self._streams.picture:
            return self._sound_repeats.permit(now)
        permitted = self.picture_goes and self._picture_repeats.permit(now)
        self._broken = self._broken or not permitted
        return permitted

    def _mend(self, now: float) -> None:
        """What is not sent again breaks the picture for everybody until the next keyframe."""
        due = now - self._mended_seconds >= MEND_SECONDS
        if self._broken and due and self.picture_goes:
            self._broken, self._mended_seconds = False, now
            if self._encoder:
                self._encoder.request_keyframe()

    def _hold(self) -> None:
        """The picture waits until what is queued on the way has gone, and goes on with a keyframe."""
        now = time.monotonic()
        if self.targets.picture is not None and now - self._told_seconds > FEEDBACK_SECONDS:
            self._aim(self._rate.cut(HOLD_SECONDS, now), 0.0)

    def _aim(self, targets: Targets, loss: float) -> None:
        """Ten times a second, nearly always for nothing new."""
        expected = max(LEAST_EXPECTED_LOSS, min(int(loss * 100), MOST_EXPECTED_LOSS))
        self._loss = loss
        if (targets, expected) != self._aimed:
            self._aimed = targets, expected
            self._aim_picture(targets)
            self._aim_sound(targets.sound, expected)

    def _aim_picture(self, targets: Targets) -> None:
        went, before, self.targets = self.picture_goes, self.targets, targets
        narrow = targets.picture is not None and targets.picture < self._rate.picture_ceiling
        if self._pacer:
            self._pacer.follow(targets.picture if narrow else None)
        bits = targets.picture or 0
        crowded = bits < self._rate.picture_ceiling / 2
        self._picture_repeats.follow(int(bits * NARROW_SHARE) if crowded else bits)
        if self._encoder and targets.picture and targets.picture != before.picture:
            self._encoder.set_bitrate(targets.picture)
        if self.picture_goes and not went:
            self._broken, self._mended_seconds = False, time.monotonic()
            self._on_return()
        if self.picture_goes != went or (targets.picture or 0) < (before.picture or 0):
            self._feedback.judge_from(time.monotonic())

    def _aim_sound(self, bits_per_second: int, expected_loss_percent: int) -> None:
        opus = self._session.pipeline["opus"]
        if opus is not None:
            opus.set_property("bitrate", bits_per_second)
            opus.set_property("packet-loss-percentage", expected_loss_percent)
