"""The line between the daemon and its media process: JSON lines over one socket pair.

The daemon writes instructions, the media process reports (`agent.core.model.media`); end of file means that the
other side is gone. Both sides share this module: the supervisor and the media process.
"""

from __future__ import annotations

import msgspec

from agent.core.model.media import Instruction, MediaReport
from agent.errors import MessageError
from agent.settings import Devices, Media

MAX_LINE_BYTES = 256 * 1024
"""Longer than any line we write; a longer one is a broken peer."""


class Configure(msgspec.Struct, frozen=True, tag_field="kind", tag="configure"):
    """The first line to the media process, before any instruction: its share of the settings."""

    devices: Devices
    media: Media


ToMedia = Configure | Instruction

DECODE_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)
"""Bytes that are no UTF-8 and nesting without end raise Python's own."""

_encoder = msgspec.json.Encoder()
_to_media: msgspec.json.Decoder[ToMedia] = msgspec.json.Decoder(ToMedia)
_to_daemon: msgspec.json.Decoder[MediaReport] = msgspec.json.Decoder(MediaReport)


def encode(message: ToMedia | MediaReport) -> bytes:
    """One line, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_for_media(line: bytes) -> ToMedia:
    """Raises MessageError, naming what is wrong with the line."""
    try:
        return _to_media.decode(line)
    except DECODE_ERRORS as error:
        raise MessageError("bad-frame", f"line from the daemon: {error}") from error


def decode_for_daemon(line: bytes) -> MediaReport:
    """Raises MessageError, naming what is wrong with the line."""
    try:
        return _to_daemon.decode(line)
    except DECODE_ERRORS as error:
        raise MessageError("bad-frame", f"line from the media process: {error}") from error
