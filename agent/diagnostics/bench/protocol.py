"""What the tool and the test process say to each other: one request, then JSON lines back.

A last line is a result or a `Refusal`; `Level` lines come before it, ten a second.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, json

from agent.core.model.documents import DeviceStatus
from agent.diagnostics.picture import PictureFigures
from agent.diagnostics.sound import Echo, SoundFigures
from agent.settings import Devices

Task = Literal["camera", "microphone", "tone", "play", "loop"]


class Request(Struct, frozen=True):
    """Try this out. `file`: where a still (PNG) or a recording (WAV) goes, or what is played."""

    task: Task
    devices: Devices
    seconds: float
    file: str = ""


class CameraResult(Struct, frozen=True, tag="camera"):
    """Pictures came. `still` tells a picture that doesn't change; `status` is the driver's word."""

    width: int
    height: int
    framerate: float
    encoder: str
    pictures: int
    seconds: float
    figures: PictureFigures
    still: bool
    status: DeviceStatus


class SoundResult(Struct, frozen=True, tag="sound"):
    """Sound came; `status` is the driver's word at the end."""

    figures: SoundFigures
    status: DeviceStatus


class PlayResult(Struct, frozen=True, tag="play"):
    """Sound was taken; whether it was heard, only a loop or an ear can tell."""

    status: DeviceStatus


class LoopResult(Struct, frozen=True, tag="loop"):
    """The chirp, from the loudspeaker to the microphone.

    `conclusive`: if it was not found, that was not for holes in the sound.
    """

    echo: Echo
    heard: SoundFigures
    conclusive: bool


class Loaded(Struct, frozen=True, tag="loaded"):
    """The programs that the task needs are there; what comes now is the device's."""


class Level(Struct, frozen=True, tag="level"):
    """The microphone now."""

    level_dbfs: float
    peak_dbfs: float


class Refusal(Struct, frozen=True, tag="refusal"):
    """It could not be done: a DeviceError's code and text."""

    code: str
    text: str


Result = CameraResult | SoundResult | PlayResult | LoopResult
Line = Loaded | Result | Level | Refusal

encode = json.Encoder().encode
decode_request = json.Decoder(Request).decode
_line_decoder: json.Decoder[Line] = json.Decoder(Line)


def decode_line(line: bytes) -> Line:
    """Raises msgspec.MsgspecError for what no test process of this version wrote."""
    return _line_decoder.decode(line)
