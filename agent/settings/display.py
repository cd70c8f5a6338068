"""The display: its power and its picture.

The relay is the truth about the power; the output is where pictures go.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from agent.settings.gpio import Line
from agent.settings.section import Section


class Relay(Section, frozen=True):
    """The relay that powers the display."""

    driver: Annotated[Literal["gpio", "simulated"], Meta(description="gpio or simulated")]
    required: Annotated[bool, Meta(description="without it the room's health is failed")] = False
    chip: Annotated[
        str | None,
        Meta(description="label of the GPIO chip, such as pinctrl-bcm2711; none: any Pi's"),
    ] = None
    line: Annotated[Line, Meta(description="GPIO line (BCM number) of the relay")] = 17
    active_high: Annotated[
        bool, Meta(description="true if a high level switches the display on")
    ] = True
    warm_up_seconds: Annotated[
        float, Meta(description="from power to a picture on the display", ge=0, le=60)
    ] = 5
    hold_seconds: Annotated[
        float, Meta(description="how long the display stays on after a meeting", ge=0, le=86_400)
    ] = 60


def by_likelihood(connector: str) -> tuple[bool, str]:
    """Sorts connectors where no setting names one: a meeting's screen hangs on HDMI. A touch panel (DSI) is always
    connected, and of composite video nobody knows.
    """
    return not connector.startswith("HDMI"), connector


class Output(Section, frozen=True):
    """Where the meeting's picture goes."""

    driver: Annotated[
        Literal["kms", "window", "none"],
        Meta(description="kms (the screen itself), window (a desktop), none"),
    ]
    connector: Annotated[
        str | None,
        Meta(
            description="kms: connector, such as HDMI-A-1; none: the first connected, HDMI before others"
        ),
    ] = None
    width: Annotated[int, Meta(description="pixels of the picture shown", ge=320, le=3840)] = 1280
    height: Annotated[int, Meta(description="pixels of the picture shown", ge=180, le=2160)] = 720
    framerate: Annotated[int, Meta(description="pictures shown per second", ge=5, le=60)] = 30
    layout: Annotated[
        Literal["grid", "first-big"],
        Meta(description="several sources: all alike (grid), or the first one big (first-big)"),
    ] = "grid"
    language: Annotated[
        Literal["vi", "en"], Meta(description="of the words on the screen: vi or en")
    ] = "vi"
    delay_milliseconds: Annotated[
        int,
        Meta(
            description="what the screen itself takes to show a picture; the sound waits for it",
            ge=0,
            le=500,
        ),
    ] = 0


class Display(Section, frozen=True):
    """The display: its power and its picture."""

    relay: Annotated[
        Relay | None, Meta(description="the display's power; none if it is always on")
    ] = None
    output: Annotated[Output, Meta(description="where the picture goes")] = field(
        default_factory=lambda: Output(driver="none")
    )
    self_view: Annotated[
        Literal["off", "alone", "always"],
        Meta(
            description="the room's own picture in a corner of the screen: off, alone (while nobody else is seen), always"
        ),
    ] = "alone"
