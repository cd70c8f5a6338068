"""What every driver of sound promises alike: the ports `Microphone` and `Speaker`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent import settings
from agent.core.model.documents import Status
from agent.devices import registry
from agent.devices.alsa.pcm import Pcm
from agent.devices.microphone import alsa as alsa_microphone
from agent.devices.speaker import alsa as alsa_speaker
from agent.errors import DeviceAbsent, DeviceBusy, DeviceTimeout
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES, SAMPLE_RATE_HZ
from tests.conformance import subjects
from tests.support.cable import Card


class SoundDevice(NamedTuple):
    """A microphone that is heard, or a loudspeaker that plays; `port` is a `Microphone` or a `Speaker`."""

    kind: str
    port: Any

    def pass_periods(self, periods: int) -> None:
        """So many, in or out."""
        for _ in range(periods):
            if self.kind == "microphone":
                self.port.read()
            else:
                self.port.write(bytes(PERIOD_BYTES))


def make(
    kind: str, prepare: subjects.Prepare, patch: pytest.MonkeyPatch, folder: Path
) -> SoundDevice:
    wanted, simulation = prepare(patch, folder), settings.Simulation(directory=str(folder))
    new = registry.microphone if kind == "microphone" else registry.speaker
    return SoundDevice(kind, new(wanted, simulation))


SIMULATED = {
    "simulated-microphone": partial(make, "microphone", subjects.simulated_microphone),
    "simulated-speaker": partial(make, "speaker", subjects.simulated_speaker),
}
CARDS = {
    "card-microphone": partial(make, "microphone", subjects.alsa_microphone),
    "card-speaker": partial(make, "speaker", subjects.alsa_speaker),
}
FILES = {
    "file-microphone": partial(make, "microphone", subjects.alsa_file_microphone),
    "file-speaker": partial(make, "speaker", subjects.alsa_file_speaker),
}
PACED = SIMULATED | CARDS
"""Those that go with real time, as alsa-lib's file PCM does not."""


def of(makers: dict[str, Callable[..., SoundDevice]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("maker", makers.values(), ids=makers)


@pytest.fixture
def device(
    maker: Callable[..., SoundDevice], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[SoundDevice]:
    device = maker(monkeypatch, tmp_path)
    yield device
    device.port.close()


@of(PACED | FILES)
def test_opens_well_and_has_lost_nothing(device: SoundDevice) -> None:
    assert device.port.open().status is Status.OK
    assert device.port.status().detail.xruns == 0


@of(PACED | FILES)
def test_closing_may_be_repeated_and_opening_too(device: SoundDevice) -> None:
    for _ in range(2):
        assert device.port.open().status is Status.OK
        device.pass_periods(1)
        device.port.close()
        device.port.close()


@of(PACED)
def test_keeps_real_time(device: SoundDevice) -> None:
    device.port.open()
    device.pass_periods(1)
    began = time.monotonic()
    device.pass_periods(200)
    assert time.monotonic() - began > 0.9 * 200 * PERIOD_FRAMES / SAMPLE_RATE_HZ, (
        "never faster; a machine may be slow"
    )


@of(PACED)
def test_who_comes_late_is_told_and_sound_goes_on(device: SoundDevice) -> None:
    device.port.open()
    device.pass_periods(5)
    time.sleep(0.5)
    device.pass_periods(10)
    assert device.port.status().detail.xruns >= 1
    assert device.port.status().status is Status.OK


@of(SIMULATED)
def test_stalled_it_holds_nobody(device: SoundDevice, tmp_path: Path) -> None:
    device.port.open()
    (tmp_path / device.kind).write_text("stalled")
    began = time.monotonic()
    device.pass_periods(1)
    assert time.monotonic() - began < 3
    assert device.port.status().code == "stalled"


@of(SIMULATED)
def test_unplugged_in_use_and_plugged_in_again(device: SoundDevice, tmp_path: Path) -> None:
    device.port.open()
    (tmp_path / device.kind).write_text("unplugged")
    with pytest.raises(DeviceAbsent, match="check its cable"):
        device.pass_periods(1)
    assert device.port.status().status is Status.ABSENT
    (tmp_path / device.kind).write_text("")
    device.pass_periods(1)
    assert device.port.status().status is Status.OK


@of(SIMULATED)
def test_absent_and_busy_are_told_apart_at_opening(device: SoundDevice, tmp_path: Path) -> None:
    (tmp_path / device.kind).write_text("unplugged")
    with pytest.raises(DeviceAbsent):
        device.port.open()
    (tmp_path / device.kind).write_text("busy")
    with pytest.raises(DeviceBusy, match="another program"):
        device.port.open()


# --- on a card that comes and goes ---------------------------------------------------------------


def new_microphone(pcm: str, sysfs: Path) -> Any:
    wanted = settings.Microphone(driver="alsa", device=pcm)
    return SoundDevice("microphone", alsa_microphone.create(wanted, settings.Simulation(), sysfs))


def new_speaker(pcm: str, sysfs: Path) -> Any:
    wanted = settings.Speaker(driver="alsa", device=pcm)
    return SoundDevice("speaker", alsa_speaker.create(wanted, settings.Simulation(), sysfs))


@pytest.fixture(params=[new_microphone, new_speaker], ids=["microphone", "speaker"])
def card(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Card]:
    card = Card(monkeypatch, tmp_path, request.param)
    yield card
    card.device.port.close()


def test_a_card_is_absent_until_it_is_plugged_whatever_its_index(card: Card) -> None:
    """As whoever uses the port does it: close it, and open it for another try."""
    port = card.device.port
    with pytest.raises(DeviceAbsent, match=r"no sound card 'Jabra' found.*\(found: "):
        port.open()
    for index in (1, 3):
        card.plug(index)
        port.open()
        card.device.pass_periods(5)
        assert port.status().status is Status.OK
        card.unplug(index)
        with pytest.raises(DeviceAbsent, match="no sound card 'Jabra' found"):
            card.device.pass_periods(1)
        port.close()
        with pytest.raises(DeviceAbsent):
            port.open()


def test_a_card_that_goes_in_the_moment_of_an_overrun_is_absent(card: Card) -> None:
    """What is asked of it then fails as well (ENODEV of snd_pcm_drop)."""
    card.plug(1)
    card.device.port.open()
    card.cable.stopped = True
    card.unplug(1)
    with pytest.raises(DeviceAbsent, match="no sound card 'Jabra' found"):
        card.device.pass_periods(1)


def test_a_loudspeaker_in_nothing_but_underruns_holds_nobody_and_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    card = Card(monkeypatch, tmp_path, new_speaker)
    card.plug(1)
    card.device.port.open()
    card.cable.stops = True
    began = time.monotonic()
    card.device.pass_periods(1)
    assert time.monotonic() - began < 2
    with pytest.raises(DeviceTimeout, match="takes no sound"):
        card.device.pass_periods(20)
    card.device.port.close()


def test_a_card_that_does_not_close_holds_nobody(card: Card) -> None:
    card.plug(1)
    card.device.port.open()
    card.cable.close_seconds = 3
    began = time.monotonic()
    card.device.port.close()
    assert time.monotonic() - began < 2


class IdlePcm(Pcm):
    """A card that is there and neither delivers nor takes anything."""

    def read(self) -> bytes:
        return b""

    def write(self, sound: bytes) -> int:
        return 0

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@of(FILES)
def test_a_card_that_stands_still_is_told(device: SoundDevice) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.devices.alsa.pcm.Pcm", IdlePcm)
        device.port.open()
    began = time.monotonic()
    device.pass_periods(1)
    assert time.monotonic() - began < 3
    detail = device.port.status().detail
    assert detail.silences or detail.dropped
    with pytest.raises(DeviceTimeout, match=r"(no sound arrives|takes no sound).*replug"):
        device.pass_periods(20)
