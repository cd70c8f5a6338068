"""The room's one button: what a press means now, by what stands on the screen and who has the floor.

What must be fast or safe is done when the button goes down (mute, raise the hand, answer a call); what a longer or a
second press could turn into something else waits until it is up again. Who answers may press more than once: what follows
an answer at once belongs to it, else a double press would answer a call and then let the room be heard.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.core.context import Context
from agent.core.meeting.floor_control import FloorControl
from agent.core.model.clock import Now
from agent.core.model.deadlines import ButtonHeld, ButtonHeldLong, SecondPressLate
from agent.core.model.effects import CancelDeadline, SetDeadline
from agent.core.participation.call import UrgentCall
from agent.core.participation.message import Messages

LONG_SECONDS = 1.0
CAMERA_SECONDS = 3.0
"""For a room that has no button of its own for the camera."""

DOUBLE_SECONDS = 0.5
"""From the first release to the second press; people who press a lift's button twice take 0.3 s."""


class Button:
    """A ringing call takes a press first, then a message that asks, then the meeting."""

    def __init__(
        self, context: Context, call: UrgentCall, messages: Messages, floor: FloorControl
    ) -> None:
        self._do = context.do
        self._call = call
        self._messages = messages
        self._floor = floor
        self._asked = ""
        """The message that this press is meant for, until it turns out to be a long one."""
        self._first_of = ""
        """The message whose first of two presses is over."""
        self._answers = False
        """This press has answered, or is the second one of somebody who had answered."""
        self._answered_seconds = -DOUBLE_SECONDS
        """When the button came up after an answer."""
        self._down = False
        self._camera_too = context.profile.camera_by_long_press
        self.on_camera: Callable[[Now], None] = lambda now: None
        """Whoever switches the camera, by a press of its own button or a long one of this."""

    def changed(self, down: bool, now: Now) -> None:
        """The debounced button went down, or up again."""
        was_down, self._down = self._down, down
        if down:
            self._pressed(now)
        elif was_down:
            self._released(now)

    def _pressed(self, now: Now) -> None:
        self._asked = ""
        self._answers = self._call.ringing
        if self._answers:
            self._call.answered(now)
            return
        self._answers = now.monotonic_seconds < self._answered_seconds + DOUBLE_SECONDS
        self._do(SetDeadline(ButtonHeld(), LONG_SECONDS))
        self._asked = "" if self._answers else self._messages.asks
        if self._asked:
            self._do(CancelDeadline(SecondPressLate()))
        elif not self._answers:
            self._floor.pressed(now)

    def _released(self, now: Now) -> None:
        self._do(CancelDeadline(ButtonHeld()))
        self._do(CancelDeadline(ButtonHeldLong()))
        asked, self._asked = self._asked, ""
        if self._answers:
            self._answered_seconds = now.monotonic_seconds
        elif not asked:
            self._floor.released(now)
        elif asked == self._first_of:
            self._answered_seconds = now.monotonic_seconds
            self._answer(asked, 1, now)
        elif self._messages.choices > 1:
            self._first_of = asked
            self._do(SetDeadline(SecondPressLate(), DOUBLE_SECONDS))
        else:
            self._answered_seconds = now.monotonic_seconds
            self._answer(asked, 0, now)

    def held(self, now: Now) -> None:
        """Down for long: never an answer, so that a room can be muted whatever stands on its screen."""
        if not self._down:
            return
        if self._asked or self._answers:
            self._asked = self._first_of = ""
            self._answers = False
            self._floor.pressed(now)
        self._floor.held(now)
        if self._camera_too:
            self._do(SetDeadline(ButtonHeldLong(), CAMERA_SECONDS - LONG_SECONDS))

    def held_long(self, now: Now) -> None:
        """Down until it means the camera: what the press did before is taken back."""
        if self._down:
            self._floor.take_back(now)
            self.on_camera(now)

    def single(self, now: Now) -> None:
        """No second press came."""
        if self._first_of:
            self._answer(self._first_of, 0, now)

    def _answer(self, asked: str, choice: int, now: Now) -> None:
        self._first_of = ""
        if asked == self._messages.asks:  # else it was hidden meanwhile
            self._messages.answered(choice, now)
