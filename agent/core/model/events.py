"""What happened: the inputs of the core, in the past tense.

Whoever does I/O (link, supervisor, panel, timers) puts one of these into the inbox and nothing
else; `agent.core.room.Room.handle` turns each into effects.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from agent.core.model.agenda import Agenda, AgendaMemory
from agent.core.model.commands import Ack, Code, Command, Reply, Show
from agent.core.model.deadlines import Deadline
from agent.core.model.documents import CheckFinding, DeviceStatus, HostHealth
from agent.core.model.media import MediaReport, OpenSession


class Delivery(Struct, frozen=True):
    """A message that the broker wants acknowledged: MQTT's packet id and QoS, opaque to the core.

    `connection` counts the link's connections: a packet id means nothing on a later one.
    """

    mid: int
    qos: int
    connection: int = 0


class CommandReceived(Struct, frozen=True):
    """A well-formed command came in. `earlier` is the journal's last word on this id, if it has one."""

    command: Command
    delivery: Delivery | None = None
    earlier: Ack | None = None
    known: bool = False
    """The journal has this id (with `earlier` None: it is still being worked on)."""
    settings_problem: str = ""
    """With `restart` of the agent: why the settings that are on disk now can't be used."""
    unknown_fields: list[str] = []
    """Paths of fields that nobody knows; ignored, and shown in the ack's `detail.warnings`."""


class CommandRefused(Struct, frozen=True):
    """Something came in on a command topic that is no usable command; `id` where it could be read."""

    id: str | None
    type: str
    code: Code
    text: str
    delivery: Delivery | None = None
    reply: Reply | None = None
    earlier: Ack | None = None
    known: bool = False
    """As in `CommandReceived`: the id was used before."""


class AgendaReceived(Struct, frozen=True):
    """Something came on an agenda's topic: a document, nothing (it was cleared), or what is none, and why."""

    address: str
    """`room/<room>` or `group/<group>`."""
    agenda: Agenda | None = None
    problem: tuple[Code, str] | None = None


class LinkChanged(Struct, frozen=True):
    """The hub link came up (with the session's new id) or went away (with why)."""

    up: bool
    session: str = ""
    code: str = "ok"
    text: str = ""


class Delivered(Struct, frozen=True):
    """The broker acknowledged the outbox's message with this key."""

    key: str


class MessageRefused(Struct, frozen=True):
    """The broker threw a message of ours away (`key`: its place in the outbox, if it has one), and why."""

    key: str
    code: str
    text: str


class RoundTripMeasured(Struct, frozen=True):
    """The self-check came back through the broker, or (None) it did not in time."""

    milliseconds: float | None


class MediaReported(Struct, frozen=True):
    """The media process of this generation said something."""

    generation: int
    report: MediaReport


class MediaExited(Struct, frozen=True):
    """The media process of this generation is gone; `status` as in subprocess (negative: a signal)."""

    generation: int
    status: int
    text: str = ""


PanelLine = Literal["mute-button", "camera-button"]


class LineChanged(Struct, frozen=True):
    """A debounced input of the panel changed."""

    line: PanelLine
    active: bool


class DisplaySwitched(Struct, frozen=True):
    """The relay was switched, or (with `error`) could not be."""

    on: bool
    error: str = ""


class LampSet(Struct, frozen=True):
    """The on-air lamp was set, or (with `error`) could not be. A room without a panel says so too."""

    error: str = ""


class CheckEnded(Struct, frozen=True):
    """The check with this number is done, or (with `error`) broke down.

    `complete`: it looked at all that a meeting needs.
    """

    number: int
    findings: list[CheckFinding] = []
    complete: bool = False
    error: str = ""


class DevicesProbed(Struct, frozen=True):
    """Who is there, looked up without opening anything."""

    devices: dict[str, DeviceStatus]


class HostSampled(Struct, frozen=True):
    """How the machine does, for health's `host`."""

    host: HostHealth


class DeadlinePassed(Struct, frozen=True):
    """A deadline set by `SetDeadline` has come."""

    deadline: Deadline


class MeetingRecord(Struct, frozen=True):
    """What is kept on disk of the meeting that the room is in, so that it can be resumed."""

    command: Command
    since_wall: float
    """Unix time of the join, in seconds."""
    retrying: bool = False
    """The room is not in it: the join failed, and is tried again."""


class MessageRecord(Struct, frozen=True):
    """What stands on the screen: a `show` by its id, and until when."""

    id: str
    show: Show
    until: datetime | None


class FloorRecord(Struct, frozen=True):
    """What is kept on disk of a meeting's floor: a hand that is up, or the floor that was given."""

    meeting: str
    hand_since: datetime | None = None
    position: int | None = None
    held: bool = False


class OrderedVolume(Struct, frozen=True):
    """A loudspeaker's volume that was ordered, 0 to 100, while the settings had `instead_of`."""

    percent: int
    instead_of: int


class Restored(Struct, frozen=True):
    """The daemon started: what the journal remembers. The first event, once.

    `cold` says that the machine booted since the journal's last entry (a power cut or reboot).
    """

    meeting: MeetingRecord | None
    unfinished: list[Command]
    cold: bool
    muted_by_hand: bool = False
    display_on: bool = False
    display_kept_on: bool = False
    volume: OrderedVolume | None = None
    camera_off_by_hand: bool = False
    left_open: frozenset[str] = frozenset()
    """Devices that were open when the journal ended."""
    floor: FloorRecord | None = None
    message: MessageRecord | None = None
    agenda: AgendaMemory = AgendaMemory()
    sessions: list[OpenSession] = []
    """What the media process had open at servers when the daemon ended."""
    journal: DeviceStatus | None = None
    """How the journal was found, if that is worth a word."""


class DevicesBorrowed(Struct, frozen=True):
    """The technician's tool asks for these devices, to try them out. `sender` as in a command."""

    loan: str
    devices: tuple[str, ...]
    sender: str


class DevicesReturned(Struct, frozen=True):
    """The tool has closed what it borrowed, or is gone and its devices with it."""

    loan: str


class PictureAsked(Struct, frozen=True):
    """Somebody local asks for a still of the meeting: the picture `sent` or `received`."""

    source: str
    sender: str


class ReloadRequested(Struct, frozen=True):
    """Settings, keys or code were replaced: start anew once the room is in no meeting (SIGHUP)."""

    problem: str = ""
    """Why the settings that are on disk now can't be used; with them the room could not start."""


class StopRequested(Struct, frozen=True):
    """The daemon shall end (SIGTERM or a restart command)."""

    reason: str


Event = (
    CommandReceived
    | CommandRefused
    | AgendaReceived
    | LinkChanged
    | Delivered
    | MessageRefused
    | RoundTripMeasured
    | MediaReported
    | MediaExited
    | LineChanged
    | DisplaySwitched
    | LampSet
    | CheckEnded
    | DevicesProbed
    | HostSampled
    | DeadlinePassed
    | Restored
    | DevicesBorrowed
    | DevicesReturned
    | PictureAsked
    | ReloadRequested
    | StopRequested
)
