"""How long pictures and sound of one source wait, so that people see and hear them together.

Pure. All times are nanoseconds; a delay counts from a buffer's own time, which pictures and sound of
a source have in common (RTCP sender reports, RFC 3550, 6.4.1).
"""

from __future__ import annotations

from typing import NamedTuple

SOUND_LATE_NANOSECONDS = 10_000_000
"""The middle of what EBU R37 allows: 40 ms early to 60 ms late."""

SOUND_STEP_NANOSECONDS = 15_000_000
"""The sound is moved only if it is off by so much, for a move is heard; the picture follows it."""

PICTURE_STEP_NANOSECONDS = 2_000_000
"""The picture is moved only by so much: each move has a pipeline ask all its elements."""

MIXER_NANOSECONDS = 10_000_000
"""What the mixer waits for a source on the average while it gathers a chunk: as good as the jitter
buffer's own waiting."""


class Paths(NamedTuple):
    """What comes after a source's delays."""

    to_ear: int
    """From the moment when sound leaves the mixer to when it is heard."""
    to_eye: int
    """From the moment when a picture is due to when it is seen."""


class LipSync:
    """`picture` and `sound` are the delays; neither is shorter than the jitter buffer by more than
    that step.
    """

    def __init__(self, jitter: int, paths: Paths, least: int = 0) -> None:
        self._waits = (jitter, least)
        self.sound = self.picture = 0
        self.update(jitter, paths, least)

    def update(self, jitter: int, paths: Paths, least: int = 0) -> None:
        """What the jitter buffer waits now, what comes after, and how long sound has to wait at least to
        be in time for the mixer.
        """
        ahead = paths.to_eye + SOUND_LATE_NANOSECONDS - paths.to_ear
        sound = max(0, least, jitter + max(ahead, -MIXER_NANOSECONDS))
        waits = (jitter, least)
        if waits != self._waits or abs(sound - self.sound) > SOUND_STEP_NANOSECONDS:
            self.sound = sound
        self._waits = waits
        picture = max(0, self.sound + paths.to_ear - SOUND_LATE_NANOSECONDS - paths.to_eye)
        if abs(picture - self.picture) > PICTURE_STEP_NANOSECONDS:
            self.picture = picture
