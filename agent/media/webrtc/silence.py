"""Whether the peer of a session has died: nothing came for longer than it usually takes.

Pure: counters and the monotonic clock go in. Media come many times a second, and their end is plain;
a peer that only takes ours sends nothing but RTCP, which may come rarely (RFC 3550 allows 7.5 s).
"""

from __future__ import annotations

from collections import deque
from statistics import median

SHORTEST_SECONDS = 4.0
"""Silence that a mobile network brings about by itself, handing over from mast to mast; a dead peer
is to be noticed within 5 s."""

PAUSES = 2.5
"""Of a peer's longest recent pause between arrivals: one report may be lost."""

LIVELY_SECONDS = 1.5
LIVELY_PATIENCE_SECONDS = 4.7
"""A peer that is heard of that often, as a rule, has lost three reports in a row by then; and once in
a while it is silent for longer without being dead."""

REMEMBERED_PAUSES = 8

ENDING_SECONDS = 1.2
"""After a good-bye, which may be that of one stream of several: the others would be heard by then."""

DOUBTED_SECONDS, DOUBTED_PAUSES = 1.0, 1.5
"""Where the network has changed: half a second more than media are ever away, or what RTCP takes at the most."""

LIVELIEST_SECONDS = 0.3
SUSPECTED_SECONDS, SUSPECTED_PAUSES = 1.6, 1.5
"""A peer of which something comes in each look has missed dozens of packets by then, and one of its server's reports,
which go on once a second or so when the source alone has stalled. It may be the network as a whole, which comes back:
so the server is asked another way first."""

ANSWERED_SECONDS = 0.2
"""From an answer by that other way: what had queued with it has come by then too."""

HELD_UP_SECONDS = 0.5
"""From one look to the next at the most: where it was longer, this process was held up, as it is when a
meeting begins, and that is no pause of the peer's."""


class SilenceWatch:
    """From when a session is up; `update` is called several times a second."""

    def __init__(self, now_seconds: float) -> None:
        self._started = self._arrived = self._looked = now_seconds
        self._count = 0
        self._ending = False
        self._doubted_from: float | None = None
        self._answered: float | None = None
        self._pauses: deque[float] = deque(maxlen=REMEMBERED_PAUSES)

    def update(self, packets: int, now_seconds: float) -> None:
        """Take note of all RTP and RTCP packets received so far."""
        if packets != self._count:
            arrived = min(now_seconds, self._looked + HELD_UP_SECONDS)
            self._pauses.append(arrived - self._arrived)
            self._arrived = now_seconds
        self._looked, self._count = now_seconds, packets

    def expect_end(self) -> None:
        """The peer said good-bye to a stream."""
        self._ending = True

    def doubt(self, now_seconds: float) -> None:
        """The network is another one from now on: what the peer sends may never come here any more."""
        self._doubted_from = now_seconds

    def silence_seconds(self, now_seconds: float) -> float:
        return now_seconds - self._arrived

    def suspected(self, now_seconds: float) -> bool:
        """Whether it is worth asking the server itself what has become of a peer that was never silent."""
        pauses = self._pauses
        return (
            len(pauses) == REMEMBERED_PAUSES
            and median(pauses) <= LIVELIEST_SECONDS
            and self.silence_seconds(now_seconds) > self._suspicious_seconds()
        )

    def _suspicious_seconds(self) -> float:
        return max(SUSPECTED_SECONDS, SUSPECTED_PAUSES * max(self._pauses, default=0.0))

    def answered(self, now_seconds: float) -> None:
        """The server, asked by HTTP in this silence, has answered: the network is there, and media have no way."""
        self._answered = now_seconds

    def cut(self, now_seconds: float) -> bool:
        """Whether the server answers and nothing comes all the same."""
        answered = self._answered
        return (
            answered is not None
            and self._arrived < answered <= now_seconds - ANSWERED_SECONDS
            and self.suspected(now_seconds)
        )

    def dead(self, now_seconds: float) -> bool:
        silence = self.silence_seconds(now_seconds)
        if self._doubted_from is not None:
            since = now_seconds - max(self._arrived, self._doubted_from)
            if since > self._doubting_seconds():
                return True
        return silence > self._patience_seconds()

    def _doubting_seconds(self) -> float:
        return max(DOUBTED_SECONDS, DOUBTED_PAUSES * max(self._pauses, default=0.0))

    def _patience_seconds(self) -> float:
        if self._ending:
            return ENDING_SECONDS
        if not self._pauses:
            return SHORTEST_SECONDS
        patience = max(SHORTEST_SECONDS, PAUSES * max(self._pauses))
        if median(self._pauses) <= LIVELY_SECONDS:
            patience = min(patience, LIVELY_PATIENCE_SECONDS)
        return patience

    def age_seconds(self, now_seconds: float) -> float:
        return now_seconds - self._started
