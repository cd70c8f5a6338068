"""What every echo canceller promises: the port `EchoCanceller`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from agent.errors import MediaError
from agent.media.sound.echo import canceller
from agent.media.sound.echo.canceller import EchoCanceller
from agent.ports import PERIOD_BYTES
from tests.support import echoes
from tests.support.echoes import RATE_HZ, rms

ECHO_SECONDS = 0.02
"""As `EchoControl` leaves it."""


@pytest.fixture(params=[name for name in canceller.DRIVERS if name != "off"])
def subject(request: pytest.FixtureRequest) -> Iterator[EchoCanceller]:
    if request.param == "livekit":
        pytest.importorskip("livekit.rtc", reason="the livekit package is not installed")
    subject = canceller.make(request.param)
    yield subject
    subject.close()


@pytest.fixture
def off() -> Iterator[EchoCanceller]:
    subject = canceller.make("off")
    yield subject
    subject.close()


def test_a_period_in_is_a_period_out(subject: EchoCanceller) -> None:
    silence = bytes(PERIOD_BYTES)
    assert {len(subject.cancel(silence, silence)) for _ in range(50)} == {PERIOD_BYTES}


def test_the_echo_is_taken_out(subject: EchoCanceller) -> None:
    far = echoes.talk().far[: 12 * RATE_HZ]
    echo = echoes.echoed(far, ECHO_SECONDS)
    cleaned = echoes.cancelled(subject.cancel, echo + echoes.noise(len(echo)), far)
    last = slice(8 * RATE_HZ, None)
    assert rms(cleaned[last]) < rms(echo[last]) / 10


def test_a_voice_in_the_room_is_heard(subject: EchoCanceller) -> None:
    talk = echoes.talk()
    near = talk.near[talk.near_alone]
    cleaned = echoes.cancelled(subject.cancel, near, np.zeros(len(near)))
    assert rms(cleaned) > rms(near) / 2


def test_off_takes_out_no_echo(off: EchoCanceller) -> None:
    far = echoes.talk().far[: 6 * RATE_HZ]
    echo = echoes.echoed(far, ECHO_SECONDS)
    assert rms(echoes.cancelled(off.cancel, echo, far)) > rms(echo) / 2


def test_closing_may_be_repeated(subject: EchoCanceller) -> None:
    subject.close()
    subject.close()


def test_the_settings_offer_exactly_these() -> None:
    from typing import get_args

    from agent.settings import EchoCanceller as Offered

    assert set(get_args(Offered)) == set(canceller.DRIVERS)


def test_one_that_is_not_installed_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.media.sound.echo.speexdsp.LIBRARY", "libspeexdsp-of-nobody.so.1")
    with pytest.raises(MediaError, match=r"speexdsp: libspeexdsp-of-nobody.*install it"):
        canceller.make("speexdsp")
