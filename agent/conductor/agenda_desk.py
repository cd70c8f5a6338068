"""The agendas that the hub retains, read and written by whoever has an operator's access: for `diemcau agenda`."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Self

import msgspec

from agent.conductor.settings import HubSettings
from agent.conductor.visit import Visit
from agent.core.model.agenda import MAX_AGENDA_BYTES, Agenda, encode_agenda
from agent.hub.messages import Incoming, Published
from agent.hub.signature import Signer, read_signer


class AgendaDesk:
    """A context manager; documents of all rooms and groups come in until it ends.

    All methods raise HubError when the hub can't be reached or refuses.
    """

    def __init__(self, settings: HubSettings, signing_key: Path | None = None) -> None:
        self._root = root = settings.hub.topic_root
        self._signer: Signer | None = None
        if signing_key is not None:
            self._signer = read_signer(signing_key)
        self._lock = threading.Lock()
        self._documents: dict[str, Agenda] = {}
        filters = [f"{root}/room/+/agenda", f"{root}/group/+/agenda"]
        self._visit = Visit(settings.hub, "agenda", filters, self._take)

    def __enter__(self) -> Self:
        self._visit.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._visit.__exit__()

    def documents(self) -> dict[str, Agenda]:
        """What is retained now, by address; what cannot be read is left out."""
        self._visit.wait_retained()
        with self._lock:
            return dict(self._documents)

    def publish(self, address: str, agenda: Agenda) -> None:
        """Retain it; returns when the broker has it."""
        payload = encode_agenda(agenda)
        if self._signer is not None:
            payload = self._signer.sign(payload).encode()
        message = Published(f"{self._root}/{address}/agenda", payload, retain=True)
        self._visit.publish(f"{address} {agenda.version}", message)

    def _take(self, incoming: Incoming) -> None:
        address = incoming.topic.removeprefix(f"{self._root}/").removesuffix("/agenda")
        agenda = _read(incoming.payload)
        with self._lock:
            if agenda is None:
                self._documents.pop(address, None)
            else:
                self._documents[address] = agenda


def _read(payload: bytes) -> Agenda | None:
    """The document, its signature aside: rooms check that, we only compare."""
    if not payload or len(payload) > 2 * MAX_AGENDA_BYTES:
        return None
    try:
        if payload.count(b".") == 2 and not payload.startswith(b"{"):
            part = payload.split(b".")[1]
            payload = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
        return msgspec.json.decode(payload, type=Agenda)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
