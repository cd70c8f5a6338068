"""`diemcau test`: each part of the room by hand, with eyes and ears.

A file a part; devices are tried out as the doctor does, never while a meeting needs them.
"""

from __future__ import annotations

import typer

from agent.cli.session import examples
from agent.cli.test import camera, display, everything, hub, media, microphone, panel, speaker
from agent.locale import gettext as _


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    noun = typer.Typer(
        help=_("Try one part of the room by hand"), no_args_is_help=True, rich_markup_mode=None
    )
    for name, function, text, lines in _COMMANDS:
        noun.command(name, help=text, epilog=examples(*lines))(function)
    app.add_typer(noun, name="test")


_COMMANDS = (
    (
        "camera",
        camera.camera,
        _("A still, brightness, sharpness; is it black or frozen?"),
        ("diemcau test camera", "diemcau test camera --out /tmp/room.png"),
    ),
    (
        "microphone",
        microphone.microphone,
        _("A live level meter, the noise floor; records and plays it back"),
        ("diemcau test microphone", "diemcau test microphone --seconds 20 --no-play"),
    ),
    (
        "speaker",
        speaker.speaker,
        _("A tone, then a chirp that the microphone must hear"),
        ("diemcau test speaker", "diemcau test speaker --seconds 5"),
    ),
    (
        "display",
        display.display,
        _("The relay off and on, the connector, a test picture"),
        ("diemcau test display", "diemcau test display --no-picture"),
    ),
    ("lamp", panel.lamp, _("The lamp blinks"), ("diemcau test lamp --seconds 20",)),
    (
        "button",
        panel.button,
        _("Waits until the mute button is pressed"),
        ("diemcau test button",),
    ),
    (
        "hub",
        hub.hub,
        _("Name, port, certificate, login, permissions, round trips"),
        ("diemcau test hub", "diemcau test hub --count 500"),
    ),
    (
        "media",
        media.media,
        _("A meeting with nobody for ten seconds: bitrate, loss, delay"),
        ("diemcau test media", "diemcau test media --seconds 30"),
    ),
    (
        "all",
        everything.everything,
        _("All of them, one after the other"),
        ("diemcau test all",),
    ),
)
