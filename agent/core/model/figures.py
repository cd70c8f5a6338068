"""What is measured: the figures of health's `media` and `host`, units in their names.

Who measures fills them in, the daemon puts them into health, and whoever reads health reads these.
A figure that is None is not known and is left out on the wire. docs/contract.md lists every one;
`tests/docs/test_contract.py` compares the lists.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from agent.core.model.sparse import Sparse

LinkState = Literal[
    "connecting", "connected", "flowing", "stalled", "refused", "unreachable", "wrong-peer"
]
"""`connected`: DTLS is up. `flowing`: RTP is accepted upstream (the server's receiver reports or
ICE consent say so), or the first picture or sound was decoded downstream. `stalled`: nothing
arrives any more. `refused`: the server answered no (`text` says what). `unreachable`: no answer. `wrong-peer`:
somebody else answered in the server's place (its DTLS certificate is not the answer's)."""


Medium = Literal["picture", "sound"]

Transport = Literal["udp", "tcp", "tls"]
CandidateType = Literal["host", "srflx", "prflx", "relay"]
"""Of ICE (RFC 8445): the machine's own address, the one that a STUN server or the peer saw, a TURN server's."""

Family = Literal["ipv4", "ipv6"]


class Path(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """The way that a session's media take through the network, as ICE found it."""

    transport: Transport
    """How packets leave the room; with a `relay`, to that one, which passes them on by UDP."""
    relay: str | None = None
    """The TURN server; None where media go direct."""
    local: CandidateType | None = None
    remote: CandidateType | None = None
    local_address: str | None = None
    """`ADDRESS:PORT`; of a relay, the one that it lent."""
    remote_address: str | None = None
    local_family: Family | None = None
    remote_family: Family | None = None


class StreamFigures(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """What RTP and RTCP say of one session's picture and sound; rates are over the last two seconds."""

    picture_bits_per_second: int | None = None
    sound_bits_per_second: int | None = None
    picture_loss_percent: float | None = None
    sound_loss_percent: float | None = None
    picture_jitter_milliseconds: float | None = None
    sound_jitter_milliseconds: float | None = None
    attempts: int | None = None
    picture_given_up: bool | None = None
    refused: list[Medium] | None = None
    """What the server does not take of the room's stream, or does not give of a source."""

    path: Path | None = None
    round_trip_milliseconds: float | None = None


class UplinkFigures(StreamFigures, frozen=True, omit_defaults=True, kw_only=True):
    """The room's own stream."""

    picture_target_bits_per_second: int | None = None
    encoder: str | None = None
    encoder_in_hardware: bool | None = None


class DownlinkFigures(StreamFigures, frozen=True, omit_defaults=True, kw_only=True):
    """One source; `url` says which."""

    url: str
    frames_per_second: float | None = None
    decoder: str | None = None
    decoder_in_hardware: bool | None = None
    decoders_failed: dict[str, str] | None = None
    decoder_behind_milliseconds: int | None = None
    jitter_buffer_milliseconds: int | None = None
    picture_delay_milliseconds: int | None = None
    sound_delay_milliseconds: int | None = None


class RoomFigures(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """The room's own sound and screen."""

    microphone_level_dbfs: float | None = None
    microphone_xruns: int | None = None
    microphone_silences: int | None = None
    speaker_level_dbfs: float | None = None
    speaker_volume_percent: int | None = None
    speaker_xruns: int | None = None
    speaker_dropped: int | None = None
    echo_canceller: str | None = None
    echo_delay_milliseconds: int | None = None
    screen_pictures: int | None = None
    screen_sink_milliseconds: int | None = None
    screen_overloaded: bool | None = None
    screen_eased: Literal["size", "framerate", "noise"] | None = None
    """The last that gave way, after those before it in this list; None while nothing had to."""


class MediaFigures(RoomFigures, frozen=True, omit_defaults=True, kw_only=True):
    """All that the media process measures, every two seconds. `uplink` is None where nothing is published."""

    uplink: UplinkFigures | None = None
    downlinks: list[DownlinkFigures] = field(default_factory=list)


class HostFigures(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """The machine's; one that it doesn't have is None."""

    model: str | None = None
    cpu_celsius: float | None = None
    under_voltage: bool | None = None
    frequency_capped: bool | None = None
    throttled: bool | None = None
    temperature_limited: bool | None = None
    under_voltage_since_boot: bool | None = None
    frequency_capped_since_boot: bool | None = None
    throttled_since_boot: bool | None = None
    temperature_limited_since_boot: bool | None = None
    load_1_minute: float | None = None
    uptime_seconds: float | None = None
    memory_megabytes: int | None = None
    memory_available_megabytes: int | None = None
    disk_free_megabytes: int | None = None
    store_read_only: bool | None = None
    root_read_only: bool | None = None
    clock_synchronised: bool | None = None
    certificate_days_left: float | None = None
    interface: str | None = None
    address: str | None = None
    link_megabits: int | None = None
    wifi_signal_dbm: int | None = None
    wifi_power_save: bool | None = None
