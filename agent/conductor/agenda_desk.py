"""The agendas that the hub retains, read and written by whoever has an operator's access: for `diemcau agenda`."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import msgspec

from agent.conductor.settings import HubSettings
from agent.conductor.visit import Visit
from agent.core.model.addresses import EVERYBODY, addresses_of
from agent.core.model.agenda import MAX_AGENDA_BYTES, Agenda, encode_agenda
from agent.errors import AgentError
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
        self._known = {f"group/{EVERYBODY}"}
        """Addresses of rooms that the hub has a state of, and of their groups."""
        filters = [f"{root}/room/+/agenda", f"{root}/group/+/agenda", f"{root}/room/+/state"]
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

    def unknown(self, addresses: Iterable[str]) -> list[str]:
        """Those of them that no room has spoken from yet; `documents` was called before."""
        with self._lock:
            return [one for one in addresses if one not in self._known]

    def messages(self, documents: Mapping[str, Agenda]) -> list[Published]:
        """What `publish` is given for them, signed where there is a key.

        Raises AgentError with a line for each document that no room or not the hub would take.
        """
        messages, problems = [], []
        for address, agenda in documents.items():
            payload = encode_agenda(agenda)
            problem = _problem(payload)
            if self._signer is not None:
                payload = self._signer.sign(payload).encode()
            message = Published(f"{self._root}/{address}/agenda", payload, retain=True)
            if problem := problem or self._excess(message):
                problems.append(f"{message.topic}: {problem}")
            messages.append(message)
        if problems:
            problems.append("nothing was published for any room")
            raise AgentError("agenda-not-taken", "\n".join(problems))
        return messages

    def _excess(self, message: Published) -> str:
        """What is wrong with the size of what is sent, its signature included."""
        size, most = len(message.payload), self._visit.maximum_packet_bytes
        if size > MAX_AGENDA_BYTES:
            return (
                f"this agenda has {size} bytes, a room takes {MAX_AGENDA_BYTES}; "
                "shorten the titles, or plan fewer meetings for this address"
            )
        if most is not None and message.size > most:
            return (
                f"this agenda has {size} bytes, the hub takes {most}; "
                "raise max_packet_size in its mosquitto.conf to 327680"
            )
        return ""

    def publish(self, message: Published) -> None:
        """Retain it; returns when the broker has it."""
        self._visit.publish(message.topic, message)

    def _take(self, incoming: Incoming) -> None:
        address = incoming.topic.removeprefix(f"{self._root}/").removesuffix("/agenda")
        if address.endswith("/state"):
            self._take_state(address.removesuffix("/state"), incoming.payload)
            return
        agenda = _read(incoming.payload)
        with self._lock:
            if agenda is None:
                self._documents.pop(address, None)
            else:
                self._documents[address] = agenda

    def _take_state(self, address: str, payload: bytes) -> None:
        try:
            groups = msgspec.json.decode(payload, type=_Spoken).groups
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return
        with self._lock:
            self._known |= {*addresses_of(address.removeprefix("room/"), groups)}


def _problem(document: bytes) -> str:
    """Why a room would refuse the document, by the rules that rooms have: how many meetings, how far ahead."""
    try:
        msgspec.json.decode(document, type=Agenda)
    except msgspec.ValidationError as error:
        return f"no room would take this agenda: {error}"
    return ""


class _Spoken(msgspec.Struct):
    groups: list[str] = []


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
