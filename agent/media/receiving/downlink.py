"""One source of the meeting, received by WHEP and played in step: pictures and sound come out.

A picture leaves when it is due; sound leaves as soon as it is decoded, for a mixer to keep until it
is due. Python looks at neither of them unless somebody asks: that is what receiving costs least.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from agent.core.model.commands import Source
from agent.core.model.figures import DownlinkFigures, LinkState
from agent.media.context import Context
from agent.media.decoder import Decoders, in_hardware
from agent.media.gst import Gst
from agent.media.loop import Timer
from agent.media.pipeline import Pipeline
from agent.media.receiving.count import PictureCount
from agent.media.receiving.handover import Handover
from agent.media.receiving.jitter import JitterControl
from agent.media.receiving.lipsync import LipSync, Paths
from agent.media.receiving.reception import Outlets, Reception, Shared
from agent.media.webrtc.link import MediaLink, Report

KEYFRAME_SECONDS = 0.5
"""Packets of a picture but no picture for so long: ask for a keyframe (again)."""

JITTER_SECONDS = 0.25
"""Between looks at how packets arrive."""


class Downlink:
    """Plays one source into `outlets` from `start` to `close`, with its picture or without; in the loop's thread.

    `report` gets the state of the session that plays, `paths` says what comes after our delays (nanoseconds).
    Nothing is raised: what fails is reported and tried again.
    """

    def __init__(
        self,
        context: Context,
        source: Source,
        *,
        report: Report,
        outlets: Outlets,
        paths: Callable[[], Paths],
        on_failed_trial: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_failed_trial`: the picture that was asked for again is not to be had."""
        self._context = context
        self._loop = context.loop
        self.source = source
        self._tell = report
        self._outlets = outlets
        self._paths = paths
        self._on_failed_trial = on_failed_trial
        self._jitter = JitterControl(context.media.jitter_buffer_milliseconds, time.monotonic())
        self._lips = LipSync(self._jitter.nanoseconds, paths())
        self._tapped = False
        self._with_picture = True
        self._attempts_before = 0
        self._pictures = PictureCount()
        self._decoders = Decoders()
        self._shared = Shared(
            self._jitter,
            self._lips,
            self._pictures,
            self._decoders,
            partial(self._loop.post, self._adapt),
        )
        self._timers: list[Timer] = []
        self._endings: list[threading.Thread] = []
        self._handover: Handover | None = None
        self._told: LinkState = "connecting"
        self._playing = self._make_reception()
        self._playing.play()

    def _make_reception(self) -> Reception:
        made = Reception(
            self._context,
            self.source,
            self._outlets,
            self._shared,
            lambda state, text: self._on_state(made, state, text),
            with_picture=self._with_picture,
        )
        return made

    def renew(self, source: Source) -> None:
        """The same source with another token."""
        self.source = source
        for reception in (self._playing, self._handover.coming if self._handover else None):
            if reception:
                reception.renew(source)

    def begin_like(self, others: Iterable[Downlink]) -> None:
        """Before `start`: wait as long as those do that come from the same server. Each step to a longer wait is a gap in
        the sound, and a new speaker's first words are no place to learn again what the link and this machine need.
        """
        alike = [one for one in others if _server(one) == _server(self)]
        if not alike:
            return
        self._jitter.expect(max(one._jitter.milliseconds for one in alike), time.monotonic())
        if self._outlets.sound:
            self._outlets.sound.expect(max(one._least_delay() for one in alike))
        self._lips.update(self._jitter.nanoseconds, self._paths(), self._least_delay())

    def start(self) -> None:
        self._playing.start()
        self._timers = [
            self._loop.every(KEYFRAME_SECONDS, self._want_picture),
            self._loop.every(JITTER_SECONDS, self._adapt),
        ]

    def close(self) -> list[threading.Thread]:
        for timer in self._timers:
            timer.cancel()
        self._abandon()
        self._end(self._playing)
        return self._endings

    @property
    def connection(self) -> MediaLink:
        """The one that plays."""
        return self._playing.connection

    @property
    def pictures(self) -> int:
        """Shown so far; without a screen, decoded so far."""
        return self._outlets.shown() if self._outlets.shown else self._pictures.total()

    def newest_picture(self) -> Any | None:
        """As a sample."""
        return self._pictures.newest()

    @property
    def decoder_behind_seconds(self) -> float:
        """How much later than due its pictures are decoded: what waits for the decoder beyond what waits for its time."""
        return max(0.0, self._playing.undecoded_seconds - self._lips.picture / 1e9)

    def figures(self) -> DownlinkFigures:
        """All but what RTP says and the pictures a second, which the caller counts."""
        coming = self._handover.coming.connection.attempts if self._handover else 0
        decoder = self._playing.decoder
        return DownlinkFigures(
            url=self.source.url,
            attempts=self._attempts_before + self.connection.attempts + coming,
            decoder=decoder,
            decoder_in_hardware=None if decoder is None else in_hardware(decoder),
            decoders_failed=dict(self._decoders.failed) or None,
            decoder_behind_milliseconds=round(self.decoder_behind_seconds * 1000),
            picture_given_up=self.picture_given_up,
            jitter_buffer_milliseconds=self._jitter.milliseconds,
            picture_delay_milliseconds=self._lips.picture // Gst.MSECOND,
            sound_delay_milliseconds=(self._lips.sound + self._paths().to_ear) // Gst.MSECOND,
        )

    @property
    def sound_delay_seconds(self) -> float:
        """From the moment when its sound is there to when it leaves the mixer."""
        return self._lips.sound / 1e9

    def loss(self) -> float | None:
        """The share of its packets (0 to 1) that were lost since the last call; None if none were due."""
        return self._playing.loss()

    @property
    def adapts(self) -> bool:
        """Whether its server may be about to send less by itself."""
        return self._playing.adapts

    def request_keyframe(self) -> None:
        """Ask the sender for one; nothing happens before its stream has begun."""
        self._playing.request_keyframe()

    def tap(self, on: bool) -> None:
        """Whether what comes in is given to `on_unit` and `on_sound` too."""
        self._tapped = on
        self._playing.tap(on)

    # --- with its picture or without

    @property
    def picture_given_up(self) -> bool:
        """Whether only its sound is played, also while its picture is on trial."""
        return not self._playing.with_picture

    @property
    def changing(self) -> bool:
        """Whether it is to be played with other media than now."""
        return self._handover is not None

    def want_picture(self, wanted: bool) -> None:
        """Play it with its picture, or its sound alone. What plays now goes on until the other can be had; a
        second call before that replaces the first, or is passed over where there is no way back any more.
        """
        if wanted == self._with_picture or (self._handover and self._handover.broken):
            return
        self._with_picture = wanted
        self._abandon()
        if wanted != self._playing.with_picture:
            coming = self._make_reception()
            self._handover = Handover(
                self._loop, self._playing, coming, self._take_over, self._on_failed
            )
            self._handover.start()

    def _take_over(self) -> None:
        """From now on the other one plays."""
        assert self._handover
        gone, self._playing, self._handover = self._playing, self._handover.coming, None
        self._attempts_before += gone.connection.attempts
        if not self._playing.with_picture:
            self._pictures.end()
        gone.tap(False)
        self._playing.tap(self._tapped)
        self._playing.play()
        self._begin(self._playing)
        self._end(gone)
        if self.connection.flowing and self._told != "flowing":
            self._report("flowing", "")
        elif self._told == "flowing" and not self.connection.flowing:
            self._report(
                "stalled", "another session of it could not be had beside the one that played"
            )

    def _on_failed(self) -> None:
        self._abandon()
        self._with_picture = self._playing.with_picture
        self._begin(self._playing)
        self._on_failed_trial()

    def _abandon(self) -> None:
        if handover := self._handover:
            self._handover = None
            self._attempts_before += handover.coming.connection.attempts
            self._endings += handover.abandon()

    def _end(self, reception: Reception) -> None:
        self._endings = [thread for thread in self._endings if thread.is_alive()]
        self._endings += reception.close()

    def _on_state(self, reception: Reception, state: LinkState, text: str) -> None:
        if self._handover and reception is self._handover.coming:
            self._handover.on_state(state, text)
        elif reception is self._playing:
            if state == "connecting":
                self._begin(reception)
            self._report(state, text)
            if text and self._handover:
                self._take_over()

    def _report(self, state: LinkState, text: str) -> None:
        self._told = state
        self._tell(state, text)

    # --- waiting

    def _begin(self, reception: Reception) -> None:
        """This reception plays from now on, or plays alone again: count anew, so that what was lost until now
        makes nothing wait longer.
        """
        session = reception.connection.session
        now = time.monotonic()
        if session:
            self._jitter.go_on(session.jitter_buffers.arrivals(), now)
            session.set_patience(self._jitter.patience_milliseconds)
            session.pipeline.set_latency(self._lips.picture)
        else:
            self._jitter.begin(now)
            self._lips.update(self._jitter.nanoseconds, self._paths(), self._least_delay())

    def _adapt(self) -> None:
        """Wait longer for packets when some are missed."""
        session, before = self.connection.session, self._jitter.milliseconds
        if session and self.connection.flowing:
            if not self.changing:  # what is lost meanwhile, a longer wait would not save
                self._jitter.update(session.jitter_buffers.arrivals(), time.monotonic())
            if self._jitter.milliseconds != before:
                session.set_patience(self._jitter.patience_milliseconds)
            self._keep_in_step(session.pipeline)

    def _keep_in_step(self, pipeline: Pipeline) -> None:
        """Pictures wait for the loudspeaker, sound for the screen, both for late packets."""
        sound, picture = self._lips.sound, self._lips.picture
        self._lips.update(self._jitter.nanoseconds, self._paths(), self._least_delay())
        if self._lips.picture != picture:
            pipeline.set_latency(self._lips.picture)
        if self._lips.sound != sound and self._outlets.sound:
            self._outlets.sound.delay(self._lips.sound)

    def _least_delay(self) -> int:
        return self._outlets.sound.least_delay if self._outlets.sound else 0

    def _want_picture(self) -> None:
        """A keyframe request is only a packet: it may be lost, or come before there is a camera."""
        pictures = self._pictures.poll()
        self._playing.watch_decoder(pictures)
        if pictures == 0:
            self.request_keyframe()


def _server(downlink: Downlink) -> str:
    return urlsplit(downlink.source.url).netloc
