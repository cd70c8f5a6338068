"""What a device's status code means to somebody with hands: title, likely cause, what to do.

The codes are those of the drivers and of the bench; one that is not here is shown as the driver
said it.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.core.model.documents import DeviceStatus
from agent.diagnostics.report import Finding, Outcome
from agent.locale import gettext as _


class Trouble(NamedTuple):
    """The words for one code."""

    title: str
    cause: str
    advice: str


MILD = frozenset({"slow", "too-quiet", "clipping", "button-held", "probe-stuck"})
"""Codes of a device that can be used in a meeting all the same."""


TIMED = frozenset({"stalled", "slow", "hung", "probe-stuck"})
"""Codes that say that something did not come in time."""


def finding(kind: str, device: DeviceStatus, evidence: str = "", driver: str = "") -> Finding:
    """The finding for a device whose status is not ok."""
    return describe(kind, device.code, evidence or device.text, driver)


def describe(kind: str, code: str, evidence: str, driver: str = "") -> Finding:
    """The finding for a device's code; `driver` where the hands have to do something else."""
    outcome = Outcome.WARNING if code in MILD else Outcome.FAILED
    table = _TROUBLES.get(driver) or _TROUBLES[kind]
    words = table().get(code) or _of_any(kind).get(code) or Trouble(_unknown(kind), "", _replug())
    return Finding(
        code=f"{kind}-{code}",
        outcome=outcome,
        title=words.title,
        evidence=evidence,
        cause=words.cause,
        advice=words.advice,
        timed=code in TIMED,
    )


def _camera() -> dict[str, Trouble]:
    return {
        "absent": Trouble(
            _("The camera is not there"),
            _("Its cable is out or broken, or its USB port has no power"),
            _("Unplug the camera's cable, plug it in firmly, try another port and another cable"),
        ),
        "busy": Trouble(
            _("Another program holds the camera"),
            _("A program was started by hand, or one hangs"),
            _("End that program, or restart the box"),
        ),
        "stalled": Trouble(
            _("The camera delivers no pictures"),
            _("A bad cable, too little power, or the camera hangs"),
            _("Unplug the camera's cable and plug it in again; then try another cable"),
        ),
        "slow": Trouble(
            _("The camera delivers too few pictures"),
            _("Too little light, or a slow USB port shared with other devices"),
            _("Switch the light on; plug the camera into a blue USB 3 port of its own"),
        ),
        "black": Trouble(
            _("The camera's picture is black"),
            _("The lens is covered, or the room is dark"),
            _("Open the lens cover, switch the light on"),
        ),
        "frozen": Trouble(
            _("The camera's picture stands still"),
            _("The camera hangs"),
            _("Unplug the camera's cable and plug it in again"),
        ),
        "not-installed": _not_installed(),
    }


def _ribbon_camera() -> dict[str, Trouble]:
    """A ribbon cable must not be touched while there is power on it."""
    advice = _("Switch the box off; take the ribbon cable out and put it in straight at both ends")
    cause = _("The ribbon cable sits badly or is broken")
    return _camera() | {
        "absent": Trouble(_("The camera is not there"), cause, advice),
        "stalled": Trouble(_("The camera delivers no pictures"), cause, advice),
        "frozen": Trouble(_("The camera's picture stands still"), cause, advice),
    }


def _microphone() -> dict[str, Trouble]:
    return {
        "absent": Trouble(
            _("The microphone is not there"),
            _("Its cable is out or broken, or its USB port has no power"),
            _("Unplug the microphone's cable, plug it in firmly, try another port"),
        ),
        "busy": Trouble(
            _("Another program holds the microphone"),
            _("A sound server or a program that was started by hand"),
            _("End that program, or restart the box"),
        ),
        "stalled": Trouble(
            _("The microphone delivers nothing"),
            _("A bad cable, too little power, or the microphone hangs"),
            _("Unplug the microphone's cable and plug it in again"),
        ),
        "slow": Trouble(
            _("The microphone delivers too little sound"),
            _("A slow USB port shared with other devices"),
            _("Plug the microphone into a port of its own"),
        ),
        "dead": Trouble(
            _("The microphone is dead: it delivers pure silence"),
            _("It is switched off by its own mute switch, or it is broken"),
            _("Press the microphone's own mute switch; if that doesn't help, replace it"),
        ),
        "too-quiet": Trouble(
            _("The microphone is far too quiet"),
            _("Its gain is turned down, or a cable has a bad contact"),
            _("Turn its gain up (alsamixer, F4), speak, and run: diemcau test microphone"),
        ),
        "clipping": Trouble(
            _("The microphone is overdriven: its sound is cut off"),
            _("Its gain is turned up too far"),
            _("Turn its gain down (alsamixer, F4) and run: diemcau test microphone"),
        ),
        "not-installed": _not_installed(),
    }


def _speaker() -> dict[str, Trouble]:
    return {
        "absent": Trouble(
            _("The loudspeaker is not there"),
            _("Its cable is out, or the display that it is built into is off"),
            _("Check the loudspeaker's cable and power; try another port"),
        ),
        "busy": Trouble(
            _("Another program holds the loudspeaker"),
            _("A sound server or a program that was started by hand"),
            _("End that program, or restart the box"),
        ),
        "stalled": Trouble(
            _("The loudspeaker takes no sound"),
            _("A bad cable, or the device hangs"),
            _("Unplug the loudspeaker's cable and plug it in again"),
        ),
        "slow": Trouble(
            _("The loudspeaker plays too slowly"),
            _("A slow USB port shared with other devices"),
            _("Plug it into a port of its own"),
        ),
        "silent": Trouble(
            _("The loudspeaker is dead: the microphone does not hear it"),
            _("The loudspeaker or amplifier is off, turned down, or its sound cable is out"),
            _("Switch it on, turn it up, check the sound cable; then: diemcau test speaker"),
        ),
        "not-installed": _not_installed(),
    }


def _display() -> dict[str, Trouble]:
    return {
        "absent": Trouble(
            _("The display's relay is not there"),
            _no_chip(),
            _("Set devices.display.relay.chip to one of those that were found"),
        ),
        "stuck": Trouble(
            _("The display's relay does not switch"),
            _("The relay is stuck, or its board has no power"),
            _("Check the relay board's power and wires; if it doesn't click, replace it"),
        ),
        "busy": Trouble(
            _("Another program holds the display's relay"),
            _("A program was started by hand"),
            _("End that program, or restart the box"),
        ),
        "unconnected": Trouble(
            _("No display is connected"),
            _("The HDMI cable is out, or the display is off"),
            _("Plug the HDMI cable in at both ends and switch the display on"),
        ),
        "no-connector": Trouble(
            _("There is no video output of that name"),
            _("The settings name another output, or the kernel has no driver for it"),
            _("Correct devices.display.output.connector, or leave it out"),
        ),
        "relay-failed": Trouble(
            _("The display's relay does not switch"),
            _("The relay is stuck, or its board has no power"),
            _("Check the relay board's power and wires; if it doesn't click, replace it"),
        ),
        "not-installed": _not_installed(),
    }


def _panel() -> dict[str, Trouble]:
    return {
        "absent": Trouble(
            _("The panel with the lamp and the button is not there"),
            _no_chip(),
            _("Set devices.panel.chip to one of those that were found"),
        ),
        "busy": Trouble(
            _("Another program holds the lamp and the button"),
            _("A program was started by hand"),
            _("End that program, or restart the box"),
        ),
        "button-held": Trouble(
            _("The mute button is stuck"),
            _("It is jammed, or its wires touch"),
            _("Free the button; if that doesn't help, check its wires"),
        ),
        "lamp-failed": Trouble(
            _("The on-air lamp does not obey"),
            _("Its line is not what the settings say, or another program holds it"),
            _("Check the panel's lines in the settings, then restart the box"),
        ),
        "not-installed": _not_installed(),
    }


_TROUBLES = {
    "camera": _camera,
    "picamera2": _ribbon_camera,
    "microphone": _microphone,
    "speaker": _speaker,
    "display": _display,
    "panel": _panel,
}


def _of_any(kind: str) -> dict[str, Trouble]:
    """What may befall each kind of device."""
    settings = Trouble(
        _unknown(kind),
        _("The settings name it by a number, or in a way that fits several"),
        _("Name it as the doctor shows it: diemcau config explain devices"),
    )
    hangs = Trouble(
        _unknown(kind),
        _("Its driver in the kernel hangs"),
        _("Restart the box; if it comes back, replace the device"),
    )
    return {
        "ambiguous": settings,
        "named-by-index": settings,
        "hung": hangs,
        "probe-stuck": hangs,
        "not-allowed": Trouble(
            _unknown(kind),
            _("The agent may not open it"),
            _("Install the package again: it gives the agent's user what it needs"),
        ),
    }


def _no_chip() -> str:
    """All that can be seen of a relay or a panel: wires cannot."""
    return _("The box is no Raspberry Pi, or the settings name a GPIO chip that it does not have")


def _not_installed() -> Trouble:
    return Trouble(
        _("The driver's software is not installed"),
        _("The package was installed without it, or the settings name the wrong driver"),
        _("Install the package again, or correct the driver in the settings"),
    )


def _unknown(kind: str) -> str:
    return {
        "camera": _("The camera does not work as it should"),
        "microphone": _("The microphone does not work as it should"),
        "speaker": _("The loudspeaker does not work as it should"),
        "display": _("The display's relay does not work as it should"),
        "panel": _("The lamp and the button do not work as they should"),
    }[kind]


def _replug() -> str:
    return _("Unplug it and plug it in again; then restart the box")
