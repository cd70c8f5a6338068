"""What must be done: the outputs of the core, in the imperative.

`agent.runtime.performer` carries them out in the order given; the order is part of the promise
(journal, then acknowledge, then act).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from agent.core.model.agenda import AgendaMemory
from agent.core.model.commands import Ack, Check, Command, Reply
from agent.core.model.deadlines import Deadline
from agent.core.model.documents import EventDocument, HealthDocument, RoomState
from agent.core.model.events import (
    Delivery,
    FloorRecord,
    MeetingRecord,
    MessageRecord,
    OrderedVolume,
)
from agent.core.model.media import Instruction, MediaPlan, OpenSession


class RecordCommand(Struct, frozen=True):
    """Write the command to the journal; it is on disk when this returns."""

    command: Command


class AcknowledgeDelivery(Struct, frozen=True):
    """Send the broker its PUBACK."""

    delivery: Delivery


class SendAck(Struct, frozen=True):
    """Publish an ack to its topic and the sender's Response Topic; a final one is journalled first."""

    ack: Ack
    reply: Reply | None = None
    final: bool = False


class MarkSent(Struct, frozen=True):
    """Take a message out of the journal's outbox."""

    key: str


class SetAside(Struct, frozen=True):
    """The broker refused this message of the outbox: it waits for the next connection, the rest goes on."""

    key: str


class ResendUnsent(Struct, frozen=True):
    """Publish all that the journal's outbox still holds and this connection was not given yet; with `refused`
    also what it was given and the broker refused."""

    refused: bool = False


class PublishState(Struct, frozen=True):
    """Publish the retained state document."""

    state: RoomState


class PublishHealth(Struct, frozen=True):
    """Publish the retained health document."""

    health: HealthDocument


class PublishEvent(Struct, frozen=True):
    """Publish and journal something that happened."""

    event: EventDocument


class RememberMeeting(Struct, frozen=True):
    """Keep on disk that the room is in this meeting; None forgets it."""

    record: MeetingRecord | None


class RememberMutedByHand(Struct, frozen=True):
    """Keep on disk whether the room muted itself."""

    muted: bool


class RememberCameraOffByHand(Struct, frozen=True):
    """Keep on disk whether the room switched its camera off."""

    off: bool


class RememberFloor(Struct, frozen=True):
    """Keep on disk that the room's hand is up or that it has the floor; None forgets it."""

    record: FloorRecord | None


class RememberMessage(Struct, frozen=True):
    """Keep on disk what stands on the screen; None forgets it."""

    record: MessageRecord | None


class RememberSessions(Struct, frozen=True):
    """Keep on disk what is open at media servers, to be ended by whoever comes after a crash."""

    sessions: list[OpenSession]


class RememberDisplayKeptOn(Struct, frozen=True):
    """Keep on disk whether the hub ordered the display on."""

    on: bool


class RememberVolume(Struct, frozen=True):
    """Keep on disk the loudspeaker's ordered volume, and which one of the settings it replaces."""

    volume: OrderedVolume


class RememberAgenda(Struct, frozen=True):
    """Keep on disk the agenda, and what of it was left by hand."""

    memory: AgendaMemory


class StartMedia(Struct, frozen=True):
    """Start a media process with this plan. Its reports carry `generation`."""

    generation: int
    plan: MediaPlan


class InstructMedia(Struct, frozen=True):
    """Tell the running media process something; without one, nothing happens."""

    instruction: Instruction


class StopMedia(Struct, frozen=True):
    """End the media process: stop, SIGTERM, SIGKILL. `MediaExited` follows."""


class SwitchDisplay(Struct, frozen=True):
    """Switch the display's relay. `DisplaySwitched` follows."""

    on: bool


LampMode = Literal["off", "muted", "hand", "on", "called", "blink"]
"""What the on-air lamp says: `on` is live, `blink` is `identify`; the panel has a pattern for each."""


class SetLamp(Struct, frozen=True):
    """Set the on-air lamp. `LampSet` follows."""

    mode: LampMode


class StartCheck(Struct, frozen=True):
    """Run the doctor in a process of its own. `CheckEnded` follows, with this number."""

    number: int
    check: Check


class StopCheck(Struct, frozen=True):
    """End that process now, and with it what it has open."""


class SetDeadline(Struct, frozen=True):
    """Say `DeadlinePassed` in so many seconds; replaces an equal one that is set already."""

    deadline: Deadline
    seconds: float


class CancelDeadline(Struct, frozen=True):
    """Forget a deadline; fine if it is not set."""

    deadline: Deadline


class Probe(Struct, frozen=True):
    """Look which devices are there and sample the host. `DevicesProbed`, `HostSampled` follow."""


class SetServiceStatus(Struct, frozen=True):
    """One line for `systemctl status`."""

    text: str


RestartScope = Literal["no", "agent", "host"]


class EndDaemon(Struct, frozen=True):
    """Leave the loop: the process ends, systemd starts it again if that was asked for."""

    restart: RestartScope = "no"


Effect = (
    RecordCommand
    | AcknowledgeDelivery
    | SendAck
    | MarkSent
    | SetAside
    | ResendUnsent
    | PublishState
    | PublishHealth
    | PublishEvent
    | RememberMeeting
    | RememberMutedByHand
    | RememberCameraOffByHand
    | RememberFloor
    | RememberMessage
    | RememberSessions
    | RememberDisplayKeptOn
    | RememberVolume
    | RememberAgenda
    | StartMedia
    | InstructMedia
    | StopMedia
    | SwitchDisplay
    | SetLamp
    | StartCheck
    | StopCheck
    | SetDeadline
    | CancelDeadline
    | Probe
    | SetServiceStatus
    | EndDaemon
)
