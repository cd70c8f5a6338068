"""The moments that the core wants to be told of: each is a type, so that none is mistaken for another.

`SetDeadline` asks for one, `DeadlinePassed` brings it back; `agent.core.room` has the table of who
takes which. Two that are equal are one and the same deadline: the later setting counts.
"""

from __future__ import annotations

from msgspec import Struct


class Deadline(Struct, frozen=True):
    """The kind of all of them."""


class HealthDue(Deadline, frozen=True):
    """The regular health document."""


class HealthChanged(Deadline, frozen=True):
    """A health document out of turn: something has changed."""


class ReportLate(Deadline, frozen=True):
    """Whoever asked for a report has waited long enough."""


class RefusalsDue(Deadline, frozen=True):
    """What was refused meanwhile is told."""


class HeldEventsDue(Deadline, frozen=True):
    """The events that the throttle held back are told."""


class StopOver(Deadline, frozen=True):
    """The media process had its time: the daemon ends."""


class DisplayWarm(Deadline, frozen=True):
    """The display shows a picture by now."""


class DisplayUnused(Deadline, frozen=True):
    """The display was held on after a meeting for long enough."""


class HandMuteOver(Deadline, frozen=True):
    """The hand's mute has outlived its meeting for long enough."""


class HandCameraOver(Deadline, frozen=True):
    """The camera that was switched off by hand has stayed so for long enough after its meeting."""


class CameraLate(Deadline, frozen=True):
    """The media process had its time to close the camera."""


class ButtonHeldLong(Deadline, frozen=True):
    """The button is down for so long that it means the camera, in a room where it does."""


class BlinkOver(Deadline, frozen=True):
    """The lamp has blinked for long enough."""


class ButtonHeld(Deadline, frozen=True):
    """The button has been down for long enough to be a long press."""


class SecondPressLate(Deadline, frozen=True):
    """A second press would have come by now."""


class RingOver(Deadline, frozen=True):
    """Nobody answered the call."""


class MessageOver(Deadline, frozen=True):
    """The message was shown for long enough."""


class AnnouncementLate(Deadline, frozen=True):
    """The media process has not shown the message with this request."""

    request: str


class CheckLate(Deadline, frozen=True):
    """The check must have ended by now."""


class InstructionLate(Deadline, frozen=True):
    """The media process has not confirmed the instruction with this request."""

    request: str


class RecordingLate(Deadline, frozen=True):
    """The media process has not answered the recording's request."""

    request: str


class JoinLate(Deadline, frozen=True):
    """The time that joining may take is over."""


class JoinAgain(Deadline, frozen=True):
    """The pause before the next try of a join that failed is over."""


class SourcesLate(Deadline, frozen=True):
    """A join that has enough does not wait longer for the rest of its sources."""


class LeaveLate(Deadline, frozen=True):
    """The media process must be gone by now."""


class MediaStartDue(Deadline, frozen=True):
    """A media process is started in place of one that failed."""


class AgendaDue(Deadline, frozen=True):
    """Look what the agenda wants now."""


class MeetingEndDue(Deadline, frozen=True):
    """Look whether the meeting's time is over."""


class RefusedDue(Deadline, frozen=True):
    """What the hub refused is given to it again, or was taken by now."""
