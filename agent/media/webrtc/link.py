"""Keeps one WHIP or WHEP session alive for as long as the meeting lasts.

webrtcbin never notices a dead peer, so arrivals of RTP and RTCP are watched here, and a new session
is made when they stop; between attempts it backs off, with jitter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from agent.core.model.media import LinkState
from agent.errors import MediaError
from agent.media.loop import Loop, Timer
from agent.media.webrtc.peer import WrongPeer
from agent.media.webrtc.retry import RetrySchedule
from agent.media.webrtc.session import Events, MediaSession
from agent.media.webrtc.signaling import Refused, Unreachable
from agent.media.webrtc.silence import SilenceWatch

TICK_SECONDS = 0.25
BARREN_SECONDS = 10.0
"""A session that is up and brings nothing is made again after this."""

Report = Callable[[LinkState, str], None]
MakeSession = Callable[[Events], MediaSession]


class MediaLink:
    """`start()`, then attempts until `close()`; all in the loop's thread."""

    def __init__(self, loop: Loop, make_session: MakeSession, report: Report) -> None:
        self._loop = loop
        self._make_session = make_session
        self._tell = report
        self.state: LinkState = "connecting"
        self.session: MediaSession | None = None
        self.connected = False
        self.flowing = False
        self._brought = False
        self.attempts = 0
        self.closed = False
        self._schedule = RetrySchedule()
        self._retry: Timer | None = None
        self._ticking: Timer | None = None
        self._watch = SilenceWatch(time.monotonic())
        self._endings: list[threading.Thread] = []

    def start(self) -> None:
        self._attempt()
        self._ticking = self._loop.every(TICK_SECONDS, self._tick)

    def close(self) -> list[threading.Thread]:
        """The threads to wait for, each of which says DELETE."""
        self.closed = True
        if self._ticking:
            self._ticking.cancel()
        self._drop()
        return [thread for thread in self._endings if thread.is_alive()]

    def mark_flowing(self) -> None:
        """The owner saw media accepted or decoded; it may come before the connection's own word."""
        self._brought = True
        if self.connected and not self.flowing:
            self.flowing = True
            self._schedule.reset()
            self._report("flowing", "")

    def fail(self, text: str) -> None:
        """The owner's pipeline broke: give the session up and make another."""
        if self.session:
            self._on_failed(Unreachable(text))

    def _report(self, state: LinkState, text: str) -> None:
        self.state = state
        self._tell(state, text)

    def _attempt(self) -> None:
        if self.closed:
            return
        self.attempts += 1
        self._report("connecting", "")
        events = Events(self._on_connected, self._on_failed)
        try:
            self.session = self._make_session(events)
        except MediaError as error:
            self._on_failed(error)
            return
        self.session.start()

    def _on_connected(self) -> None:
        self.connected = True
        self._watch = SilenceWatch(time.monotonic())
        self._report("connected", "")
        if self._brought:
            self.mark_flowing()

    def _on_failed(self, error: MediaError) -> None:
        was_flowing = self.flowing
        self._drop()
        if isinstance(error, WrongPeer):
            self._report("wrong-peer", error.text)
        elif isinstance(error, Refused) and not error.again:
            self._report("refused", error.text)
        elif was_flowing:
            self._report("stalled", error.text)
        elif isinstance(error, Refused):
            self._report("connecting", error.text)
        else:
            self._report("unreachable", error.text)
        self._retry = self._loop.later(self._schedule.pause_seconds(error), self._attempt)

    def _drop(self) -> None:
        if self._retry:
            self._retry.cancel()
        self._endings = [thread for thread in self._endings if thread.is_alive()]
        if self.session:
            self._endings.append(self.session.close())
        self.session = None
        self.connected = self.flowing = self._brought = False

    def _tick(self) -> None:
        if not (self.connected and self.session):
            return
        now, watch = time.monotonic(), self._watch
        arrived = self.session.jitter_buffers.packets_received() + self.session.rtcp_packets
        watch.update(arrived, now)
        if watch.dead(now):
            silence = watch.silence_seconds(now)
            self._on_failed(Unreachable(f"nothing arrived for {silence:.1f} s"))
        elif not self.flowing and watch.age_seconds(now) > BARREN_SECONDS:
            self._on_failed(Unreachable(f"no media within {BARREN_SECONDS:g} s of connecting"))
