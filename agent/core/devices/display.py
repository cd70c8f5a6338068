"""The display's power: on before a meeting's picture, held for a while after it."""

from __future__ import annotations

from agent.core.context import Context
from agent.core.model.deadlines import DisplayUnused, DisplayWarm
from agent.core.model.effects import (
    CancelDeadline,
    RememberDisplayKeptOn,
    SetDeadline,
    SwitchDisplay,
)


class DisplayPower:
    """What the relay is and shall be. Without a relay the display counts as on and ready."""

    def __init__(self, context: Context) -> None:
        self._profile = profile = context.profile
        self._do = context.do
        self.on = not profile.has_relay
        self.ready = not profile.has_relay
        self._ordered: bool | None = None
        """What the relay was told last and has not answered yet."""
        self._kept_on = False
        """The hub ordered it on: until it orders it off, or a meeting is over."""

    def restore(self, on: bool, kept_on: bool) -> None:
        """The relay's state when the daemon started, and the order of before, which a power cut ends:
        a display that was on is warm."""
        if self._profile.has_relay:
            self.on = self.ready = on
            self._kept_on = kept_on
            self._keep_on(kept_on and on)

    def keep_on(self) -> None:
        """On, also if it is: else it would go off after the hold time."""
        self._keep_on(True)
        self.want_on()

    def want_on(self) -> None:
        """Switch on now, unless it is."""
        if self._profile.has_relay:
            self._do(CancelDeadline(DisplayUnused()))
            self._order(True)

    def want_off(self) -> None:
        """Switch off now, unless it is."""
        self._keep_on(False)
        if self._profile.has_relay:
            self._do(CancelDeadline(DisplayUnused()))
            self._order(False)

    def _keep_on(self, wanted: bool) -> None:
        if wanted != self._kept_on:
            self._kept_on = wanted
            self._do(RememberDisplayKeptOn(wanted))

    def _order(self, on: bool) -> None:
        if on != self.heading:
            self.ready = self.ready and not on
            self._ordered = on
            self._do(SwitchDisplay(on))

    @property
    def heading(self) -> bool:
        """What it will be once the relay has answered."""
        return self.on if self._ordered is None else self._ordered

    def rest(self) -> None:
        """The daemon started and the room is in no meeting: only the hub's order keeps it on."""
        if not self._kept_on:
            self.release()

    def release(self) -> None:
        """The meeting is over: off after the hold time."""
        self._keep_on(False)
        if self._profile.has_relay and self.heading:
            self._do(SetDeadline(DisplayUnused(), self._profile.display_hold_seconds))

    def switched(self, on: bool, error: str) -> None:
        """The relay answered. One that won't switch keeps nobody waiting: the meeting goes on."""
        if on == self._ordered:
            self._ordered = None
        if error:
            self.ready = True
            return
        self.on = on
        if not on:
            self.ready = False
            self._do(CancelDeadline(DisplayWarm()))
        elif self._profile.display_warm_up_seconds > 0:
            self._do(SetDeadline(DisplayWarm(), self._profile.display_warm_up_seconds))
        else:
            self.ready = True

    def warmed_up(self) -> None:
        """The warm-up deadline has passed."""
        self.ready = self.on
