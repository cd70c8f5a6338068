"""The room takes part: the floor, calls, messages and checks, by command and by the room's one button."""

from __future__ import annotations

from agent.core.context import Context
from agent.core.devices.lamp import Lamp
from agent.core.devices.microphone import MicrophoneControl
from agent.core.meeting.control import MeetingControl
from agent.core.meeting.floor_control import FloorControl
from agent.core.meeting.retry import Plan
from agent.core.model.announcement import Retrying
from agent.core.model.clock import Now
from agent.core.model.commands import Body, Call, Check, Code, Command, Floor, Hide, Show
from agent.core.model.events import PanelLine
from agent.core.participation.announcements import Announcements
from agent.core.participation.button import Button
from agent.core.participation.call import UrgentCall
from agent.core.participation.check import RoomCheck
from agent.core.participation.message import Messages


class TakingPart:
    """Puts these parts together, and gives each command to the one that it is for."""

    def __init__(
        self,
        context: Context,
        lamp: Lamp,
        announcements: Announcements,
        meeting: MeetingControl,
        microphone: MicrophoneControl,
        check: RoomCheck,
    ) -> None:
        self.lamp = lamp
        self.announcements = announcements
        self.check = check
        self._lifecycle = meeting.lifecycle
        self.microphone = microphone
        self.floor = FloorControl(context, meeting.lifecycle, microphone)
        self.call = UrgentCall(context, meeting, announcements, microphone)
        self.messages = Messages(context, meeting.lifecycle, announcements)
        self.button = Button(context, self.call, self.messages, self.floor)
        self.button.on_camera = self.switch_camera
        self._waiting: Plan | None = None

    def refusal(self, body: Body, now: Now) -> tuple[Code, str] | None:
        """Why this can't be done as things stand; None also for commands of others."""
        match body:
            case Floor():
                return self.floor.refusal(body)
            case Call():
                return self.call.refusal(body, now)
            case Show() as show:
                return self.messages.refusal(show)
            case Check():
                return self.check.refusal()
        return None

    def obey(self, command: Command, now: Now) -> None:
        """Do it, if it is one of these."""
        match command.body:
            case Floor() as floor:
                self.floor.obey(floor, command.id, now)
            case Call() as call:
                self.call.begin(command, call, now)
            case Show() as show:
                self.messages.show(command, show, now)
            case Hide() as hide:
                self.messages.hide(command.id, hide, now)
            case Check() as check:
                self.check.begin(command, check, now)

    def line_changed(self, line: PanelLine, active: bool, now: Now) -> None:
        """A button of the panel went down or up."""
        if line == "mute-button":
            self.button.changed(active, now)
        elif active:
            self.switch_camera(now)

    def switch_camera(self, now: Now) -> None:
        """The people in the room switch their camera off, or give it back to the meeting."""
        membership = self._lifecycle.membership if self._lifecycle.held else None
        wanted = membership is not None and membership.camera_wanted
        camera = self._lifecycle.camera
        camera.pressed(now, meeting=membership is not None, wanted=wanted)
        if membership is not None:
            membership.camera_off_by_hand = camera.off_by_hand

    def follow(self, now: Now) -> None:
        """At the end of each event: floor, screen and lamp as things stand now."""
        lifecycle = self._lifecycle
        membership = lifecycle.membership if lifecycle.held else None
        if membership is not None:
            self.floor.follow(membership.join.floor, now)
        self.floor.keep()
        self._tell_of_retry(lifecycle.retry.waiting)
        heard = lifecycle.membership is not None and self.microphone.heard
        self.lamp.follow(
            live=heard or self.check.opens, hand=lifecycle.floor.waits, called=self.call.ringing
        )

    def _tell_of_retry(self, waiting: Plan | None) -> None:
        """The screen says that the room could not join and tries again, until it does."""
        if waiting == self._waiting:
            return
        self._waiting = waiting
        if waiting is None:
            in_meeting = self._lifecycle.membership is not None
            self.announcements.clear("retry", in_meeting=in_meeting)
            return
        title = waiting.join.meeting.title or waiting.meeting
        self.announcements.set("retry", Retrying(title, waiting.code))
