"""Calls and messages on the screen: their words in the room's language, and the sound that goes with a call."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.model.media import Announcement, Applied
from agent.media.picture.screen import Screen
from agent.media.reporting import Send

WORDS = {
    "vi": {
        "call": "CUỘC GỌI KHẨN: {title}",
        "caller": "Người gọi: {caller}",
        "press": "Nhấn nút để trả lời",
        "check": "Đang kiểm tra thiết bị: camera và micrô bật trong giây lát",
        "begins": "Bắt đầu lúc {when}",
        "minutes": "Còn {minutes} phút",
        "fault": "Cần xem lại: {fault}",
        "warning": "CHÚ Ý",
        "urgent": "KHẨN",
        "one": "Nhấn một lần: {answer}",
        "two": "Nhấn hai lần: {answer}",
    },
    "en": {
        "call": "URGENT CALL: {title}",
        "caller": "Called by {caller}",
        "press": "Press the button to answer",
        "check": "Devices are being checked: camera and microphone are on for a moment",
        "begins": "Begins at {when}",
        "minutes": "{minutes} minutes left",
        "fault": "Please look at: {fault}",
        "warning": "ATTENTION",
        "urgent": "URGENT",
        "one": "Press once: {answer}",
        "two": "Press twice: {answer}",
    },
}

Ring = Callable[[Announcement | None], None]
"""Begins a call's sound, or (None) ends it."""


def lines(announcement: Announcement, language: str) -> list[str]:
    """What the people in the room read, line by line."""
    words = WORDS[language]
    match announcement.kind:
        case "call":
            caller = words["caller"].format(caller=announcement.caller)
            return [
                words["call"].format(title=announcement.title),
                *([announcement.text] if announcement.text else []),
                *([caller] if announcement.caller else []),
                words["press"],
            ]
        case "check":
            return [words["check"]]
        case "agenda":
            left = announcement.minutes_left
            begins = words["begins"].format(when=announcement.text)
            countdown = [words["minutes"].format(minutes=left)] if left else []
            fault = [words["fault"].format(fault=announcement.fault)] if announcement.fault else []
            return [announcement.title, begins, *countdown, *fault]
        case "message":
            head = [] if announcement.level == "info" else [words[announcement.level]]
            presses = zip(("one", "two"), announcement.answers, strict=False)
            answers = [words[word].format(answer=answer) for word, answer in presses]
            return [*head, announcement.text, *(["   ".join(answers)] if answers else [])]


class Announcing:
    """Shows one announcement at a time; in the loop's thread."""

    def __init__(self, language: str, screen: Screen, ring: Ring, send: Send) -> None:
        self._language = language
        self._screen = screen
        self._ring = ring
        self._send = send
        self._unconfirmed = ""
        screen.on_lit = self._confirm

    def set(self, announcement: Announcement | None) -> None:
        """Show it in place of the one before, or (None) nothing any more."""
        self._ring(announcement if announcement and announcement.chime else None)
        shown = lines(announcement, self._language) if announcement else []
        self._screen.announce("\n".join(shown))
        self._unconfirmed = announcement.request if announcement else ""
        if self._screen.lit:
            self._confirm()

    def _confirm(self) -> None:
        """The screen has it: now, or once it is lit."""
        request, self._unconfirmed = self._unconfirmed, ""
        if request:
            self._send(Applied(request))
