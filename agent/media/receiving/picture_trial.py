"""Whether a picture that is tried harms the sound that plays meanwhile: then the link is too narrow.

Pure: how late each piece of sound comes goes in. A queue shows before much is lost of it.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.media.webrtc.queue import Queue

TRIAL_SECONDS = 1.0
"""From the first picture or sound: a link that is far too narrow has a full queue long before."""

REMEMBERED = 500
"""Ten seconds of sound, longer than a handshake takes."""


class Harm(NamedTuple):
    """A picture harms the sound if `pieces` pieces of it in a row (20 ms each) are late by more than
    `nanoseconds`, counted from the earliest ones lately.
    """

    nanoseconds: int
    pieces: int


FULL = Harm(250_000_000, 3)
"""A full queue (300 ms: RFC 8867, 4)."""

LASTING = Harm(100_000_000, 15)
"""A keyframe makes such a queue on a link that is wide enough, too; but that is gone sooner."""


class PictureTrial:
    """Judges one trial of one source's picture; call `harms` for each piece of the sound that plays meanwhile."""

    def __init__(self) -> None:
        self._queue = Queue(REMEMBERED)
        self._harmed = {FULL: 0, LASTING: 0}

    def harms(self, late_nanoseconds: int) -> bool:
        """Take in how late one piece of sound came, in nanoseconds after its own time. True when the picture harms
        the sound: then the link is too narrow for it.
        """
        queued = self._queue.update(late_nanoseconds)
        for harm, pieces in self._harmed.items():
            self._harmed[harm] = pieces + 1 if queued > harm.nanoseconds else 0
        return any(pieces >= harm.pieces for harm, pieces in self._harmed.items())
