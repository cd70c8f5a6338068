"""The documents that a room publishes: state, health and events.

Their field names are the wire contract (docs/contract.md); `agent.hub.messages` only turns them
into bytes.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from agent.core.model.device_detail import DeviceDetail
from agent.core.model.figures import (
    DownlinkFigures,
    HostFigures,
    LinkState,
    Path,
    RoomFigures,
    UplinkFigures,
)
from agent.core.model.sparse import Printable, Sparse


class Connection(StrEnum):
    """What the hub sees of the room's link; `lost` is only ever said by the will."""

    ONLINE = "online"
    OFFLINE = "offline"
    LOST = "lost"


class Phase(StrEnum):
    """What the room is doing."""

    STANDBY = "standby"
    JOINING = "joining"
    IN_MEETING = "in-meeting"
    RECONNECTING = "reconnecting"
    LEAVING = "leaving"
    FAULT = "fault"


class Status(StrEnum):
    """How well a device or the room does. `absent` is not there at all."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    ABSENT = "absent"


class MeetingState(Struct, frozen=True):
    """The meeting that the room is in, joining or leaving."""

    id: str
    title: str | None
    since: datetime
    until: datetime | None


class RetryState(Printable, frozen=True):
    """The meeting whose join failed and is tried again: how often it was, when the next try is (None: one is
    under way), and why the last one failed."""

    meeting: str
    title: str | None
    tries: int
    at: datetime | None
    code: str
    text: str


class AgentFacts(Struct, frozen=True):
    """Which agent this is; `boot` is the kernel's boot id."""

    version: str
    started: datetime
    boot: str


class FloorState(Struct, frozen=True):
    """Who may speak in the meeting: everybody (`open`), or who was given the floor (`request`)."""

    mode: Literal["open", "request"]
    hand_since: datetime | None = None
    position: int | None = None
    held: bool = False


class RoomState(Struct, frozen=True):
    """The retained `state` document; `session` names this connection (failures: a will overtaken)."""

    room: str
    connection: Connection
    session: str
    phase: Phase
    meeting: MeetingState | None
    microphone: Literal["live", "muted", "off"]
    camera: Literal["live", "off"]
    display: Literal["on", "off"]
    agent: AgentFacts
    at: datetime
    recording: Literal["on", "off"] = "off"
    name: str = ""
    groups: list[str] = []
    floor: FloorState | None = None
    picture: Literal["full", "small", "off"] = "off"
    """What the room sends of its picture."""
    camera_off_by_hand: bool = False
    """Switched off by the people in the room; no command switches it on."""
    retry: RetryState | None = None
    v: int = 1


class DeviceStatus(Printable, frozen=True):
    """One device's health. `text` names the thing to check; `code` is a kebab-case word."""

    status: Status
    code: str
    text: str
    required: bool = True
    detail: DeviceDetail = DeviceDetail()


class SessionFigures(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """A session with the media server, as a check measured it; the losses are the worse of picture and sound."""

    set_up_milliseconds: int | None = None
    round_trip_milliseconds: float | None = None
    sent_loss_percent: float | None = None
    received_loss_percent: float | None = None
    path: Path | None = None


class CheckFinding(Printable, frozen=True):
    """One thing that a check found. `advice` is the code of what to do with one's hands."""

    part: str
    code: str
    severity: Literal["ok", "warning", "failed", "skipped"]
    seen: str = ""
    advice: str = ""
    session: SessionFigures | UnsetType = UNSET
    """Of a session with the media server."""


Verdict = Literal["go", "no-go", "unknown"]


class Readiness(Struct, frozen=True):
    """The last check's word on whether a meeting may begin; `unknown` without one, or when it is old."""

    verdict: Verdict = "unknown"
    at: datetime | None = None
    findings: list[CheckFinding] = []


class HostHealth(HostFigures, frozen=True, omit_defaults=True, kw_only=True):
    """The machine: status and code of the worst trouble, the texts of all, and its figures."""

    status: Status
    code: str
    text: str
    broker_round_trip_milliseconds: float | None = None
    """Of the link's check of itself; None before the first, and while there is no link."""


class UplinkHealth(UplinkFigures, frozen=True, omit_defaults=True, kw_only=True):
    """The room's own stream: the state that the core goes by, and its figures."""

    state: LinkState
    text: str


class DownlinkHealth(DownlinkFigures, frozen=True, omit_defaults=True, kw_only=True):
    """One source: the state that the core goes by, and its figures. `url` is without secrets."""

    label: str
    state: LinkState
    text: str


class MediaHealth(RoomFigures, frozen=True, omit_defaults=True, kw_only=True):
    """The meeting's media; `code` is ok, the phase, narrow-link or overloaded."""

    status: Status
    code: str
    text: str
    uplink: UplinkHealth | None
    downlinks: list[DownlinkHealth]


class HealthDocument(Struct, frozen=True):
    """The retained `health` document: levels, not edges."""

    room: str
    status: Status
    devices: dict[str, DeviceStatus]
    host: HostHealth
    media: MediaHealth | None
    at: datetime
    readiness: Readiness = Readiness()
    v: int = 1


class EventDetail(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """What an event is about, beyond its words."""

    device: str | None = None
    command: str | None = None
    type: str | None = None
    asked_by: str | None = None
    meeting: str | None = None
    attempt: int | None = None
    seconds: float | None = None
    path: str | None = None
    count: int | None = None
    acks: int | None = None
    show: str | None = None
    answer: str | None = None
    choice: int | None = None
    address: str | None = None
    version: int | None = None
    items: int | None = None
    item: str | None = None
    verdict: Verdict | None = None
    findings: list[CheckFinding] | None = None


class EventDocument(Printable, frozen=True):
    """Something that happened (`fault`, `fault-cleared`, `mute-pressed`, ...), published once."""

    type: str
    room: str
    code: str
    text: str
    at: datetime
    detail: EventDetail = EventDetail()
    v: int = 1
