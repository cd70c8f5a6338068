"""From one reception of a source to the next, which is made before the other one is broken.

Without a picture the next takes over with its first sound. With one it is on trial first: on a link that
is too narrow the sound that plays queues behind it, and it is gone before much of that is lost.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from agent.core.model.figures import LinkState
from agent.media.loop import Loop, Timer
from agent.media.receiving.picture_trial import TRIAL_SECONDS, PictureTrial
from agent.media.receiving.reception import Reception

PARALLEL_SECONDS = 0.5
"""From the next one's first sound: the other one may still wait for a lost packet, and all
that the next has decoded meanwhile is there to go on with."""

ANEW_SECONDS = 4.0
"""For an answer to come through a queue that the picture keeps full (2.6 s as measured): TCP sends again what is dropped there,
ever later. A new request begins with a short wait again; what the one before it made at the server is ended.
"""

PRESSED = 3
"""Times; then what plays is left, so that the queue drains: a gap of a second, while the queue costs a twentieth of the sound."""

COMPARED_PIECES = 25
"""Of each one's sound, Opus packets: the earliest met no busy processor and waited for no other."""


class Handover:
    """Replaces `playing` by `coming`: call `start` once, and pass on what `coming`'s connection reports.

    Ends in exactly one of three ways: `on_done` is called (`coming` is ready to play), `on_failed` is called (its
    picture is not to be had or harms the sound), or the caller abandons it. All in the loop's thread.
    """

    def __init__(
        self,
        loop: Loop,
        playing: Reception,
        coming: Reception,
        on_done: Callable[[], None],
        on_failed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._playing = playing
        self.coming = coming
        self._on_done = on_done
        self._on_failed = on_failed
        self._trial = PictureTrial() if coming.with_picture else None
        self._late: deque[int] = deque(maxlen=COMPARED_PIECES)
        self._coming_late: deque[int] = deque(maxlen=COMPARED_PIECES)
        self._timer: Timer | None = None
        self._flooded: Timer | None = None
        self._pressed = 0
        self._over = False
        self.broken = False
        """Whether what plays was left: there is no way back to it."""

    def start(self) -> None:
        self.coming.start()
        self._playing.time_sound(self._on_sound)
        if not self._trial:
            self._playing.repair(False)
            self._flooded = self._loop.later(ANEW_SECONDS, self._press)

    def _press(self) -> None:
        """The next one has not come through. In the end the other is broken before it is made: its picture is what fills the
        queue.
        """
        self._pressed += 1
        if self._pressed == PRESSED:
            self.broken = True
            self._playing.leave()
        self.coming.hurry()
        self._flooded = self._loop.later(ANEW_SECONDS, self._press)

    def on_state(self, state: LinkState, text: str) -> None:
        """The connection of `coming` has reported this state, with a text if something is wrong."""
        if state == "flowing":
            self._stop_waiting()
            seconds = TRIAL_SECONDS if self._trial else PARALLEL_SECONDS
            self.coming.time_sound(self._coming_late.append)
            self._timer = self._loop.later(seconds, self._finish)
        elif text:
            self._on_trouble()

    def _on_trouble(self) -> None:
        """A server may have but one session for us, and a full link none but the one that fills it: that one
        is broken first, then. Sound that is well is never broken for a picture.
        """
        if self._trial:
            self._fail()
        else:
            self._finish()

    # --- in streaming threads

    def _on_sound(self, late_nanoseconds: int) -> None:
        self._late.append(late_nanoseconds)
        if self._trial and self._trial.harms(late_nanoseconds):
            self._loop.post(self._fail)

    # --- the end

    def _finish(self) -> None:
        if not self._over:
            self._stop()
            if self._late and self._coming_late and not self._trial:
                self.coming.bring_forward(min(self._late) - min(self._coming_late))
            self._on_done()

    def _fail(self) -> None:
        if not self._over:
            self._on_failed()

    def abandon(self) -> list[threading.Thread]:
        """Close `coming` and let the other one play on. Returns the threads to wait for, which say DELETE."""
        self._stop()
        if not self._trial:
            self._playing.repair(True)
        return self.coming.close()

    def _stop_waiting(self) -> None:
        if self._flooded:
            self._flooded.cancel()

    def _stop(self) -> None:
        self._over = True
        self._stop_waiting()
        self._playing.time_sound(None)
        self.coming.time_sound(None)
        if self._timer:
            self._timer.cancel()
