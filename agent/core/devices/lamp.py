"""The on-air lamp: which of five things it says, so that the people in the room can tell them apart.

What is open lights it before it is opened; a blink to find the box and a ringing call go before the rest.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.model.deadlines import BlinkOver
from agent.core.model.effects import LampMode, SetDeadline, SetLamp


class Lamp:
    """Off while nothing is open; docs/contract.md has the table of its patterns."""

    def __init__(self, context: Context) -> None:
        self._do = context.do
        self._shown: LampMode = "off"
        self._open = self._live = self._hand = self._called = self._blinks = self._lent = False

    def opened(self, *, live: bool) -> None:
        """Something is about to be opened: said again even if it is lit, since a lamp may have failed."""
        self._open, self._live = True, live
        self._show(self._wanted, again=True)

    def closed(self) -> None:
        """Nothing is open any more."""
        self._open = self._live = self._hand = False
        self._show(self._wanted, again=True)

    def lent(self, lent: bool) -> None:
        """Whether the technician's tool has devices outside of a meeting."""
        self._lent = lent
        self._show(self._wanted, again=True)

    def going_live(self) -> None:
        """The room is about to be heard: the lamp says so first."""
        self._live = True
        self._show(self._wanted)

    def follow(self, *, live: bool, hand: bool, called: bool) -> None:
        """Whether the room may be heard, has its hand up, is called: as things stand now."""
        self._live, self._hand, self._called = live, hand, called
        self._show(self._wanted)

    def blink(self, seconds: float) -> None:
        """So that somebody finds the box."""
        self._blinks = True
        self._show(self._wanted, again=True)
        self._do(SetDeadline(BlinkOver(), seconds))

    def blinked(self) -> None:
        """Enough: it says again what is open."""
        self._blinks = False
        self._show(self._wanted)

    @property
    def _wanted(self) -> LampMode:
        if self._blinks:
            return "blink"
        if self._called:
            return "called"
        if not self._open:
            return "on" if self._lent else "off"
        if self._live:
            return "on"
        return "hand" if self._hand else "muted"

    def _show(self, mode: LampMode, *, again: bool = False) -> None:
        if again or mode != self._shown:
            self._shown = mode
            self._do(SetLamp(mode))
