"""A sound card's own playback volume, where it has one."""

from __future__ import annotations

from typing import Any

import alsaaudio

from agent.devices.speaker.volume import decibels

PREFERRED = ("PCM", "Speaker", "Master", "Headphone", "HDMI")
"""Names that playback volumes have on USB speakerphones and on the Pi, the usual one first."""

VOLUMES = frozenset({"Volume", "Playback Volume"})
SILENCE_DB = -120.0
MUTES = frozenset({"Mute", "Playback Mute"})
"""What pyalsaaudio calls a control that does both directions at once, and one that only plays."""


SMALLEST_RANGE_DB = 3.0
"""A range of less is a made-up one, as some USB devices have it."""


class VolumeControl:
    """One simple mixer control with a playback volume. `card` is the card's id."""

    def __init__(self, card: str, name: str) -> None:
        self.name = name
        self._card = card

    def set(self, amplitude: float) -> float:
        """Make it so loud, 0 to 1 of the card's loudest, and unmuted unless that is 0.

        Returns what is left to be done to the samples: 1 where the card does it all, less where its range
        ends above or it does not say in dB what its steps are. A card that is just leaving is no error.
        """
        try:
            control = alsaaudio.Mixer(control=self.name, device=f"hw:CARD={self._card}")
            if not MUTES.isdisjoint(control.switchcap()):
                control.setmute(0 if amplitude > 0 else 1)
            return self._set(control, amplitude)
        except alsaaudio.ALSAAudioError:
            return (
                amplitude  # the PCM will notice, and the volume is set again when the card is back
            )

    def _set(self, control: Any, amplitude: float) -> float:
        lowest, highest = _range_db(control)
        if highest - lowest < SMALLEST_RANGE_DB:
            control.setvolume(100)
            return amplitude
        wanted = max(lowest, highest + decibels(amplitude))
        control.setvolume(
            round(wanted * 100), pcmtype=alsaaudio.PCM_PLAYBACK, units=alsaaudio.VOLUME_UNITS_DB
        )
        given = control.getvolume(pcmtype=alsaaudio.PCM_PLAYBACK, units=alsaaudio.VOLUME_UNITS_DB)[
            0
        ]
        rest = decibels(amplitude) - (given / 100 - highest)
        return min(1.0, 10 ** (rest / 20)) if amplitude > 0 else 0.0


def _range_db(control: Any) -> tuple[float, float]:
    """From its softest to its loudest step, -120 dB where that is silence; equal where it does not say."""
    try:
        lowest, highest = control.getrange(
            pcmtype=alsaaudio.PCM_PLAYBACK, units=alsaaudio.VOLUME_UNITS_DB
        )
    except alsaaudio.ALSAAudioError:
        return 0.0, 0.0
    return max(SILENCE_DB, lowest / 100), highest / 100


def find(card: str) -> VolumeControl | None:
    """The card's playback volume; None if it has none."""
    try:
        names = alsaaudio.mixers(device=f"hw:CARD={card}")
        usable = [name for name in names if _plays(card, name)]
    except alsaaudio.ALSAAudioError:
        return None
    usable.sort(key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED))
    return VolumeControl(card, usable[0]) if usable else None


def _plays(card: str, name: str) -> bool:
    control = alsaaudio.Mixer(control=name, device=f"hw:CARD={card}")
    return not VOLUMES.isdisjoint(control.volumecap())
