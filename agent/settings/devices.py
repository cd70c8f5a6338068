"""What is built into the room; the sound and the display have files of their own.

A device that is left out is not there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from agent.settings.display import Display
from agent.settings.gpio import Line
from agent.settings.section import Section
from agent.settings.sound import Microphone, Speaker


class Camera(Section, frozen=True):
    """The camera, and how its picture is encoded."""

    driver: Annotated[
        Literal["picamera2", "v4l2", "simulated"],
        Meta(description="picamera2 (ribbon cable), v4l2 (USB), or simulated"),
    ]
    required: Annotated[bool, Meta(description="without it the room's health is failed")] = False
    device: Annotated[
        str | None,
        Meta(
            description="v4l2: card name or /dev/v4l/by-id path; picamera2: camera number or model"
        ),
    ] = None
    width: Annotated[int, Meta(description="pixels", ge=160, le=1920)] = 1280
    height: Annotated[int, Meta(description="pixels", ge=90, le=1080)] = 720
    framerate: Annotated[float, Meta(description="pictures per second", ge=1, le=60)] = 30
    bitrate: Annotated[
        int, Meta(description="bit/s of the encoded picture at the most", ge=100_000, le=8_000_000)
    ] = 1_500_000
    minimum_bitrate: Annotated[
        int, Meta(description="bit/s below which the picture is given up for the sound", ge=50_000)
    ] = 150_000
    rotation: Annotated[
        Literal[0, 180], Meta(description="picamera2: 180 for a camera that hangs from the ceiling")
    ] = 0
    lens_position: Annotated[
        Annotated[float, Meta(ge=0, le=32)] | None,
        Meta(
            description="picamera2: where the lens stays, in dioptres (0.5 is 2 m); none: it focuses "
            "by itself where it can"
        ),
    ] = None
    source: Annotated[
        str | None, Meta(description="simulated: a video file to show instead of the pattern")
    ] = None
    pattern: Annotated[
        int, Meta(description="simulated: which test picture, 0 to 15", ge=0, le=15)
    ] = 0


class Panel(Section, frozen=True):
    """The on-air lamp and the mute button."""

    driver: Annotated[Literal["gpio", "simulated"], Meta(description="gpio or simulated")]
    required: Annotated[bool, Meta(description="without it the room's health is failed")] = False
    chip: Annotated[str | None, Meta(description="label of the GPIO chip; none: any Pi's")] = None
    on_air_lamp: Annotated[Line | None, Meta(description="GPIO line (BCM number) of the lamp")] = (
        None
    )
    mute_button: Annotated[
        Line | None, Meta(description="GPIO line (BCM number) of the button, to ground")
    ] = None
    camera_button: Annotated[
        Line | None, Meta(description="GPIO line (BCM number) of the camera's button, to ground")
    ] = None
    camera_by_long_press: Annotated[
        bool, Meta(description="the mute button, held for three seconds, switches the camera")
    ] = False


class Simulation(Section, frozen=True):
    """How the simulated devices are played with."""

    directory: Annotated[
        str | None,
        Meta(description="folder through which simulated devices are broken and watched"),
    ] = None
    echo: Annotated[
        bool, Meta(description="the simulated microphone hears the simulated loudspeaker")
    ] = False


class Devices(Section, frozen=True):
    """What is built into the room; a device left out is not there."""

    camera: Annotated[Camera | None, Meta(description="the camera")] = None
    microphone: Annotated[Microphone | None, Meta(description="the microphone")] = None
    speaker: Annotated[Speaker | None, Meta(description="the loudspeaker")] = None
    display: Annotated[Display, Meta(description="the display")] = field(default_factory=Display)
    panel: Annotated[Panel | None, Meta(description="the lamp and the button")] = None
    simulation: Annotated[Simulation, Meta(description="for simulated devices")] = field(
        default_factory=Simulation
    )
