"""Answers the control socket's questions: `status`, `health`, `snapshot` and `borrow`.

Runs on the loop thread, where the room's state may be read; commands don't come this way.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agent.core.model.clock import Now
from agent.core.model.documents import HealthDocument
from agent.core.model.events import DevicesBorrowed
from agent.core.model.media import SnapshotTaken, TakeSnapshot
from agent.core.room import Room
from agent.ports import MediaSupervisor
from agent.runtime.control import QueryReceived
from agent.runtime.performer import Performer

Reply = Callable[[bytes], None]


class Queries:
    """Reads the room for whoever asks locally."""

    def __init__(
        self, room: Room, performer: Performer, worker: MediaSupervisor, pictures: Path
    ) -> None:
        """Stills are written to the folder `pictures`, under names of ours: who asks says nowhere where to write."""
        self._pictures = pictures
        self._names = itertools.count(1)
        self._room = room
        self._performer = performer
        self._worker = worker
        self._numbers = itertools.count(1)
        self._snapshots: dict[str, Reply] = {}

    def answer(self, query: QueryReceived, now: Now) -> None:
        """One question; the answer goes to its `reply`, a snapshot's when it was taken."""
        kind = query.query.get("type")
        if kind == "status":
            query.reply(msgspec.json.encode(self._status(now)))
        elif kind == "health":
            query.reply(msgspec.json.encode(self._health(now)))
        elif kind == "agenda":
            items = self._room.agenda.items(now)
            query.reply(msgspec.json.encode({"type": "agenda", "items": items}))
        elif kind == "snapshot":
            self._snapshot(query)
        elif kind == "borrow":
            query.reply(self._borrowed(query))
        else:
            query.reply(_error("unknown-query", f"type: unknown query {str(kind)[:40]!r}"))

    def _status(self, now: Now) -> dict[str, Any]:
        room = self._room
        return {
            "type": "status",
            "state": room.state(now),
            "health": self._health(now),
            "link": {
                "up": room.link.up,
                "code": room.link.code,
                "text": room.link.text,
                "round_trip_milliseconds": room.health.round_trip_milliseconds,
            },
            "muted_by_hand": room.microphone.muted_by_hand,
            "speaker_volume": room.microphone.volume,
            "faults": list(self._performer.recent),
            "failed_join": self._performer.failed_join,
        }

    def _borrowed(self, query: QueryReceived) -> bytes:
        """Whether the core lent the devices: by now the lamp is lit and the audit knows."""
        wanted = query.before
        if not isinstance(wanted, DevicesBorrowed):
            return _error("bad-field", "borrow: devices is a list of camera, microphone, speaker")
        if not self._room.borrowing.lent(wanted.loan):
            return _error("in-meeting", "The room is in a meeting, which needs its devices")
        return msgspec.json.encode({"type": "borrow", "devices": wanted.devices})

    def _health(self, now: Now) -> HealthDocument | None:
        """As things stand, which may be newer than what was published; None before the first look."""
        board, lifecycle = self._room.health, self._room.lifecycle
        if board.latest is None:
            return None
        return board.document(lifecycle.phase, lifecycle.membership, now)

    def _snapshot(self, query: QueryReceived) -> None:
        source = query.query.get("source")
        if self._room.lifecycle.membership is None or not self._room.lifecycle.process.running:
            query.reply(_error("not-in-meeting", "A snapshot needs a meeting: nothing is open now"))
        elif source not in ("received", "sent"):
            query.reply(_error("bad-field", "snapshot: source is received or sent"))
        else:
            request = f"snapshot-{next(self._numbers)}"
            self._snapshots[request] = query.reply
            path = self._pictures / f"snapshot-{os.getpid()}-{next(self._names)}.png"
            self._worker.instruct(TakeSnapshot(request, source, str(path)))

    def snapshot_taken(self, report: SnapshotTaken) -> None:
        """The media process wrote the file, or says why not."""
        if reply := self._snapshots.pop(report.request, None):
            answer = {"type": "snapshot", "path": report.path, "error": report.error}
            reply(msgspec.json.encode(answer))

    def process_gone(self) -> None:
        """No media process, no picture."""
        for reply in self._snapshots.values():
            reply(_error("worker-failed", "The media process ended before the picture was taken"))
        self._snapshots.clear()


def _error(code: str, text: str) -> bytes:
    return msgspec.json.encode({"type": "error", "code": code, "text": text})
