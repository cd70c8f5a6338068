"""Events of what may flap, such as a device on a loose cable: ten an hour at once, then one a minute.

However fast it flaps, the SD card and a link of 3G get the newest each minute, with the count.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from agent.core.model.clock import Now
from agent.core.model.deadlines import HeldEventsDue
from agent.core.model.documents import EventDocument
from agent.core.model.effects import Effect, PublishEvent, SetDeadline

MINUTE_SECONDS = 60.0
BURST = 10
BURST_SECONDS = 3600.0
PRESSES = 60
"""The burst of a button: somebody who tries it out waits for each of its events."""


class Throttle:
    """Publishes events or holds them back; `do` takes the effects in order."""

    def __init__(self, do: Callable[[Effect], None]) -> None:
        self._do = do
        self._published: dict[str, list[float]] = {}
        """What may flap -> when the last of its events were published, in monotonic seconds."""
        self._held: dict[str, tuple[EventDocument, int]] = {}

    def tell(self, what: str, event: EventDocument, now: Now, burst: int = BURST) -> None:
        """Publish it; or, if `what` flaps, keep it as its newest until the minute is over."""
        if what not in self._held and self._calm(what, now.monotonic_seconds, burst):
            self._do(PublishEvent(event))
            return
        if not self._held:
            self._do(SetDeadline(HeldEventsDue(), MINUTE_SECONDS))
        _, count = self._held.get(what, (event, 0))
        self._held[what] = event, count + 1

    def _calm(self, what: str, seconds: float, burst: int) -> bool:
        ago = seconds - BURST_SECONDS
        self._published = {one: t for one, t in self._published.items() if t[-1] > ago}
        times = self._published.setdefault(what, [])  # a deque takes half a kilobyte
        calm = len(times) < burst or times[0] <= ago
        if calm:
            times.append(seconds)
            del times[:-burst]
        return calm

    def release(self) -> None:
        """The minute is over, or the daemon ends: what was held back is published."""
        for event, count in self._held.values():
            stands_for = count if count > 1 else event.detail.count
            detail = structs.replace(event.detail, count=stands_for)
            self._do(PublishEvent(structs.replace(event, detail=detail)))
        self._held.clear()
