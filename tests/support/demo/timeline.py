"""What the demo prints: a line per thing that happened, and a line per thing that was checked.

Lines stay within 80 columns; every check is remembered for the verdict.
"""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.support.demo.hub import Message

COLUMNS = 80
PLAIN_FIELDS = ("connection", "phase")
STATE_FIELDS = (*PLAIN_FIELDS, "microphone", "camera", "display")


class Timeline:
    """Prints with the seconds since the demo began; safe to call from any thread."""

    def __init__(self) -> None:
        self.held = 0
        self.failed: list[str] = []
        self._started = time.monotonic()
        self._sent: dict[str, float] = {}
        self._state: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def elapsed_seconds(self) -> float:
        return time.monotonic() - self._started

    def say(self, who: str, text: str, at: float | None = None) -> None:
        """`at` is the time.monotonic() of what happened, if it was not just now."""
        seconds = (at or time.monotonic()) - self._started
        self._print(f"{seconds:7.2f} s  {who:<9}", text)

    def act(self, title: str) -> None:
        """A new part of the play begins."""
        with self._lock:
            print(f"\n== {title}", flush=True)

    def sending(self, command_id: str, text: str) -> None:
        """A command goes out now: its acks are timed from here."""
        self._sent[command_id] = time.monotonic()
        self.say("hub", text, self._sent[command_id])

    def heard(self, message: Message) -> None:
        """A document came in from a room."""
        document = message.document
        if message.kind == "ack":
            self._say_ack(message)
        elif message.kind == "event":
            self.say(message.room, f"{document['type']}: {document['text']}", message.at)
        elif message.kind == "state":
            self._say_state(message)

    def _say_state(self, message: Message) -> None:
        """What is new in it: the phase, or a device by name."""
        before = self._state.get(message.room, {})
        self._state[message.room] = document = message.document
        new = [name for name in STATE_FIELDS if document[name] != before.get(name)]
        words = [document[n] if n in PLAIN_FIELDS else f"{n} {document[n]}" for n in new]
        if words:
            self.say(message.room, ", ".join(words), message.at)

    def _say_ack(self, message: Message) -> None:
        ack = message.document
        sent = self._sent.get(ack["id"])
        after = f" after {1000 * (message.at - sent):.0f} ms" if sent else ""
        text = "" if ack["code"] == "ok" else f": {ack['text']}"
        self.say(message.room, f"{ack['type']} {ack['state']}{after}{text}", message.at)

    def check(self, held: bool, what: str, figure: str) -> None:
        """One thing that a person would have looked at, and what was measured."""
        if held:
            self.held += 1
        else:
            self.failed.append(what)
        self._print("       ok  " if held else "     FAIL  ", f"{what}: {figure}")

    def attempt(self, what: str, check: Callable[[], tuple[bool, str]]) -> None:
        """A check whose failure may be an exception: then that is the figure."""
        try:
            held, figure = check()
        except (AssertionError, OSError, TimeoutError, ValueError) as error:
            held, figure = False, str(error)
        self.check(held, what, figure)

    def _print(self, margin: str, text: str) -> None:
        indent = " " * (len(margin) + 1)
        lines = textwrap.fill(
            f"{margin} {text}", COLUMNS, subsequent_indent=indent, break_long_words=False
        )
        with self._lock:
            print(lines, flush=True)
