"""The microphone and the loudspeaker.

ALSA devices are named by card id, never by index.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from agent.settings.section import Section

EchoCanceller = Literal["speexdsp", "webrtcdsp", "livekit", "off"]


class Microphone(Section, frozen=True):
    """The microphone."""

    driver: Annotated[Literal["alsa", "simulated"], Meta(description="alsa or simulated")]
    required: Annotated[bool, Meta(description="without it the room's health is failed")] = True
    device: Annotated[
        str | None,
        Meta(
            description="ALSA PCM by card id, such as plughw:CARD=Jabra,DEV=0; or usb:1-1.2, the "
            "card in that port"
        ),
    ] = None
    source: Annotated[
        str | None, Meta(description="simulated: a WAV file to hear instead of the tone")
    ] = None
    tone_hz: Annotated[
        float, Meta(description="simulated: frequency of the test tone", ge=20, le=20_000)
    ] = 440
    processing: Annotated[
        bool | None,
        Meta(
            description="echo cancellation, noise suppression and gain control; false for a "
            "speakerphone that does it itself; none: on for alsa"
        ),
    ] = None
    echo_canceller: Annotated[
        EchoCanceller,
        Meta(
            description="which one, where there is processing: speexdsp (and webrtcdsp after it), "
            "webrtcdsp alone, livekit (from PyPI), or off"
        ),
    ] = "speexdsp"


class Speaker(Section, frozen=True):
    """The loudspeaker."""

    driver: Annotated[Literal["alsa", "simulated"], Meta(description="alsa or simulated")]
    required: Annotated[bool, Meta(description="without it the room's health is failed")] = True
    device: Annotated[
        str | None,
        Meta(
            description="ALSA PCM by card id, such as sysdefault:CARD=vc4hdmi0 (HDMI); or usb:1-1.2, "
            "the card in that port"
        ),
    ] = None
    volume: Annotated[
        int, Meta(description="percent, until a volume command says otherwise", ge=0, le=100)
    ] = 70
    record: Annotated[
        str | None, Meta(description="simulated: a WAV file that gets what would be heard")
    ] = None
    delay_milliseconds: Annotated[
        int,
        Meta(
            description="what the loudspeaker itself takes (a television, Bluetooth); the picture "
            "waits for it",
            ge=0,
            le=500,
        ),
    ] = 0
