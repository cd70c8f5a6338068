"""How many pictures of a source were shown, as its sinks count them.

Counted by the sinks, since Python would take longer for a picture than GStreamer does to show it.
"""

from __future__ import annotations

from typing import Any


class PictureCount:
    """Of one source, over all its sessions."""

    def __init__(self) -> None:
        self._sink: Any = None
        self._before = 0
        self._polled = 0

    def watch(self, sink: Any) -> None:
        """Count on with the sink of a new session, without what it has decoded before."""
        self._before, self._sink = self.total() - _decoded(sink), sink

    def end(self) -> None:
        """No session brings pictures any more."""
        self._before, self._sink = self.total(), None

    def total(self) -> int:
        if self._sink is None:
            return self._before
        return self._before + _decoded(self._sink)

    def poll(self) -> int:
        """How many since the last poll."""
        before, self._polled = self._polled, self.total()
        return self._polled - before

    def newest(self) -> Any | None:
        """The last one shown, as a sample."""
        return self._sink.get_property("last-sample") if self._sink else None


def _decoded(sink: Any) -> int:
    pictures: int = sink.get_property("stats").get_value("rendered")
    return pictures
