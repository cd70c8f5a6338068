"""The agendas that the hub retains, read and written by whoever has an operator's access: for `diemcau agenda`.

A context manager that keeps one connection to the broker; documents of all rooms and groups come in while it lasts.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec
from msgspec import structs

from agent.conductor.settings import HubSettings
from agent.core.model.agenda import MAX_AGENDA_BYTES, Agenda, encode_agenda
from agent.errors import HubError
from agent.hub.connection import MqttConnection, Refused
from agent.hub.limits import Attempt
from agent.hub.messages import Incoming, Published
from agent.hub.signature import Signer, read_signer

QUIET_SECONDS = 0.5
"""After the last retained document for so long, all are here."""

WAIT_SECONDS = 20.0


class AgendaDesk:
    """From `with` on. All methods raise HubError when the hub can't be reached or refuses."""

    def __init__(self, settings: HubSettings, signing_key: Path | None = None) -> None:
        self._root = settings.hub.topic_root
        self._signer: Signer | None = None
        if signing_key is not None:
            self._signer = read_signer(signing_key)
        self._lock = threading.Lock()
        self._documents: dict[str, Agenda] = {}
        self._outgoing: list[tuple[str, Published]] = []
        self._delivered: set[str] = set()
        self._heard_at: float | None = None
        self._error: HubError | None = None
        self._closing = threading.Event()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, daemon=True)
        client = f"{self._root.replace('/', '.')}.agenda-{secrets.token_hex(4)}"
        hub = structs.replace(settings.hub, session_expiry_seconds=0)
        self._connection = MqttConnection(
            hub, client, None, self, Attempt(1, clean_start=True), self._wake
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(2)

    def documents(self) -> dict[str, Agenda]:
        """What is retained now, by address; what cannot be read is left out."""
        self._wait(
            lambda: self._heard_at is not None and time.monotonic() - self._heard_at > QUIET_SECONDS
        )
        with self._lock:
            return dict(self._documents)

    def publish(self, address: str, agenda: Agenda) -> None:
        """Retain it; returns when the broker has it."""
        payload = encode_agenda(agenda)
        if self._signer is not None:
            payload = self._signer.sign(msgspec.to_builtins(agenda)).encode()
        with self._lock:
            message = Published(f"{self._root}/{address}/agenda", payload, retain=True)
            self._outgoing.append((address, message))
        os.eventfd_write(self._wake, 1)
        self._wait(lambda: address in self._delivered)

    def _wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if self._error is not None:
                raise self._error
            if condition():
                return
            time.sleep(0.02)
        raise HubError("hub-timeout", "the hub did not answer")

    # --- the connection's own thread -------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._connection.open()
            while not self._closing.is_set():
                with self._lock:
                    waiting, self._outgoing = self._outgoing, []
                for key, message in waiting:
                    self._connection.publish(message, key)
                self._connection.turn(0.1)
            self._connection.disconnect()
        except HubError as error:
            self._error = error
        finally:
            self._connection.close()
            os.close(self._wake)

    def on_connected(self) -> None:
        self._connection.watch([f"{self._root}/room/+/agenda", f"{self._root}/group/+/agenda"])

    def on_subscribed(self, refused: list[str]) -> None:
        if refused:
            raise HubError("subscription-refused", f"the hub refuses us {', '.join(refused)}")
        self._heard_at = time.monotonic()

    def on_message(self, incoming: Incoming) -> None:
        address = incoming.topic.removeprefix(f"{self._root}/").removesuffix("/agenda")
        agenda = _read(incoming.payload)
        with self._lock:
            if agenda is None:
                self._documents.pop(address, None)
            else:
                self._documents[address] = agenda
        if incoming.retained:
            self._heard_at = time.monotonic()
        if incoming.delivery is not None:
            self._connection.acknowledge(incoming.delivery)

    def on_delivered(self, key: str) -> None:
        self._delivered.add(key)

    def on_refused(self, refused: Refused) -> None:
        self._error = HubError(
            "publish-refused",
            f"{refused.text}: is this an operator's certificate?",
        )


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
