"""Devices that the technician's tool has while no meeting needs them: lamp on, and in the audit.

A loan ends when the tool gives it back or is gone; a meeting that begins does not wait for it.
"""

from __future__ import annotations

from agent.core.audit import DeviceAudit
from agent.core.devices.lamp import Lamp
from agent.core.model.clock import Now
from agent.core.model.events import DevicesBorrowed


class Borrowing:
    """Who has which devices now."""

    def __init__(self, lamp: Lamp, audit: DeviceAudit) -> None:
        self._lamp = lamp
        self._audit = audit
        self._loans: dict[str, DevicesBorrowed] = {}

    def lent(self, loan: str) -> bool:
        """Whether this loan was granted and is not given back."""
        return loan in self._loans

    def begin(self, wanted: DevicesBorrowed, now: Now) -> None:
        """The lamp goes on before anything is opened; the caller has seen to it that no meeting is on."""
        self._loans[wanted.loan] = wanted
        self._lamp.lent(True)
        for device in wanted.devices:
            self._audit.lent(device, wanted.sender, now)

    def end(self, loan: str, now: Now) -> None:
        """Given back; the lamp goes off unless a meeting or another loan wants it."""
        ended = self._loans.pop(loan, None)
        if ended is None:
            return
        for device in ended.devices:
            self._audit.given_back(device, ended.sender, now)
        if not self._loans:
            self._lamp.lent(False)
