"""Calls and messages on the screen: their words in the room's language, and the soft tone of a call in a meeting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agent.core.model.announcement import (
    Announcement,
    Called,
    Checking,
    LookAhead,
    MeetingSoon,
    Message,
    NextMeeting,
    Retrying,
    RoomVerdict,
    ringing,
)
from agent.core.model.media import Applied
from agent.locale import gettext as _
from agent.locale import translate
from agent.media.picture.notice import DEVICES, trouble
from agent.media.picture.screen import Screen
from agent.media.reporting import Send

Ring = Callable[[Called | None], None]
"""Begins a call's sound, or (None) ends it."""


def lines(announcement: Announcement, now: datetime | None = None) -> list[str]:
    """What the people in the room read, line by line; `now` is the time of their clock, by default this machine's."""
    match announcement:
        case Called(title, text, caller):
            return [
                _("URGENT CALL: {title}").format(title=title),
                *([text] if text else []),
                *([_("Called by {caller}").format(caller=caller)] if caller else []),
                _("Press the button to answer"),
            ]
        case Message():
            return _message(announcement)
        case Checking():
            return [_("Devices are being checked: camera and microphone are on for a moment")]
        case Retrying(title, code):
            return [
                _("Could not join: {title}").format(title=title),
                _reason(code),
                _("Trying again by itself; no need to do anything"),
            ]
        case MeetingSoon(title, when, minutes, verdict):
            return [
                title,
                _("Begins at {when}").format(when=when),
                *([_("{minutes} minutes left").format(minutes=minutes)] if minutes else []),
                *_readiness(verdict),
            ]
        case LookAhead(meeting, verdict):
            now = now or datetime.now().astimezone()
            return [*(_next(meeting, now) if meeting else []), *_readiness(verdict)]


def _message(message: Message) -> list[str]:
    head = {"warning": [_("ATTENTION")], "urgent": [_("URGENT")]}
    presses = (_("Press once: {answer}"), _("Press twice: {answer}"))
    answers = [
        press.format(answer=answer) for press, answer in zip(presses, message.answers, strict=False)
    ]
    joined = ["   ".join(answers)] if answers else []
    return [*head.get(message.level, []), message.text, *joined]


def _reason(code: str) -> str:
    """Why the room is not in its meeting, for people who can't do much about it."""
    match code:
        case "media-unreachable":
            return _("The network or the media server does not answer yet")
        case "uplink-refused" | "downlink-refused":
            return _("The media server does not let this room in yet")
        case "no-picture-or-sound":
            return _("No picture and no sound has come yet")
    return _("The connection has not come about yet")


def _next(meeting: NextMeeting, now: datetime) -> list[str]:
    """By the clock that stands on the same screen."""
    begins = meeting.begins.astimezone(now.tzinfo)
    days = (begins.date() - now.date()).days
    when = {0: _("Today at {time}"), 1: _("Tomorrow at {time}")}.get(days, _("{date} at {time}"))
    return [
        _("Next: {title}").format(title=meeting.title),
        when.format(time=f"{begins:%H:%M}", date=f"{begins:%d.%m}"),
    ]


def _readiness(verdict: RoomVerdict) -> list[str]:
    """By the last check: nothing if that is not known. Of a device what to look at, else what was found."""
    kind, _dash, code = verdict.fault_code.partition("-")
    if kind in DEVICES:
        return [trouble(kind, code)]
    if fault := verdict.fault or verdict.fault_code:
        return [_("Please look at: {fault}").format(fault=translate(fault))]
    return [_("The room is ready")] if verdict.is_ready else []


class Announcing:
    """Shows one announcement at a time; in the loop's thread."""

    def __init__(self, screen: Screen, send: Send, ring: Ring = lambda call: None) -> None:
        self._screen = screen
        self._send = send
        self._ring = ring
        self._unconfirmed = ""
        screen.on_lit = self._confirm

    def set(self, announcement: Announcement | None) -> None:
        """Show it in place of the one before, or (None) nothing any more."""
        self._ring(ringing(announcement))
        shown = lines(announcement) if announcement else []
        self._screen.announce("\n".join(shown))
        self._unconfirmed = announcement.request if isinstance(announcement, Message) else ""
        if self._screen.lit:
            self._confirm()

    def _confirm(self) -> None:
        """The screen has it: now, or once it is lit."""
        request, self._unconfirmed = self._unconfirmed, ""
        if request:
            self._send(Applied(request))
