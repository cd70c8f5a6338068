"""What operators are shown, on the page, in the terminal and as JSON for scripts."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from agent.conductor.core.model.acts import Mode


class RoomView(Struct, frozen=True):
    """One room of the hub. `severity`: 0 well, 1 look at it, 2 it can't be used; worst first."""

    room: str
    name: str
    groups: list[str]
    version: str
    connection: str
    phase: str
    meeting: str | None
    microphone: str
    camera: str
    recording: str
    readiness: str
    level_dbfs: float | None
    faults: list[str]
    severity: int
    hand: bool
    floor: str
    picture_url: str | None = None
    camera_off_by_hand: bool = False
    """The people in the room switched it off; no command switches it on."""


class RosterRow(Struct, frozen=True):
    """One room of a meeting. `status` is one of `agent.conductor.core.member.Status`."""

    room: str
    name: str
    status: str
    text: str
    calls: int
    position: int | None
    floor: bool


class ReadyRow(Struct, frozen=True):
    """One room of a planned meeting. `verdict` is its last check's: go, no-go, unknown; away without a link."""

    room: str
    name: str
    verdict: str
    fault: str


class DayView(Struct, frozen=True):
    """One meeting of the agenda. `number` is the meeting's that runs for it, `problem` why none does."""

    item: str
    title: str
    starts: datetime
    ends: datetime
    local: str
    meeting: str
    cancelled: bool
    number: int | None
    problem: str
    rooms: list[ReadyRow]


class SpeakerView(Struct, frozen=True):
    """Who has the floor, since when, and how long it spoke in this meeting before."""

    room: str
    name: str
    since: datetime
    seconds_before: float


class MessageView(Struct, frozen=True):
    """A message to rooms, and what they answered (room -> answer)."""

    id: str
    at: datetime
    by: str
    text: str
    answers: list[str]
    answered: dict[str, str]


class MeetingView(Struct, frozen=True):
    """One meeting."""

    number: int
    id: str
    title: str | None
    mode: Mode
    chair: str | None
    started: datetime
    started_by: str
    until: datetime | None
    ended: datetime | None
    recording: str
    speaking_seconds: float | None
    holders: list[SpeakerView]
    queue: list[str]
    roster: list[RosterRow]
    messages: list[MessageView]
    problem: str = ""
    """Why this conductor does not run it any more; empty if it does."""
