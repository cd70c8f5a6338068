"""The agent's settings: types, defaults, units and what each key means.

`agent.config` reads YAML into these; config/agent.yaml is the commented original. A key's meaning
is its `Meta(description=...)`, from which the CLI's `config explain` reads too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from agent.core.commands import Identifier

Line = Annotated[int, Meta(ge=0, le=511)]
"""A GPIO line's offset on its chip."""


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping in the YAML file."""


class Room(Section, frozen=True):
    """Which room this is."""

    id: Annotated[Identifier, Meta(description="the room's id in topics and URLs: a-z, 0-9, '-'")]
    name: Annotated[str, Meta(description="the room's name for people", max_length=80)] = ""
    groups: Annotated[
        list[Identifier],
        Meta(description="groups whose commands the room obeys; 'all' is always one of them"),
    ] = []


class Tls(Section, frozen=True):
    """Certificates for the hub link (PEM files)."""

    ca: Annotated[str, Meta(description="path of the CA that signed the hub's certificate")]
    certificate: Annotated[str | None, Meta(description="path of this room's certificate")] = None
    key: Annotated[str | None, Meta(description="path of this room's private key")] = None


class Hub(Section, frozen=True):
    """The MQTT 5 broker that commands come from."""

    host: Annotated[str, Meta(description="name or address of the hub's MQTT broker")]
    port: Annotated[int, Meta(description="TCP port of the broker", ge=1, le=65535)] = 8883
    topic_root: Annotated[
        str, Meta(description="first part of every topic", pattern=r"^[^#+\s/]+(/[^#+\s/]+)*\Z")
    ] = "diemcau/v1"
    tls: Annotated[
        Tls | None, Meta(description="certificates; none is allowed towards loopback only")
    ] = None
    username: Annotated[str | None, Meta(description="MQTT user name, if the hub wants one")] = None
    password_file: Annotated[
        str | None, Meta(description="path of a file that holds the MQTT password")
    ] = None
    keepalive_seconds: Annotated[
        int,
        Meta(
            description="MQTT keep alive; a dead link is noticed within 1.5 times it", ge=5, le=600
        ),
    ] = 30
    connect_timeout_seconds: Annotated[
        float, Meta(description="how long a connection attempt may take; 3G is slow", ge=1, le=120)
    ] = 20
    session_expiry_seconds: Annotated[
        int,
        Meta(
            description="how long the broker keeps commands for a room that is away",
            ge=0,
            le=4_294_967_295,  # four bytes (MQTT 5, 3.1.2.11.2)
        ),
    ] = 3600
    require_signature: Annotated[
        bool, Meta(description="obey commands from the hub only if a trusted key signed them")
    ] = False
    trusted_keys: Annotated[
        str, Meta(description="folder of the keys whose signatures count, one file a key")
    ] = "/etc/diemcau/trusted-keys"


class Health(Section, frozen=True):
    """How often the room reports on itself."""

    interval_seconds: Annotated[
        float, Meta(description="between health documents; a change is sent at once", ge=1, le=3600)
    ] = 60


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
    source: Annotated[
        str | None, Meta(description="simulated: a video file to show instead of the pattern")
    ] = None
    pattern: Annotated[
        int, Meta(description="simulated: which test picture, 0 to 15", ge=0, le=15)
    ] = 0


EchoCanceller = Literal["speexdsp", "webrtcdsp", "livekit", "off"]


class Microphone(Section, frozen=True):
    """The microphone."""

    driver: Annotated[Literal["alsa", "simulated"], Meta(description="alsa or simulated")]
    required: Annotated[bool, Meta(description="without it the room's health is failed")] = True
    device: Annotated[
        str | None, Meta(description="ALSA PCM by card id, such as plughw:CARD=Jabra,DEV=0")
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
        str | None, Meta(description="ALSA PCM by card id, such as plughw:CARD=vc4hdmi0,DEV=0")
    ] = None
    volume: Annotated[int, Meta(description="percent when a meeting starts", ge=0, le=100)] = 70
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


class Output(Section, frozen=True):
    """Where the meeting's picture goes."""

    driver: Annotated[
        Literal["kms", "window", "none"],
        Meta(description="kms (the screen itself), window (a desktop), none"),
    ]
    connector: Annotated[
        str | None, Meta(description="kms: connector, such as HDMI-A-1; none: the first connected")
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


class Recording(Section, frozen=True):
    """Where meetings are recorded, and for how long they are kept."""

    directory: Annotated[
        str | None, Meta(description="folder for the recordings (MP4 files); none: none are made")
    ] = None
    keep_days: Annotated[
        float, Meta(description="recordings older than this are deleted", ge=0.01, le=3650)
    ] = 30
    keep_megabytes: Annotated[
        int, Meta(description="above this in all, the oldest recordings are deleted", ge=10)
    ] = 8000
    minimum_free_megabytes: Annotated[
        int, Meta(description="with less left on the disk, nothing is recorded", ge=1)
    ] = 500


class Media(Section, frozen=True):
    """Where meetings are, and how they are played."""

    publish_url: Annotated[
        str | None,
        Meta(
            description="WHIP endpoint for a join without one; {meeting} and {room} are filled in"
        ),
    ] = None
    play_urls: Annotated[
        list[str],
        Meta(
            description="WHEP endpoints for a join without any; {meeting} and {room} are filled in"
        ),
    ] = []
    token_file: Annotated[
        str | None, Meta(description="path of a file with the bearer token for those URLs")
    ] = None
    jitter_buffer_milliseconds: Annotated[
        int,
        Meta(
            description="how long received media waits for late packets, at the least",
            ge=10,
            le=2000,
        ),
    ] = 40
    local_address: Annotated[
        str | None,
        Meta(description="the only address that ICE may use, such as 127.0.0.1; none: all"),
    ] = None
    recording: Annotated[Recording, Meta(description="recordings of meetings")] = field(
        default_factory=Recording
    )


class Store(Section, frozen=True):
    """What is kept on disk."""

    path: Annotated[str, Meta(description="folder for the journal; the only one written to")] = (
        "/var/lib/diemcau"
    )


class Control(Section, frozen=True):
    """The local control socket."""

    socket: Annotated[str, Meta(description="path of the Unix socket for the CLI")] = (
        "/run/diemcau/control.sock"
    )


class Clock(Section, frozen=True):
    """Whether the machine's time is to be believed."""

    trusted: Annotated[
        bool,
        Meta(
            description="true where a real-time clock keeps the time, so that nobody waits for NTP"
        ),
    ] = False


class Settings(Section, frozen=True):
    """All of it: the file /etc/diemcau/agent.yaml."""

    room: Annotated[Room, Meta(description="which room this is")]
    hub: Annotated[Hub, Meta(description="where commands come from")]
    health: Annotated[Health, Meta(description="reports")] = field(default_factory=Health)
    devices: Annotated[Devices, Meta(description="what is built in")] = field(
        default_factory=Devices
    )
    media: Annotated[Media, Meta(description="meetings")] = field(default_factory=Media)
    store: Annotated[Store, Meta(description="what is kept")] = field(default_factory=Store)
    control: Annotated[Control, Meta(description="the control socket")] = field(
        default_factory=Control
    )
    clock: Annotated[Clock, Meta(description="the machine's time")] = field(default_factory=Clock)
