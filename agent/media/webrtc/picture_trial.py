"""Whether a picture that is tried harms the sound that plays meanwhile: then the link is too narrow.

Pure: how late each piece of sound comes goes in. A queue shows before anything of it is lost.
"""

from __future__ import annotations

from agent.media.webrtc.queue import Queue

TRIAL_SECONDS = 1.0
"""From the first picture or sound: a link that is far too narrow has a queue of a second by then."""

HARMFUL_NANOSECONDS = 100_000_000
HARMED = 3
"""Pieces one after the other: one may have met a busy processor."""

REMEMBERED = 500
"""Ten seconds of sound, longer than a handshake takes."""


class PictureTrial:
    """Of one source; `harms` for each piece of the sound that plays."""

    def __init__(self) -> None:
        self._queue = Queue(REMEMBERED)
        self._harmed = 0

    def harms(self, late_nanoseconds: int) -> bool:
        """Of the sound, after its own time."""
        late = self._queue.look(late_nanoseconds) > HARMFUL_NANOSECONDS
        self._harmed = self._harmed + 1 if late else 0
        return self._harmed >= HARMED
