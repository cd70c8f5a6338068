"""The camera switched off by the people in the room: stronger than whatever the hub orders.

Like the hand's mute (`agent.core.devices.microphone`) it counts when the media process has confirmed it: one that does not
answer in time is ended, because then nothing is seen for certain.
"""

from __future__ import annotations

from agent.core.audit import Cause
from agent.core.context import Context
from agent.core.devices.media_process import MediaProcess
from agent.core.devices.microphone import HAND_SECONDS
from agent.core.model.clock import Now
from agent.core.model.commands import Code
from agent.core.model.deadlines import CameraLate, HandCameraOver
from agent.core.model.effects import (
    CancelDeadline,
    InstructMedia,
    RememberCameraOffByHand,
    SetDeadline,
    StopMedia,
)
from agent.core.model.media import SetCamera
from agent.core.throttle import PRESSES

CONFIRM_SECONDS = 6.0
"""A driver has 3 s to close a camera, and a media process under full load answers within as many."""

BY_HAND = "camera-by-hand"
"""With a slash and a number: no command's id may look so."""

OFF_BY_HAND = "switched off by hand, in the room"
ON_BY_HAND = "switched on again by hand, in the room"


class CameraControl:
    """Whether the room switched its camera off, across media processes."""

    def __init__(self, context: Context, process: MediaProcess) -> None:
        self._do = context.do
        self._tell = context.tell
        self._process = process
        self._presses = 0
        self._awaited = ""
        """The request to close it that the media process has not confirmed yet."""
        self.off_by_hand = False
        self.cause: Cause | None = None
        """Why it is closed or opened now, if that was done by hand."""

    def restore(self, off_by_hand: bool) -> None:
        """What was so before a restart."""
        self.off_by_hand = off_by_hand
        self.cause = (None, OFF_BY_HAND) if off_by_hand else None

    def prepare(self) -> None:
        """A meeting begins: what the hand did holds."""
        self._do(CancelDeadline(HandCameraOver()))

    def rest(self) -> None:
        """The meeting is over."""
        self.cause = None
        if self.off_by_hand:
            self._do(SetDeadline(HandCameraOver(), HAND_SECONDS))

    def rested(self) -> None:
        """The room was in standby for long enough: the next meeting begins with a clean slate."""
        if self.off_by_hand and not self._process.in_meeting:
            self._set(False)

    def pressed(self, now: Now, *, meeting: bool, wanted: bool) -> None:
        """The button in the room: off, or whatever the meeting wants again. `wanted`: that is live."""
        if not meeting:
            text = "the camera's button, pressed outside of a meeting"
            self._tell("camera-pressed", Code.NOT_IN_MEETING, text, now, burst=PRESSES)
            return
        off = not self.off_by_hand
        self.cause = (None, OFF_BY_HAND if off else ON_BY_HAND)
        self._presses += 1
        self._instruct(f"{BY_HAND}/{self._presses}", off=off, live=wanted and not off)
        self._set(off)  # kept afterwards: a slow SD card must not hold it up
        word = "off" if off else "live" if wanted else "off, by the meeting"
        text = f"the room's camera button: now {word}"
        self._tell("camera-pressed", Code.OK, text, now, burst=PRESSES)

    def follow_join(self) -> bool:
        """A repeated join names the camera. Whether it stays off by hand all the same."""
        if not self.off_by_hand:
            self.cause = None
        return self.off_by_hand

    def _set(self, off: bool) -> None:
        self.off_by_hand = off
        self._do(RememberCameraOffByHand(off))

    def _instruct(self, request: str, *, off: bool, live: bool) -> None:
        self._confirmed()
        if not self._process.in_meeting:
            return
        self._do(InstructMedia(SetCamera(live, request, by_hand=off)))
        if off:
            self._awaited = request
            self.process_ready()

    def process_ready(self) -> None:
        """From now on the media process has its time."""
        if self._awaited and self._process.ready:
            self._do(SetDeadline(CameraLate(), CONFIRM_SECONDS))

    def applied(self, request: str, error: str) -> None:
        """The media process made it so, or could not, which ends it."""
        if request and request == self._awaited:
            self._confirmed()
            if error:
                self._do(StopMedia())

    def not_confirmed(self) -> None:
        """The media process did not answer in time."""
        self.applied(self._awaited, "not confirmed")

    def process_gone(self) -> None:
        """Nothing is open any more; the next one has it in its plan."""
        self._confirmed()

    def _confirmed(self) -> None:
        if self._awaited:
            self._awaited = ""
            self._do(CancelDeadline(CameraLate()))
