"""The seams between the daemon's logic and the outside: one Protocol a port.

Drivers implement these and nothing more; simulators implement the same and behave. Every call
returns within its deadline or raises an `AgentError`; `close()` is bounded and may be called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from msgspec import Struct

from agent.core.model.commands import Ack, Command
from agent.core.model.documents import DeviceStatus, EventDocument, HealthDocument, RoomState
from agent.core.model.effects import SendAck
from agent.core.model.events import Delivery, Event, MeetingRecord
from agent.core.model.media import Instruction, MediaPlan

SAMPLE_RATE_HZ = 48_000
"""The one sample rate inside the agent: Opus's own (RFC 7587)."""

PERIOD_FRAMES = 480
"""10 ms, what echo cancellers take."""

PERIOD_BYTES = PERIOD_FRAMES * 2
"""One mono S16LE period."""

Post = Callable[[Event], None]
"""Puts an event into the loop's inbox; callable from any thread, never blocks."""


class AccessUnit(Struct, frozen=True, gc=False):
    """One encoded picture: H.264 Annex B, one access unit, parameter sets before each IDR.

    `small`: of a camera that was told to send a thumbnail.
    """

    data: bytes
    keyframe: bool
    captured_monotonic_seconds: float
    small: bool = False


class Thumbnail(NamedTuple):
    """What a small picture has at the most."""

    width: int
    height: int
    pictures_per_second: float
    bits_per_second: int


THUMBNAIL = Thumbnail(320, 180, 5, 64_000)
"""With the headers of its packets it takes less than 80 kbit/s of the link."""


class CameraFormat(Struct, frozen=True):
    """What a camera was really opened with. `encoder` is its name, `hardware` whether it is one."""

    width: int
    height: int
    framerate: float
    encoder: str
    hardware: bool


class Outgoing(Struct, frozen=True):
    """A message for the hub and its place in the journal's outbox (empty: it has none)."""

    message: SendAck | EventDocument
    key: str = ""


class Camera(Protocol):
    """An H.264 camera. Opened by `start`, closed by `close`; used in the media process only."""

    def start(
        self, on_unit: Callable[[AccessUnit], None], on_status: Callable[[DeviceStatus], None]
    ) -> CameraFormat:
        """Open and stream. `on_unit` is called from the driver's thread, in capture order.

        `on_status` is called when the status changes afterwards (unplugged, stalled, black, frozen,
        well again). Raises DeviceAbsent, DeviceBusy, DeviceTimeout, DeviceError.
        """
        ...

    @property
    def format(self) -> CameraFormat | None:
        """What it is open with now, since another encoder may have taken over; None before `start`."""
        ...

    def request_keyframe(self) -> None:
        """Make the next access unit an IDR. Never blocks; the caller limits the rate."""
        ...

    def set_bitrate(self, bits_per_second: int) -> None:
        """Change the encoder's target; takes effect within a second."""
        ...

    def set_small(self, small: bool) -> None:
        """A thumbnail (`THUMBNAIL`), or the full picture: from the next picture on, which is an IDR. Never blocks;
        may be called before `start`."""
        ...

    def close(self) -> None: ...


class Microphone(Protocol):
    """A mono microphone, 48 kHz S16LE, in periods of 10 ms; used in the media process only."""

    def open(self) -> DeviceStatus:
        """Open. The status's detail has what the hardware really gave. Raises as `Camera.start`."""
        ...

    def read(self) -> bytes:
        """The next period (PERIOD_BYTES). Returns b"" after 200 ms without one (counted, in status).

        Raises DeviceAbsent when the device has gone: then close it, and open it again for a try.
        """
        ...

    def status(self) -> DeviceStatus:
        """How it does now; detail is a `SoundDetail`, whose `level_dbfs` is the loudest of the last second."""
        ...

    def close(self) -> None: ...


class Speaker(Protocol):
    """A loudspeaker, 48 kHz S16LE mono; used in the media process only."""

    def open(self) -> DeviceStatus: ...

    def write(self, sound: bytes) -> None:
        """Queue it; blocks while the device's buffer is full, 200 ms at the most.

        Raises DeviceAbsent when the device has gone.
        """
        ...

    def set_volume(self, percent: int) -> None:
        """0 to 100: the mixer's if the card has one, else by scaling the samples."""
        ...

    def delay_seconds(self) -> float:
        """Sound queued and not yet heard."""
        ...

    def status(self) -> DeviceStatus:
        """How it does now; detail is a `SoundDetail`."""
        ...

    def close(self) -> None: ...


class DisplayRelay(Protocol):
    """The relay that powers the display; held by the daemon."""

    def open(self, on: bool | None) -> bool:
        """Claim the line without a blip: with `on` None it stays as it is. Returns whether it's on."""
        ...

    def switch(self, on: bool) -> None: ...

    def close(self) -> None:
        """Give the line back; the display keeps its state."""
        ...


Change = Callable[[bool], None]


class Panel(Protocol):
    """The on-air lamp, the mute button and the camera's; held by the daemon."""

    def open(self, on_button: Change, on_camera_button: Change = ...) -> None:
        """They are called from the driver's thread with whether the button is pressed now, once a contact is still (018)."""
        ...

    def lamp(self, mode: str) -> None:
        """One of the core's `LampMode`s: each has a pattern of its own."""
        ...

    def status(self) -> DeviceStatus:
        """How it does now: a button held for minutes is a fault."""
        ...

    def close(self) -> None:
        """Give the lines back; the lamp goes off."""
        ...


class HubLink(Protocol):
    """The connection to the hub's broker. Never blocks; what happens comes back as events."""

    def start(self, state: RoomState) -> None:
        """Begin connecting, and keep at it for ever; `state` is for the will until one is published."""
        ...

    def acknowledge(self, delivery: Delivery) -> None: ...

    def publish(self, outgoing: Outgoing) -> None:
        """QoS 1. A key that is not empty comes back as `Delivered(key)` at the broker's PUBACK.

        While the link is down nothing is kept here: the journal's outbox is published again at
        `LinkChanged(up=True)`.
        """
        ...

    def publish_state(self, state: RoomState) -> None:
        """Retained; the newest wins, also across a reconnect. The will is this, but `lost`."""
        ...

    def publish_health(self, health: HealthDocument) -> None:
        """Retained; the newest wins. While the link is down it is dropped: a fresh one follows `LinkChanged(up=True)`."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """What is given inside goes out at its end, and wakes the link's thread once."""
        ...

    def alive(self) -> bool:
        """Whether the network thread runs; the watchdog depends on it."""
        ...

    def close(self) -> None:
        """Say `offline`, flush (2 s at the most) and disconnect in good order."""
        ...


class Journal(Protocol):
    """What survives: commands, results, the meeting. Each call is on disk when it returns.

    Raises JournalError (`disk-full`, `journal-failed`).
    """

    @property
    def condition(self) -> DeviceStatus:
        """How it was found: `ok`, `journal-replaced` (corrupted), `journal-taken-away` while it was open, or
        `journal-not-kept` (in memory)."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """What is recorded inside is on disk at the end, with one commit: all of it or nothing."""
        ...

    def look_up(self, command_id: str) -> tuple[bool, Ack | None]:
        """Whether the id is known, and its final ack if it has one."""
        ...

    def record_command(self, command: Command) -> None: ...

    def record_result(self, send: SendAck) -> Outgoing:
        """Write a final ack and put it into the outbox."""
        ...

    def not_recorded(self, *, command: Command | None = None, ack: Ack | None = None) -> None:
        """What could not be written: remembered in memory for `look_up`, until `record_late`."""
        ...

    def record_late(self) -> None:
        """Write what `not_recorded` was told, if there is anything."""
        ...

    def record_event(self, event: EventDocument) -> Outgoing:
        """Write an event and put it into the outbox."""
        ...

    def remember_meeting(self, record: MeetingRecord | None) -> None: ...

    def remember(self, key: str, value: str) -> None: ...

    def recall(self, key: str) -> str | None: ...

    def meeting(self) -> MeetingRecord | None: ...

    def unfinished(self) -> list[Command]: ...

    def events(self, kinds: Sequence[str], limit: int) -> list[EventDocument]:
        """The latest recorded events of these types, newest first."""
        ...

    def unsent(self, after: str = "", limit: int = 1_000_000) -> list[Outgoing]:
        """The outbox: what the broker has not acknowledged, oldest first, behind the key `after`."""
        ...

    def mark_sent(self, key: str) -> None:
        """The broker has it; lazily written, since a repeat does no harm."""
        ...

    def close(self) -> None: ...


class MediaSupervisor(Protocol):
    """The daemon's hold on the one media process. Never blocks; what happens comes back as events."""

    def start(self, generation: int, plan: MediaPlan) -> None: ...

    def instruct(self, instruction: Instruction) -> None: ...

    def stop(self) -> None:
        """Stop instruction, SIGTERM after 2 s, SIGKILL after 2 more."""
        ...

    def close(self) -> None:
        """End the media process for good and reap it, 5 s at the most."""
        ...
