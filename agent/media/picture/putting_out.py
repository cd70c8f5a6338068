"""The end of a lit screen: what drew on it is closed, then its card, and a driver that hangs holds nobody up."""

from __future__ import annotations

import os
import threading

from agent.media.picture.composer import Composer
from agent.media.picture.kms import Card
from agent.media.picture.surface import Surface

CLOSE_SECONDS = 2.0
"""How long whoever decides waits for it; a driver that hangs is left to a thread of its own."""


class PuttingOut:
    """One screen after the other."""

    def __init__(self) -> None:
        self._thread = threading.Thread()

    @property
    def under_way(self) -> bool:
        """Whether the last one still has its card."""
        return self._thread.is_alive()

    def put_out(
        self, composer: Composer | None, surface: Surface | None, card: Card | None
    ) -> None:
        """Returns when it is out, or after `CLOSE_SECONDS`."""

        def close() -> None:
            for part in (composer, surface):
                if part:
                    part.close()
            if card:  # the last: what draws on it has ended
                os.close(card.descriptor)

        self._thread = threading.Thread(target=close, name="screen-end", daemon=True)
        self._thread.start()
        self._thread.join(CLOSE_SECONDS)
