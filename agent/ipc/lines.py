"""Cuts a byte stream into lines: the framing of the media process's line and of the control socket."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import MessageError


class LineBuffer:
    """Keeps the unfinished rest between chunks, up to `max_line_bytes`."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines completed by this chunk, empty ones left out.

        Raises MessageError (`too-large`) when a line is too long; nothing after it can be trusted.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        yield from (line for line in lines if line)
        if len(self._rest) > self._max_line_bytes:
            self._rest = b""
            text = f"a line of more than {self._max_line_bytes} bytes"
            raise MessageError("too-large", text)
