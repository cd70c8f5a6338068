"""Who moves the floor: the hub that gives and takes it, and the button that asks for it and gives it back.

The gate itself is the microphone's: `MicrophoneControl.gated` lets nobody be heard, whoever unmutes.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.devices.microphone import MicrophoneControl
from agent.core.meeting.floor import MeetingFloor
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model.clock import Now
from agent.core.model.commands import Code, Floor, FloorMode
from agent.core.model.documents import EventDetail, FloorState
from agent.core.model.effects import RememberFloor
from agent.core.model.events import FloorRecord
from agent.core.model.media import SetFloor
from agent.core.throttle import PRESSES


class FloorControl:
    """Obeys the command `floor` and the button in a meeting."""

    def __init__(
        self, context: Context, lifecycle: Lifecycle, microphone: MicrophoneControl
    ) -> None:
        self._context = context
        self._do = context.do
        self._answers = context.answers
        self._lifecycle = lifecycle
        self._microphone = microphone
        self._kept: FloorRecord | None = None
        self._shown: FloorState | None = None
        self._muted_by_this_press = False
        self._hand_moved = False
        """By this press."""
        self._toggled = False
        """This press muted, or unmuted."""
        self._unmutes = False
        """The button went down with the floor and muted: if it is up soon, that unmutes."""

    @property
    def _floor(self) -> MeetingFloor:
        return self._lifecycle.floor

    def refusal(self, command: Floor) -> tuple[Code, str] | None:
        """Why this can't be done as things stand."""
        membership = self._lifecycle.membership
        if membership is None or not self._lifecycle.held:
            return Code.NOT_IN_MEETING, "The room is in no meeting: there is no floor to give"
        if command.meeting not in (None, membership.id):
            text = f"The room is in meeting {membership.id}, not in {command.meeting}"
            return Code.NOT_IN_MEETING, text
        if self._floor.mode == "open":
            text = "The floor is everybody's in this meeting: join with floor: request"
            return Code.FLOOR_OPEN, text
        if command.position is not None and command.state != "queued":
            return Code.BAD_FIELD, f"position: only with state queued, not with {command.state}"
        return None

    def obey(self, command: Floor, command_id: str, now: Now) -> None:
        """The chair's word; the caller has seen to it that it can be done."""
        floor = self._floor
        if command.state == "given":
            self._give(command_id, now)
            return
        held, waited = floor.held, floor.waits
        if command.state == "queued":
            same = waited and not held and floor.position == command.position
            floor.raise_hand(now.wall, command.position)
            if (
                not waited and command.position is None
            ):  # a place in the queue is the hub's own word
                self._tell("hand-raised", "the hand was raised by command", now)
        else:
            same = not (held or waited)
            floor.drop()
            if waited:
                self._tell("hand-lowered", "the hub lowered the room's hand", now)
        if held:
            self._tell("floor-taken", "the hub took the floor", now)
        self._follow()
        if same:
            text = f"{_standing(floor)} (as before)"
            self._answers.succeed(command_id, text, now, code=Code.ALREADY)
        else:
            self._microphone.follow_floor(False, command_id, _standing(floor), now)

    def _give(self, command_id: str, now: Now) -> None:
        floor, held = self._floor, self._floor.held
        floor.give()
        self._follow()
        if held:
            text = "the room had the floor already"
            self._answers.succeed(command_id, text, now, code=Code.ALREADY)
            return
        self._tell("floor-given", "the room has the floor", now)
        if self._microphone.muted_by_hand:
            text = "the room has the floor, and muted itself by its button"
            self._answers.succeed(command_id, text, now)
        else:
            self._microphone.follow_floor(True, command_id, "the room has the floor", now)

    # --- the button

    def pressed(self, now: Now) -> None:
        """The button went down, and no call and no message took it."""
        self._muted_by_this_press = self._unmutes = self._hand_moved = False
        self._toggled = False
        if self._lifecycle.membership is None:
            text = "pressed outside of a meeting"
            self._tell("mute-pressed", text, now, Code.NOT_IN_MEETING)
        elif self._floor.mode == "open":
            self._toggle(now)
        elif not self._floor.held:
            self._hand_moved = True
            self._move_hand(now)
        elif self._microphone.live:
            self._muted_by_this_press = True
            self._toggle(now)
        else:
            self._unmutes = True

    def released(self, now: Now) -> None:
        """It was a short press."""
        unmutes, self._unmutes = self._unmutes, False
        if unmutes and self._floor.open:
            self._toggle(now)

    def held(self, now: Now) -> None:
        """It is a long press: with the floor it gives it back."""
        self._unmutes = False
        if self._lifecycle.membership is None or not self._floor.held:
            return
        if self._muted_by_this_press:  # it was meant for the floor, not for the mute
            self._microphone.forgive_hand()
        self._floor.drop()
        self._follow()
        self._microphone.silence(now)
        self._tell("floor-returned", "the room gave the floor back", now)

    def take_back(self, now: Now) -> None:
        """This press turned out to mean something else."""
        if self._hand_moved and self._lifecycle.membership is not None and not self._floor.held:
            self._move_hand(now)
        elif self._toggled and self._lifecycle.held:
            self._microphone.take_back_press(now)

    def _toggle(self, now: Now) -> None:
        self._microphone.pressed(now)
        self._toggled = True
        word = "live" if self._microphone.live else "muted"
        self._tell("mute-pressed", f"the room's button: now {word}", now)

    def _move_hand(self, now: Now) -> None:
        if self._floor.waits:
            self._floor.drop()
            self._tell("hand-lowered", "the room lowered its hand", now)
        else:
            self._floor.raise_hand(now.wall)
            self._tell("hand-raised", "the room asks for the floor", now)
        self._follow()

    # --- what stays true

    def follow(self, mode: FloorMode, now: Now) -> None:
        """The meeting's mode was changed by a repeated join."""
        if mode == self._floor.mode:
            return
        self._floor.drop()
        self._floor.mode = mode
        self._follow()
        if self._microphone.gated and self._microphone.live:
            self._microphone.silence(now)

    def restore(self, record: FloorRecord | None) -> None:
        """What a restart interrupted; the meeting that is gone back into picks it up."""
        self._kept = record
        self._lifecycle.floor_of_before = record

    def keep(self) -> None:
        """Write down and show what has changed, at the end of each event."""
        membership = self._lifecycle.membership
        held = membership is not None and self._lifecycle.held
        record = self._floor.record(membership.id) if membership and held else None
        if record != self._kept:
            self._kept = record
            self._do(RememberFloor(record))
        if self._floor.shown != self._shown:
            self._shown = self._floor.shown
            self._lifecycle.instruct(SetFloor(self._shown))

    def _follow(self) -> None:
        self._microphone.gated = not self._floor.open

    def _tell(self, type: str, text: str, now: Now, code: Code = Code.OK) -> None:
        membership = self._lifecycle.membership
        detail = EventDetail(meeting=membership.id if membership else None)
        flaps = "hand" if type.startswith("hand-") else type
        self._context.tell(type, code, text, now, detail=detail, flaps=flaps, burst=PRESSES)


def _standing(floor: MeetingFloor) -> str:
    """How a room without the floor stands, in words."""
    if not floor.waits:
        return "the room does not have the floor"
    if floor.position is None:
        return "the room waits for the floor"
    return f"the room waits for the floor, place {floor.position} in the queue"
