"""What rooms say, as far as the conductor reads it: rooms of older versions leave fields out.

Contract: docs/contract.md. `agent.conductor.wire` decodes into these.
"""

from __future__ import annotations

from msgspec import Struct

from agent.core.model.agenda import Agenda
from agent.core.model.commands import AckState
from agent.core.model.documents import Connection, Phase


class SeenMeeting(Struct, frozen=True):
    """The meeting that a room says it is in."""

    id: str
    title: str | None = None


class SeenFloor(Struct, frozen=True):
    """A room's word about hand and floor."""

    mode: str = "open"
    hand_since: str | None = None
    position: int | None = None
    held: bool = False


class SeenAgent(Struct, frozen=True):
    """Which agent runs there."""

    version: str = ""


class SeenState(Struct, frozen=True):
    """A `state` document."""

    room: str
    connection: Connection
    session: str
    phase: Phase
    meeting: SeenMeeting | None = None
    microphone: str = "off"
    camera: str = "off"
    camera_off_by_hand: bool = False
    recording: str = "off"
    name: str = ""
    groups: list[str] = []
    floor: SeenFloor | None = None
    agent: SeenAgent = SeenAgent()


class SeenDevice(Struct, frozen=True):
    """How a device does."""

    status: str = "ok"
    code: str = "ok"
    text: str = ""


class SeenFinding(Struct, frozen=True):
    """One thing that the last check found: `camera-black`, how bad that is, and what was seen."""

    code: str = ""
    severity: str = "ok"
    seen: str = ""


class SeenReadiness(Struct, frozen=True):
    """What the room's last check found."""

    verdict: str = "unknown"
    findings: list[SeenFinding] = []


class SeenMedia(Struct, frozen=True):
    """How a meeting's media do, and figures of them."""

    status: str = "ok"
    code: str = ""
    text: str = ""
    microphone_level_dbfs: float | None = None


class SeenHealth(Struct, frozen=True):
    """A `health` document."""

    room: str
    status: str = "ok"
    devices: dict[str, SeenDevice] = {}
    host: SeenDevice = SeenDevice()
    media: SeenMedia | None = None
    readiness: SeenReadiness = SeenReadiness()


class SeenAck(Struct, frozen=True):
    """An `ack` document."""

    room: str
    id: str
    state: AckState
    code: str = "ok"
    text: str = ""


class SeenDetail(Struct, frozen=True):
    """What an event says beside its text."""

    show: str = ""
    """The id of the `show` that was answered."""
    command: str = ""
    """The id of the `call` that was answered."""
    answer: str = ""


class SeenEvent(Struct, frozen=True):
    """An `event` document."""

    room: str
    type: str
    code: str = "ok"
    text: str = ""
    detail: SeenDetail = SeenDetail()


class SeenAgenda(Struct, frozen=True):
    """A retained agenda, its signature checked; None where it was cleared. `address`: `room/...` or `group/...`."""

    address: str
    agenda: Agenda | None


class SeenConductor(Struct, frozen=True):
    """What a conductor says of itself, this one or another: the retained `conductor/<name>/state`."""

    name: str
    connection: Connection
    meetings: list[str] = []
    since: float = 0.0
    """Unix time of its start: of two that run one meeting, the later one gives way."""
    v: int = 1


Seen = SeenState | SeenHealth | SeenAck | SeenEvent | SeenAgenda | SeenConductor
