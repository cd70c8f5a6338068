"""The media process's stderr as lines of the daemon's log: prefixed, rate-limited, without secrets.

GStreamer and libcamera print what they like, when they like; none of it may fill the journal or
carry a bearer token into it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

log = logging.getLogger(__name__)

LINES_PER_SECOND = 10.0
BURST_LINES = 100
MAX_LINE_CHARACTERS = 400

_BEARER = re.compile(r"(bearer\s+)\S+", re.IGNORECASE)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\x1b\[[0-9;]*m")


class Allowance:
    """A token bucket: `burst` at once, `per_second` in the long run."""

    def __init__(self, per_second: float, burst: int, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more is within the allowance at `now` (monotonic seconds)."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class ProcessLog:
    """Takes the raw bytes of one media process's stderr; `last_words` is for the words about its end."""

    def __init__(self, prefix: str, now: float) -> None:
        self._prefix = prefix
        self._rest = b""
        self._secrets: frozenset[str] = frozenset()
        self._allowance = Allowance(LINES_PER_SECOND, BURST_LINES, now)
        self._dropped = 0
        self.last_words = ""

    def hide(self, secrets: Iterable[str | None]) -> None:
        """Never log these; callable from another thread than the rest."""
        self._secrets |= {secret for secret in secrets if secret}

    def feed(self, chunk: bytes, now: float) -> None:
        """Log the lines completed by `chunk`; a line without an end is cut, not kept."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > 4 * MAX_LINE_CHARACTERS:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._log(line, now)

    def finish(self, now: float) -> None:
        """Log what is left when the media process has gone."""
        self._log(self._rest, now)
        self._rest = b""
        self._say_dropped()

    def _log(self, line: bytes, now: float) -> None:
        text = self._clean(line)
        if not text:
            return
        self.last_words = text
        if not self._allowance.take(now):
            self._dropped += 1
            return
        self._say_dropped()
        log.warning("%s: %s", self._prefix, text)

    def _say_dropped(self) -> None:
        if self._dropped:
            log.warning("%s: (%d more lines not logged)", self._prefix, self._dropped)
            self._dropped = 0

    def _clean(self, line: bytes) -> str:
        text = _CONTROL_CHARACTERS.sub("", line.decode(errors="replace")).strip()
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _BEARER.sub(r"\1***", text)[:MAX_LINE_CHARACTERS]
