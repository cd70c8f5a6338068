"""Keeps one WHIP or WHEP session alive for as long as the meeting lasts.

webrtcbin never notices a dead peer, so arrivals of RTP and RTCP are watched here, and a new session
is made when they stop; between attempts it backs off, with jitter.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from agent.core.media import LinkState
from agent.errors import MediaError
from agent.media.loop import Loop, Timer
from agent.media.session import Events, Session
from agent.media.signaling import Refused, Unreachable

TICK_SECONDS = 0.25
SILENCE_SECONDS = 4.0
"""Without RTP and RTCP for so long, the peer is taken for dead (it is to be noticed within 5 s)."""

RTCP_INTERVALS = 2.5
"""A peer whose RTCP comes rarely (RFC 3550 allows 7.5 s) gets this many of its longest interval."""

BARREN_SECONDS = 10.0
"""A session that is up and brings nothing is made again after this."""

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 2.0
"""Short enough to be back within 3 s of the server's return."""

REFUSED_PAUSE_SECONDS = 15.0
"""After an answer that will hardly change by itself (a wrong token)."""

Report = Callable[[LinkState, str], None]
MakeSession = Callable[[Events], Session]


class Connection:
    """`start()`, then attempts until `close()`; all in the loop's thread."""

    def __init__(self, loop: Loop, make_session: MakeSession, report: Report) -> None:
        self._loop = loop
        self._make_session = make_session
        self._tell = report
        self.state: LinkState = "connecting"
        self.session: Session | None = None
        self.connected = False
        self.flowing = False
        self._brought = False
        self.attempts = 0
        self.closed = False
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._retry: Timer | None = None
        self._watch = ArrivalWatch()
        self._endings: list[threading.Thread] = []

    def start(self) -> None:
        self._attempt()
        self._loop.later(TICK_SECONDS, self._tick)

    def close(self) -> list[threading.Thread]:
        """The threads to wait for, each of which says DELETE."""
        self.closed = True
        self._drop()
        return [thread for thread in self._endings if thread.is_alive()]

    def mark_flowing(self) -> None:
        """The owner saw media accepted or decoded; it may come before the connection's own word."""
        self._brought = True
        if self.connected and not self.flowing:
            self.flowing = True
            self._pause_seconds = FIRST_PAUSE_SECONDS
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
        self._watch = ArrivalWatch()
        self._report("connected", "")
        if self._brought:
            self.mark_flowing()

    def _on_failed(self, error: MediaError) -> None:
        was_flowing = self.flowing
        self._drop()
        pause = self._pause_seconds * random.uniform(0.5, 1.0)
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        if isinstance(error, Refused) and not error.again:
            self._report("refused", error.text)
            pause = REFUSED_PAUSE_SECONDS
        elif was_flowing:
            self._report("stalled", error.text)
        elif isinstance(error, Refused):
            self._report("connecting", error.text)
        else:
            self._report("unreachable", error.text)
        self._retry = self._loop.later(pause, self._attempt)

    def _drop(self) -> None:
        if self._retry:
            self._retry.cancel()
        self._endings = [thread for thread in self._endings if thread.is_alive()]
        if self.session:
            self._endings.append(self.session.close())
        self.session = None
        self.connected = self.flowing = self._brought = False

    def _tick(self) -> None:
        if self.closed:
            return
        self._loop.later(TICK_SECONDS, self._tick)
        if not (self.connected and self.session):
            return
        self._watch.look(self.session.packets_received(), self.session.rtcp_packets)
        silence = self._watch.silence_seconds()
        if silence > self._watch.limit_seconds():
            self._on_failed(Unreachable(f"nothing arrived for {silence:.1f} s"))
        elif not self.flowing and self._watch.age_seconds() > BARREN_SECONDS:
            self._on_failed(Unreachable(f"no media within {BARREN_SECONDS:g} s of connecting"))


class ArrivalWatch:
    """When something last came from the peer, and how long its silence may last."""

    def __init__(self) -> None:
        self._started = self._arrived = self._rtcp_arrived = time.monotonic()
        self._packets = self._rtcp_packets = 0
        self._longest_rtcp_interval = 0.0

    def look(self, packets: int, rtcp_packets: int) -> None:
        """Take note of the session's counters, a few times a second."""
        now = time.monotonic()
        if rtcp_packets != self._rtcp_packets:
            interval = now - self._rtcp_arrived
            self._longest_rtcp_interval = max(self._longest_rtcp_interval, interval)
            self._rtcp_arrived = self._arrived = now
        if packets != self._packets:
            self._arrived = now
        self._packets, self._rtcp_packets = packets, rtcp_packets

    def silence_seconds(self) -> float:
        return time.monotonic() - self._arrived

    def limit_seconds(self) -> float:
        return max(SILENCE_SECONDS, RTCP_INTERVALS * self._longest_rtcp_interval)

    def age_seconds(self) -> float:
        return time.monotonic() - self._started
