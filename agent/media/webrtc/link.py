"""Keeps one WHIP or WHEP session alive for as long as the meeting lasts.

webrtcbin never notices a dead peer, so arrivals are watched here. A new session is made when they stop, or
at once when the network has changed; between attempts it backs off, with jitter. Who receives lives by RTP
alone: many servers go on with RTCP for a source that has left, and never bring it back in that session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from agent.core.model.commands import Endpoint, Source
from agent.core.model.figures import LinkState
from agent.errors import MediaError
from agent.media.loop import Loop, Timer
from agent.media.webrtc.http import Refused, Unreachable
from agent.media.webrtc.peer import WrongPeer
from agent.media.webrtc.retry import RetrySchedule
from agent.media.webrtc.session import Events, MediaSession, Over
from agent.media.webrtc.signaling import CounterOffer, CounterOffered
from agent.media.webrtc.silence import SilenceWatch
from agent.media.webrtc.way import Way

TICK_SECONDS = 0.25
BARREN_SECONDS = 10.0
"""A session that is up and brings nothing is made again after this."""

ABSENT_SECONDS = 5.0
"""Of a session in which not one packet of media came: the server took it for a source that is not there."""

STEADY_SECONDS = 20.0
"""What flowed for so long and then ended, ended for a reason of its own."""

FLAPPING = (
    "it ends what it has just begun again and again, as MediaMTX does with a source whose encoder makes B-frames; "
    "it is asked more and more rarely"
)

SETTLED_SECONDS = 10.0
"""From a change of the network, if the session outlives it."""

RESTART_SECONDS = 1.5
"""For ICE to find another way in the session that there is: the server's answer, and some checks."""

Report = Callable[[LinkState, str], None]
MakeSession = Callable[[Events, CounterOffer | None], MediaSession]


class Absent(MediaError):
    """The server is there and the source is not."""

    def __init__(self, text: str) -> None:
        super().__init__("absent", text)


class MediaLink:
    """`start()`, then attempts until `close()`; all in the loop's thread."""

    def __init__(
        self, loop: Loop, make_session: MakeSession, report: Report, *, receives: bool
    ) -> None:
        """`receives`: media come by it; else they go, and RTCP alone comes back."""
        self._loop = loop
        self._receives = receives
        self._make_session = make_session
        self._tell = report
        self.state: LinkState = "connecting"
        self.session: MediaSession | None = None
        self.connected = False
        self.flowing = False
        self._brought = False
        self._flowing_from = 0.0
        self.attempts = 0
        self.closed = False
        self._schedule = RetrySchedule()
        self._retry: Timer | None = None
        self._ticking: Timer | None = None
        self._watch = self._all = SilenceWatch(time.monotonic())
        self._asking: MediaSession | None = None
        self._restarting: MediaSession | None = None
        self._way = Way("")
        self._doubted_from: float | None = None
        self._flaps = 0
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

    def renew(self, endpoint: Endpoint | Source) -> None:
        """Another token for the session that there is; `make_session` knows it too."""
        if self.session:
            self.session.renew(endpoint)

    def leave(self) -> None:
        """Have the server send no more; what is on its way is still taken, and nothing is watched. `close` comes next."""
        if self._ticking:
            self._ticking.cancel()
        if self.session:
            self.session.leave()

    def hurry(self) -> None:
        """Ask anew where the server has not answered yet: what the link's queue swallowed, TCP sends again ever later."""
        if self.session and not self.session.answered:
            self._drop()
            self._attempt()

    def mark_flowing(self) -> None:
        """The owner saw media accepted or decoded; it may come before the connection's own word."""
        self._brought = True
        if self.connected and not self.flowing:
            self.flowing = True
            self._flowing_from = time.monotonic()
            self._report("flowing", "")

    def fail(self, text: str) -> None:
        """The owner's pipeline broke: give the session up and make another."""
        if self.session:
            self._on_failed(Unreachable(text))

    def _report(self, state: LinkState, text: str) -> None:
        self.state = state
        self._tell(state, text)

    def _attempt(self, counter: CounterOffer | None = None) -> None:
        """With a `counter` offer: the same attempt goes on with the server's own offer."""
        if self.closed:
            return
        if counter is None:
            self.attempts += 1
            self._report("connecting", "")
        events = Events(self._on_connected, self._on_failed)
        try:
            self.session = self._make_session(events, counter)
        except MediaError as error:
            self._on_failed(error)
            return
        self.session.start()

    def _on_connected(self) -> None:
        self.connected = True
        self._begin_watch(time.monotonic())
        self._report("connected", "")
        if self._brought:
            self.mark_flowing()

    def _on_failed(self, error: MediaError) -> None:
        was_flowing = self.flowing
        if was_flowing:
            self._flaps = self._flaps + 1 if self._just_begun(error) else 0
            if not self._flaps:
                self._schedule.reset()
        text = f"{error.text}; {FLAPPING}" if self._flaps > 1 else error.text
        self._drop()
        if isinstance(error, CounterOffered):
            self._attempt(error.offer)
            return
        if isinstance(error, WrongPeer):
            self._report("wrong-peer", error.text)
        elif isinstance(error, Refused) and not error.again:
            self._report("refused", error.text)
        elif was_flowing:
            self._report("stalled", text)
        elif isinstance(error, (Refused, Absent, Over)):
            self._report("connecting", error.text)
        else:
            self._report("unreachable", error.text)
        self._retry = self._loop.later(self._schedule.pause_seconds(error), self._attempt)

    def _just_begun(self, error: MediaError) -> bool:
        """Whether the server ends what it has just begun: it will do so again."""
        return isinstance(error, Over) and time.monotonic() - self._flowing_from < STEADY_SECONDS

    def _drop(self) -> None:
        if self._retry:
            self._retry.cancel()
        self._endings = [thread for thread in self._endings if thread.is_alive()]
        if self.session:
            self._endings.append(self.session.close())
        self.session = None
        self.connected = self.flowing = self._brought = False

    def _move(self, text: str) -> None:
        """Another session at once, from the address that leads there now: nothing failed at the server."""
        self._schedule.reset()
        self._drop()
        self._report("stalled", text)
        self._attempt()

    def _restart(self, text: str) -> None:
        """ICE anew, so that nobody sees the room leave; another session where that brings nothing soon."""
        session = self._restarting = self.session
        assert session
        session.restart_ice(lambda done: None if done else self._end_restart(session, text))
        self._loop.later(RESTART_SECONDS, partial(self._end_restart, session, text))

    def _end_restart(self, session: MediaSession, text: str) -> None:
        if self._restarting is session is self.session:
            self._move(text)

    def _tick(self) -> None:
        if not (self.connected and self.session):
            return
        if self._restarting is self.session:
            self._await_restart(self.session)
        else:
            self._watch_arrivals(self.session)

    def _await_restart(self, session: MediaSession) -> None:
        """What comes again has found another way: that is the way from then on."""
        now = time.monotonic()
        self._all.update(session.jitter_buffers.packets_received() + session.rtcp.packets, now)
        if not self._all.silence_seconds(now):
            self._restarting = None
            self._begin_watch(now)

    def _watch_arrivals(self, session: MediaSession) -> None:
        now, watch = time.monotonic(), self._watch
        change = self._way.change()
        if change and change.lost:
            move = self._restart if session.listens_at(change.source) else self._move
            move(change.text)
            return
        if change:
            self._doubt(now)
        packets = session.jitter_buffers.packets_received()
        arrivals = packets + session.rtcp.packets
        watch.update(packets if self._receives else arrivals, now)
        self._all.update(arrivals, now)
        if session.rtcp.byes:
            watch.expect_end()
        if change and watch.dead(now):
            self._restart(f"{change.text}; nothing arrived for {watch.silence_seconds(now):.1f} s")
        elif watch.dead(now):
            self._on_failed(self._silent(watch.silence_seconds(now)))
        elif self.flowing:
            self._suspect(now)
        elif self._receives and not packets and watch.age_seconds(now) > ABSENT_SECONDS:
            self._on_failed(Absent("the server took us and sends nothing: the source is not there"))
        elif watch.age_seconds(now) > BARREN_SECONDS:
            self._on_failed(Unreachable(f"no media within {BARREN_SECONDS:g} s of connecting"))

    def _suspect(self, now: float) -> None:
        """A NAT that has forgotten us, or a server that is gone, says nothing, and neither does a network that stalls:
        what the server says by HTTP tells them apart in half the time.
        """
        if self._all.cut(now):
            seconds = self._all.silence_seconds(now)
            self._restart(f"nothing arrived for {seconds:.1f} s, and the way to the server is open")
        elif self.session and self._all.suspected(now) and self._asking is not self.session:
            self._asking = self.session
            self.session.ask_server(partial(self._on_said, self.session))

    def _on_said(self, session: MediaSession, reached: bool) -> None:
        self._asking = None
        if reached and session is self.session:
            self._all.answered(time.monotonic())

    def _doubt(self, now: float) -> None:
        """What comes all the same after a change of the network has found its way: that is the way from then on."""
        if self._doubted_from is None:
            self._doubted_from = now
            self._watch.doubt(now)
        elif now - self._doubted_from > SETTLED_SECONDS:
            self._begin_watch(now)

    def _begin_watch(self, now: float) -> None:
        self._way = Way(self.session.answered if self.session else "")
        self._watch, self._all, self._doubted_from = SilenceWatch(now), SilenceWatch(now), None

    def _silent(self, seconds: float) -> MediaError:
        assert self.session
        if self.session.rtcp.byes:
            return Over("the other end said good-bye")
        if self._receives and self.session.rtcp.packets:
            return Absent(
                f"no media for {seconds:.1f} s: the source has left, or its server lost it"
            )
        return Unreachable(f"nothing arrived for {seconds:.1f} s")
