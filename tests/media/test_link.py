"""One session after the other: what a link makes of their ends, without a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiortc.rtp import RtcpByePacket, RtcpRrPacket

from agent.media.loop import Loop
from agent.media.webrtc import link as of_link
from agent.media.webrtc import rtcp
from agent.media.webrtc.jitter_buffers import JitterBuffers
from agent.media.webrtc.link import FLAPPING, MediaLink
from agent.media.webrtc.received_rtcp import ReceivedRtcp
from agent.media.webrtc.session import Over
from tests.support.waiting import wait_for


class Session:
    """Up at once; the test says what becomes of it."""

    def __init__(self, events: Any) -> None:
        self.events = events
        self.answered = "v=0\r\n"
        self.jitter_buffers, self.rtcp = JitterBuffers(), ReceivedRtcp()

    def start(self) -> None:
        self.events.on_connected()

    def ask_server(self, on_said: Any) -> None:
        on_said(False)

    def restart_ice(self, on_done: Any) -> None:
        on_done(False)

    def close(self) -> threading.Thread:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        return thread


class Trial:
    """A link whose sessions are `made`, and what it `said`."""

    def __init__(self) -> None:
        self.made: list[Session] = []
        self.said: list[tuple[str, str]] = []
        self.loop = Loop()
        self.link = MediaLink(
            self.loop,
            self._make,
            lambda state, text: self.said.append((state, text)),
            receives=False,
        )
        self._thread = threading.Thread(target=self.loop.run)
        self.loop.post(self.link.start)
        self._thread.start()

    def _make(self, events: Any, counter: Any) -> Any:
        self.made.append(Session(events))
        return self.made[-1]

    def flow(self, number: int) -> Session:
        """The session of this number, from 1, once it flows."""
        wait_for(lambda: len(self.made) >= number, 20, f"session {number}")
        self.loop.post(self.link.mark_flowing)
        wait_for(lambda: self.link.flowing, 20, "media")
        return self.made[-1]

    def do(self, call: Callable[[], None]) -> None:
        self.loop.post(call)

    def close(self) -> None:
        self.loop.post(self.link.close)
        self.loop.post(self.loop.stop)
        self._thread.join(10)


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial()
    yield made
    made.close()


def test_a_good_bye_is_noticed_when_nothing_follows_it(trial: Trial) -> None:
    first = trial.flow(1)
    first.rtcp.byes += rtcp.byes(bytes(RtcpByePacket(sources=[7, 8])))
    assert first.rtcp.byes == 2
    trial.flow(2)
    assert ("stalled", "the other end said good-bye") in trial.said


def test_other_packets_are_no_good_bye() -> None:
    assert rtcp.byes(bytes(RtcpRrPacket(ssrc=9, reports=[]))) == 0
    compound = bytes(RtcpRrPacket(ssrc=9, reports=[])) + bytes(RtcpByePacket(sources=[9]))
    assert rtcp.byes(compound) == 1
    assert rtcp.byes(compound[:-6]) == 0


def test_a_source_that_is_ended_again_and_again_is_called_so_and_asked_more_rarely(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    real = trial.link._schedule.pause_seconds

    def pause(error: Any) -> float:
        pauses.append(real(error))
        return 0.05

    monkeypatch.setattr(trial.link._schedule, "pause_seconds", pause)
    for number in range(1, 6):
        session = trial.flow(number)
        trial.do(lambda events=session.events: events.on_failed(Over("ended")))
        wait_for(lambda: len(pauses) == number, 20, "its end")  # noqa: B023
    texts = [text for state, text in trial.said if state == "stalled"]
    assert texts == ["ended", *[f"ended; {FLAPPING}"] * 4]
    assert pauses[0] < 1
    assert pauses[-1] > 3
    monkeypatch.setattr(of_link, "STEADY_SECONDS", 0.0)
    session = trial.flow(6)
    trial.do(lambda: session.events.on_failed(Over("ended")))
    wait_for(lambda: len(pauses) == 6, 20, "the end of what had flowed for long")
    assert trial.said[-1][1] in ("ended", "")
    assert pauses[-1] < 1
