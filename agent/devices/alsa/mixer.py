"""A sound card's own playback volume, where it has one."""

from __future__ import annotations

import alsaaudio

PREFERRED = ("PCM", "Speaker", "Master", "Headphone", "HDMI")
"""Names that playback volumes have on USB speakerphones and on the Pi, the usual one first."""

VOLUMES = frozenset({"Volume", "Playback Volume"})
MUTES = frozenset({"Mute", "Playback Mute"})
"""What pyalsaaudio calls a control that does both directions at once, and one that only plays."""


class VolumeControl:
    """One simple mixer control with a playback volume. `card` is the card's id."""

    def __init__(self, card: str, name: str) -> None:
        self.name = name
        self._card = card

    def set(self, percent: int) -> None:
        """0 to 100 of the control's range, unmuted. A card that is just leaving is no error."""
        try:
            control = alsaaudio.Mixer(control=self.name, device=f"hw:CARD={self._card}")
            control.setvolume(percent)
            if not MUTES.isdisjoint(control.switchcap()):
                control.setmute(0)
        except alsaaudio.ALSAAudioError:
            return  # the PCM will notice, and the volume is set again when the card is back


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
