"""What passes the microphone's gate: nothing while it is muted, and nothing that was said before it went live."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from agent.core.model.documents import DeviceStatus, Status
from agent.core.model.media import Applied, SetMicrophone, UplinkReported
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.media.sound.microphone import MicrophoneFeed
from agent.ports import PERIOD_BYTES
from tests.media.rooms import flowing, plan, room
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.sound_tap import FRAME_SECONDS, SoundTap
from tests.support.waiting import wait_for

LOUD = 1000
"""Of 32,767: the tone has 8,192."""

ROUNDS = 4
PERIOD_SECONDS = 0.01
BACKLOG, KEPT = 10, 19
"""Periods that the card has to keep, and can."""


class Card:
    """The port Microphone: the sound that a busy machine did not fetch comes at once. Each period says in its samples
    how many were before it.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._number = 0
        self.held = threading.Event()
        self.held.set()

    def open(self) -> DeviceStatus:
        return self.status()

    def read(self) -> bytes:
        self.held.wait()
        time.sleep(max(0.0, self._began + (self._number + 1) * PERIOD_SECONDS - time.monotonic()))
        self._number = max(self._number + 1, self.now() - KEPT)
        return self._number.to_bytes(2, "little") * (PERIOD_BYTES // 2)

    def status(self) -> DeviceStatus:
        return DeviceStatus(Status.OK, "ok", "", required=True)

    def close(self) -> None:
        self.held.set()

    def now(self) -> int:
        """The number of the period that is being said."""
        return int((time.monotonic() - self._began) / PERIOD_SECONDS) + 1


class Encoder:
    """Keeps the numbers of the periods that were let through, in order; 0 is silence."""

    def __init__(self) -> None:
        self.all: list[int] = []

    def take(self, buffer: Any) -> None:
        self.all.append(int.from_bytes(buffer.extract_dup(0, 2), "little"))

    @property
    def heard(self) -> list[int]:
        return [number for number in self.all if number]


def test_what_the_card_kept_from_before_it_went_live_stays_in_the_room() -> None:
    card, encoder = Card(), Encoder()
    reporter = DeviceReporter("microphone", True, lambda report: None)
    feed = MicrophoneFeed(SharedClock(), lambda: card, encoder.take, reporter)
    feed.start()
    try:
        wait_for(lambda: len(encoder.all) > 20, 5, "its clock")
        card.held.clear()
        held = card.now()
        wait_for(lambda: card.now() > held + BACKLOG, 5, "a backlog")
        live = card.now()
        feed.set_live(True)
        card.held.set()
        wait_for(lambda: len(encoder.heard) > 20, 5, "the room")
        assert encoder.heard[0] >= live, "what was said while it was muted"
        feed.set_live(False)
        muted = len(encoder.all)
        wait_for(lambda: len(encoder.all) > muted + 20, 5, "what comes then")
        assert not any(encoder.all[muted:])
    finally:
        feed.close()


@pytest.mark.parametrize("again", [True, False])
def test_who_is_live_stays_so_when_told_again(again: bool) -> None:
    card, encoder = Card(), Encoder()
    reporter = DeviceReporter("microphone", True, lambda report: None)
    feed = MicrophoneFeed(SharedClock(), lambda: card, encoder.take, reporter)
    feed.set_live(True)
    feed.start()
    try:
        wait_for(lambda: len(encoder.heard) > 5, 5, "the room")
        feed.set_live(again)
        before = len(encoder.all)
        wait_for(lambda: len(encoder.all) > before + 10, 5, "what comes then")
        assert all(encoder.all[before:]) is again
    finally:
        feed.close()


def test_no_sample_that_was_taken_while_it_was_muted_reaches_a_peer(
    media_server: MediaServer,
) -> None:
    """Told by the room's own clock, so that neither the way nor the peer's buffers count."""
    with MediaProcess(room()) as process:

        def switch(live: bool, request: str) -> tuple[float, float]:
            sent = time.time()
            process.send(SetMicrophone(live, request=request))
            process.wait(Applied, lambda applied: applied.request == request)
            return sent, time.time()

        process.start(plan(publish=media_server.whip("gate"), live=False))
        process.wait(UplinkReported, flowing)
        with SoundTap(media_server.whep("gate")) as tap:
            muted, spoken = [0.0], []
            for number in range(ROUNDS):
                tap.hear(0.3)
                sent, _ = switch(True, f"live-{number}")
                muted += [sent - FRAME_SECONDS]
                wait_for(lambda since=sent: tap.loud(since, time.time(), LOUD), 5, "the tone")  # type: ignore[misc]
                sent, applied = switch(False, f"muted-{number}")
                spoken += [tap.loud(muted[-1], sent, LOUD)]
                muted += [applied]
            tap.hear(0.5)
            muted += [time.time()]
            pairs = zip(muted[::2], muted[1::2], strict=True)
            assert [tap.loud(began, ended, LOUD) for began, ended in pairs] == [0] * (ROUNDS + 1)
            assert all(spoken)
