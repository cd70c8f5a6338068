"""What every part of the core works with: the room's profile, the effects, the acks and the events."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.answers import Answers
from agent.core.model.clock import Now
from agent.core.model.documents import EventDetail, EventDocument
from agent.core.model.effects import Effect
from agent.core.model.profile import Profile
from agent.core.throttle import BURST, Throttle

NOTHING_MORE = EventDetail()


class Context:
    """Made once by the room and handed to each part; `do` takes the effects in order."""

    def __init__(self, profile: Profile, do: Callable[[Effect], None]) -> None:
        self.profile = profile
        self.do = do
        self.answers = Answers(profile.room, do)
        self.throttle = Throttle(do)
        self.clock_is_set = False
        """Whether the wall clock of the event at hand is to be believed."""

    def tell(
        self,
        type: str,
        code: str,
        text: str,
        now: Now,
        *,
        detail: EventDetail = NOTHING_MORE,
        flaps: str | None = None,
        burst: int = BURST,
    ) -> None:
        """Publish an event of this type, or hold it back if what it is about flaps.

        `flaps` names what it is about (the type, unless given): ten an hour (`burst`) of the same are told at once.
        """
        event = EventDocument(type, self.profile.room, str(code), text, now.wall, detail)
        self.throttle.tell(flaps or type, event, now, burst)
