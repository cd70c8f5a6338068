"""Who had the camera and the microphone opened, and why they were closed: events that are kept.

The journal keeps them for whoever has to show that no meeting means no open device.
"""

from __future__ import annotations

from collections.abc import Set

from msgspec import structs

from agent.core.context import Context
from agent.core.model.clock import Now
from agent.core.model.commands import Command
from agent.core.model.documents import EventDetail, EventDocument

WATCHED = ("camera", "microphone")
"""What can see or hear."""

OPENED = "device-opened"
CLOSED = "device-closed"
DEVICE_EDGES = (OPENED, CLOSED)
PICTURE_TAKEN = "picture-taken"
WRONG_PEER = "wrong-peer"
"""Somebody answered in the media server's place and got nothing."""

AUDITED = (*DEVICE_EDGES, PICTURE_TAKEN, WRONG_PEER)
"""What the journal keeps apart, so that a flood of other events doesn't wash it away."""

Cause = tuple[Command | None, str]
"""Which command has a device opened or closed, and a word on it for people."""


class DeviceAudit:
    """Turns the set of open devices into an event an edge."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._open: set[str] = set()

    def restore(self, left_open: Set[str], now: Now) -> None:
        """What the agent before us had open was closed with its process."""
        self._open = set(left_open)
        ended = None, "the agent's process ended"
        self.observe(set(), ended, ended, now)

    def observe(self, open_devices: Set[str], opening: Cause, closing: Cause, now: Now) -> None:
        """These are open now; `opening` and `closing` are the causes of what changed."""
        for device in WATCHED:
            is_open, was_open = device in open_devices, device in self._open
            if is_open and not was_open:
                command, why = opening
                self._tell(OPENED, device, command, f"{device.capitalize()}: open: {why}", now)
            elif was_open and not is_open:
                command, why = closing
                self._tell(CLOSED, device, command, f"{device.capitalize()}: closed: {why}", now)
        self._open = set(open_devices)

    def wrong_peer(self, text: str, command: Command, now: Now) -> None:
        """Media would have gone to somebody who is not the media server; `text` says where."""
        detail = _of(command)
        self._context.tell(WRONG_PEER, WRONG_PEER, text, now, detail=detail)

    def lent(self, device: str, sender: str, now: Now) -> None:
        """The technician's tool opens this device."""
        self._note(OPENED, device, sender, f"{device.capitalize()}: open: tried out by hand", now)

    def given_back(self, device: str, sender: str, now: Now) -> None:
        """The technician's tool has closed it."""
        self._note(CLOSED, device, sender, f"{device.capitalize()}: closed: given back", now)

    def picture_taken(self, source: str, sender: str, now: Now) -> None:
        """A still of what the room sends or receives."""
        self._note(PICTURE_TAKEN, "camera", sender, f"A still of the picture {source}", now)

    def _note(self, kind: str, device: str, sender: str, text: str, now: Now) -> None:
        """What somebody local did by a query, which is no command."""
        if device in WATCHED:
            detail = EventDetail(device=device, asked_by=sender)
            flaps = f"{device} for {sender}"
            self._context.tell(kind, "ok", text, now, detail=detail, flaps=flaps)

    def _tell(self, kind: str, device: str, command: Command | None, text: str, now: Now) -> None:
        detail = structs.replace(_of(command) if command else EventDetail(), device=device)
        about = f"{device} for {command.id if command else ''}"
        self._context.tell(kind, "ok", text, now, detail=detail, flaps=about)


def _of(command: Command) -> EventDetail:
    return EventDetail(command=command.id, type=command.type, asked_by=asked_by(command))


def asked_by(command: Command) -> str:
    """The sender if it is known (a key, a local user), else by which way the command came."""
    return command.sender or str(command.origin)


def left_open(newest_first: list[EventDocument]) -> frozenset[str]:
    """The devices that these events left open."""
    last: dict[str, str] = {}
    for event in newest_first:
        if event.type in DEVICE_EDGES:
            last.setdefault(event.detail.device or "", event.type)
    return frozenset(device for device, kind in last.items() if kind == OPENED)
