"""How a device's feed tells the daemon about it: opened, changed, failed, closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec import structs

from agent.core.model.documents import DeviceStatus, Status
from agent.core.model.media import DeviceKind, DeviceReported, MediaReport
from agent.errors import AgentError, DeviceAbsent

STATUS_SECONDS = 1.0
RETRY_SECONDS = 3.0
"""Between two attempts to open a sound device that failed."""

Send = Callable[[MediaReport], None]
"""Puts one report on the line to the daemon; from any thread."""


class DeviceReporter:
    """Says what is new about one device, and nothing twice. Used by its feed's thread."""

    def __init__(self, kind: DeviceKind, required: bool, send: Send) -> None:
        self._kind = kind
        self._required = required
        self._send = send
        self._told: tuple[bool, Status, str] | None = None
        self._next_look = 0.0

    def due(self) -> bool:
        """Whether it is time to look at the device's status again."""
        return time.monotonic() >= self._next_look

    def keep_trying(self, use: Callable[[], None], closing: threading.Event) -> None:
        """Use the device until `closing`; one that fails is reported and tried again."""
        while not closing.is_set():
            try:
                use()
            except AgentError as error:
                self.failed(error)
                closing.wait(RETRY_SECONDS)

    def opened(self, status: DeviceStatus) -> None:
        """The device is open and does as `status` says."""
        self._next_look = time.monotonic() + STATUS_SECONDS
        self._tell(True, status)

    def failed(self, error: AgentError) -> None:
        """The device could not be opened or has gone; it is closed."""
        status = Status.ABSENT if isinstance(error, DeviceAbsent) else Status.FAILED
        self._tell(False, DeviceStatus(status, error.code, error.text, self._required))

    def closed(self) -> None:
        text = f"{self._kind.capitalize()}: closed"
        self._tell(False, DeviceStatus(Status.OK, "closed", text, self._required))

    def _tell(self, is_open: bool, status: DeviceStatus) -> None:
        news = (is_open, status.status, status.code)
        if news != self._told:
            self._told = news
            lasting = structs.replace(status, detail=status.detail.lasting())
            self._send(DeviceReported(self._kind, is_open, lasting))
