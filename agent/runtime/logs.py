"""Where log lines go: to journald with searchable fields, or to stderr as plain lines.

A call adds fields with `extra={"MEETING": ..., "COMMAND": ..., "MESSAGE_ID": ...}`; ROOM stands on
every line, so `journalctl COMMAND=01J...` tells the story of one command.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from agent.core.model.cleaning import visible

FIELDS = ("MEETING", "COMMAND", "MESSAGE_ID")
"""What a log call may say in `extra`."""

PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""syslog's (RFC 5424, table 2) for Python's levels."""

REPEAT_SECONDS = 60.0
OF_A_KIND = 10
"""Warnings of one kind in that time that are told."""

SendToJournal = Callable[..., object]


def configure(room: str, level: int = logging.INFO) -> None:
    """Send the root logger's lines to journald if our stderr is connected to it, else to stderr."""
    send = _journal_sender() if _under_journald(os.environ) else None
    handler = JournalHandler(room, send) if send else plain_handler(sys.stderr)
    handler.addFilter(Repeats())
    _leave_out_what_nobody_reads()
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a full disk under the log must not become a second problem


def _leave_out_what_nobody_reads() -> None:
    """No line names its thread, process or place in the code; to find them out took half of a line's time
    (docs.python.org/3/howto/logging.html, Optimization)."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    vars(logging)["_srcfile"] = None


class PlainFormatter(logging.Formatter):
    """`warning agent.hub.link: what happened [meeting=giao-ban command=01J]`, always one line."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.levelname.lower()} {record.name}: {record.getMessage()}"
        fields = [
            f"{name.lower()}={value}"
            for name, value in _fields(record).items()
            if name != "MESSAGE_ID"
        ]
        text = text.replace("\n", " | ") + (f" [{' '.join(fields)}]" if fields else "")
        text = visible(text, "?")  # somebody reads it in a terminal
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


def plain_handler(stream: TextIO) -> logging.Handler:
    """Plain lines on `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter())
    return handler


class Repeats(logging.Filter):
    """Counts a line that its logger has just said, within the last minute, instead of letting it through again; and
    warnings and errors of one kind (one template) that only their values tell apart, from the eleventh in a minute on.

    A disk stays full for thousands of writes, and a client that is turned away tries again at once, each time as
    another process: the log must not fill the card with it, nor hide in it what else is said. The next one after the
    minute tells the count.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._last: dict[str, tuple[tuple[object, ...], float, int]] = {}
        """Logger -> the line that it said last, when, and how often it came since."""
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}
        """Logger and template -> when its minute began, and how many came in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        text, now = record.getMessage(), self._now()
        line = (record.levelno, text, *_fields(record).items())
        last, at, repeats = self._last.get(record.name, ((), -math.inf, 0))
        if line == last and now - at < REPEAT_SECONDS:
            self._last[record.name] = (line, at, repeats + 1)
            return False
        hidden = self._too_many(record, now) if record.levelno >= logging.WARNING else 0
        if hidden is None:
            return False
        if line == last and repeats:
            record.msg, record.args = "%s (%d more times since it was said last)", (text, repeats)
        elif hidden:
            record.msg, record.args = "%s (%d more of this kind came before)", (text, hidden)
        self._last[record.name] = (line, now, 0)
        return True

    def _too_many(self, record: logging.LogRecord, now: float) -> int | None:
        """None if this kind has been told enough in its minute; else how many of the minute before were not told."""
        template = str(record.msg)
        if template == "%s" or not record.args:
            return 0  # it says nothing of the kind
        kind = record.name, template
        began, count = self._kinds.get(kind, (now, 0))
        if now - began < REPEAT_SECONDS:
            self._kinds[kind] = (began, count + 1)
            return None if count >= OF_A_KIND else 0
        self._kinds[kind] = (now, 1)
        return max(0, count - OF_A_KIND)


class JournalHandler(logging.Handler):
    """Lines in the journal, with the fields ROOM, LOGGER and what the call added."""

    def __init__(self, room: str, send: SendToJournal) -> None:
        super().__init__()
        self._room = room
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info:
                message += "\n" + logging.Formatter().formatException(record.exc_info)
            self._send(
                message,
                PRIORITY=str(PRIORITIES.get(record.levelname, 6)),
                SYSLOG_IDENTIFIER="diemcau",
                LOGGER=record.name,
                ROOM=self._room,
                **_fields(record),
            )
        except OSError:
            self.handleError(record)


def _fields(record: logging.LogRecord) -> dict[str, str]:
    return {name: str(record.__dict__[name]) for name in FIELDS if record.__dict__.get(name)}


def _under_journald(environment: Mapping[str, str]) -> bool:
    """JOURNAL_STREAM holds device and inode of the journal's stream; it must be our stderr's."""
    stream = environment.get("JOURNAL_STREAM", "")
    facts = os.fstat(sys.stderr.fileno())
    return stream == f"{facts.st_dev}:{facts.st_ino}"


def _journal_sender() -> SendToJournal | None:
    try:
        from systemd.journal import send
    except ImportError:
        return None
    sender: SendToJournal = send
    return sender
