"""One volume on every card: what the card does, what is left to the samples, and HDMI's own format."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import alsaaudio
import numpy as np
import pytest

from agent import settings
from agent.devices.alsa import mixer
from agent.devices.alsa.mixer import VolumeControl
from agent.devices.alsa.pcm import Pcm
from agent.devices.speaker import alsa, volume
from agent.devices.speaker.volume import decibels, gain, scaled
from agent.errors import DeviceError
from tests.support import asound
from tests.support.sounds import level_dbfs, tone


class Card:
    """A mixer control with this range in dB, in steps as a card has them; None: it does not say."""

    def __init__(self, range_db: tuple[float, float] | None, step_db: float = 1.0) -> None:
        self.range_db = range_db
        self._step = step_db
        self.db = 0.0
        self.percent: int | None = None
        self.muted = False

    def switchcap(self) -> list[str]:
        return ["Playback Mute"]

    def setmute(self, muted: int) -> None:
        self.muted = bool(muted)

    def getrange(self, *, pcmtype: int, units: int) -> list[int]:
        if self.range_db is None:
            raise alsaaudio.ALSAAudioError("no dB")
        assert units == alsaaudio.VOLUME_UNITS_DB
        return [round(100 * end) for end in self.range_db]

    def setvolume(self, volume: int, **options: Any) -> None:
        if options:
            assert self.range_db is not None
            self.db = round(volume / 100 / self._step) * self._step
        else:
            self.percent = volume

    def getvolume(self, **options: Any) -> list[int]:
        return [round(self.db * 100)]


CARDS = {
    "to-silence": Card((-99_999.99, 0)),
    "of-a-speakerphone": Card((-45, 0), 1.5),
    "narrow": Card((-20, 0)),
    "with-gain": Card((-51, 12)),
    "without-db": Card(None),
    "with-a-made-up-range": Card((0, 0)),
}


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("percent", [0, 5, 25, 50, 75, 100])
def test_a_percent_is_as_loud_on_every_card(
    monkeypatch: pytest.MonkeyPatch, name: str, percent: int
) -> None:
    card = CARDS[name]
    monkeypatch.setattr(mixer.alsaaudio, "Mixer", lambda **which: card)
    rest = VolumeControl("Jabra", "PCM").set(gain(percent))
    assert card.muted is (percent == 0)
    top = card.range_db[1] if card.range_db and card.range_db[1] > card.range_db[0] else 0
    card_does = card.db - top if top or name not in ("without-db", "with-a-made-up-range") else 0
    if percent:
        assert card_does + decibels(rest) == pytest.approx(decibels(gain(percent)), abs=1)
    else:
        assert rest == 0


@pytest.mark.parametrize("loading", [True, False])
def test_a_volume_in_software_is_the_same_curve_and_clips_nothing(
    monkeypatch: pytest.MonkeyPatch, loading: bool
) -> None:
    """Also while numpy is still loading."""
    monkeypatch.setattr(volume, "_loading_numpy", lambda: SimpleNamespace(is_alive=lambda: loading))
    said = tone(1000, -3, 4800)
    assert level_dbfs(np.frombuffer(scaled(said.tobytes(), gain(50)), "<i2")) == pytest.approx(
        level_dbfs(said) - 18.06, abs=0.1
    )
    loud = np.array([-32768, 32767, -1, 0], "<i2").tobytes()
    assert scaled(loud, 1.0) == loud
    assert np.frombuffer(scaled(loud, 0.5), "<i2").tolist() == [-16384, 16384, 0, 0]
    assert scaled(loud, 0.0) == bytes(8)


@pytest.mark.parametrize("device", ["vc4_hardware", "hdmi:CARD=vc4hdmi0,DEV=0"])
def test_hdmi_of_a_pi_takes_no_pcm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str
) -> None:
    """The stand-in refuses what the kernel's driver refuses, or the next test would show nothing.

    Whether plughw: converts is alsa-lib's affair: 1.2.8 (Debian 12) does not, 1.2.14 (Debian 13) does.
    """
    asound.file_pcms(monkeypatch, tmp_path)
    with pytest.raises(DeviceError):
        Pcm(device, captures=False, name="Speaker")


@pytest.mark.parametrize(
    "device",
    ["plughw:CARD=vc4hdmi0,DEV=0", "sysdefault:CARD=vc4hdmi0", "hdmi:CARD=vc4hdmi0,DEV=0", None],
)
def test_the_room_is_heard_through_hdmi_of_a_pi(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str | None
) -> None:
    asound.file_pcms(monkeypatch, tmp_path)
    asound.plug_card(tmp_path / "sys", "vc4hdmi0")
    wanted = settings.Speaker(driver="alsa", device=device, volume=100)
    speaker = alsa.create(wanted, settings.Simulation(), tmp_path / "sys")
    speaker.open()
    said = tone(1000, -6, 4800)
    for period in np.split(said, 10):
        speaker.write(period.tobytes())
    speaker.close()
    heard = np.frombuffer((tmp_path / "hdmi.raw").read_bytes(), "<i2")
    loud = heard[np.abs(heard) > 0]
    assert level_dbfs(loud) == pytest.approx(level_dbfs(said), abs=0.5)
