"""Answers the control socket's questions: `status`, `health`, `snapshot` and `borrow`.

Runs on the loop thread, where the room's state may be read; commands don't come this way.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from agent.core.model.clock import Now
from agent.core.model.commands import Code
from agent.core.model.documents import HealthDocument
from agent.core.model.events import DevicesBorrowed
from agent.core.model.local_queries import (
    AgendaAnswer,
    AgendaQuery,
    BorrowAnswer,
    BorrowQuery,
    HealthQuery,
    SnapshotAnswer,
    SnapshotQuery,
    StatusQuery,
)
from agent.core.model.media import SnapshotTaken, TakeSnapshot
from agent.core.model.room_status import HubLinkStatus, RoomStatus
from agent.core.room import Room
from agent.ports import MediaSupervisor
from agent.runtime.control import QueryReceived
from agent.runtime.line_server import error_document
from agent.runtime.performer import Performer

Reply = Callable[[bytes], None]

BY_HAND = "The people in the room have switched off the {devices}: their button, or five minutes, give it back"


class Queries:
    """Reads the room for whoever asks locally."""

    def __init__(
        self, room: Room, performer: Performer, supervisor: MediaSupervisor, pictures: Path
    ) -> None:
        """Stills are written to the folder `pictures`, under names of ours: who asks says nowhere where to write."""
        self._pictures = pictures
        self._names = itertools.count(1)
        self._room = room
        self._performer = performer
        self._supervisor = supervisor
        self._numbers = itertools.count(1)
        self._snapshots: dict[str, Reply] = {}

    def answer(self, query: QueryReceived, now: Now) -> None:
        """One question; the answer goes to its `reply`, a snapshot's when it was taken."""
        match query.query:
            case StatusQuery():
                query.reply(msgspec.json.encode(self._status(now)))
            case HealthQuery():
                query.reply(msgspec.json.encode(self._health(now)))
            case AgendaQuery():
                agenda = self._room.agenda
                answer = AgendaAnswer(agenda.items(now), agenda.standings(now))
                query.reply(msgspec.json.encode(answer))
            case SnapshotQuery(source):
                self._snapshot(source, query.reply)
            case BorrowQuery():
                query.reply(self._borrowed(query))

    def _status(self, now: Now) -> RoomStatus:
        room = self._room
        link = HubLinkStatus(
            up=room.link.up,
            code=room.link.code,
            text=room.link.text,
            round_trip_milliseconds=room.health.round_trip_milliseconds,
        )
        return RoomStatus(
            state=room.state(now),
            health=self._health(now),
            link=link,
            muted_by_hand=room.microphone.muted_by_hand,
            speaker_volume=room.microphone.volume,
            faults=list(self._performer.recent),
            failed_join=self._performer.failed_join,
        )

    def _borrowed(self, query: QueryReceived) -> bytes:
        """Whether the core lent the devices: by now the lamp is lit and the audit knows."""
        wanted = query.before
        assert isinstance(wanted, DevicesBorrowed), "the control server says so to every such query"
        if not self._room.borrowing.lent(wanted.loan):
            if self._room.may_lend and (by_hand := self._room.by_hand(wanted.devices)):
                return error_document("by-hand", BY_HAND.format(devices=" and ".join(by_hand)))
            return error_document(
                Code.IN_MEETING, "The room is in a meeting, which needs its devices"
            )
        return msgspec.json.encode(BorrowAnswer(list(wanted.devices)))

    def _health(self, now: Now) -> HealthDocument | None:
        """As things stand, which may be newer than what was published; None before the first look."""
        board, lifecycle = self._room.health, self._room.lifecycle
        if board.latest is None:
            return None
        return board.document(lifecycle.phase, lifecycle.membership, now)

    def _snapshot(self, source: Literal["received", "sent"], reply: Reply) -> None:
        if self._room.lifecycle.membership is None or not self._room.lifecycle.process.running:
            reply(
                error_document("not-in-meeting", "A snapshot needs a meeting: nothing is open now")
            )
        else:
            request = f"snapshot-{next(self._numbers)}"
            self._snapshots[request] = reply
            path = self._pictures / f"snapshot-{os.getpid()}-{next(self._names)}.png"
            self._supervisor.instruct(TakeSnapshot(request, source, str(path)))

    def snapshot_taken(self, report: SnapshotTaken) -> None:
        """The media process wrote the file, or says why not."""
        if reply := self._snapshots.pop(report.request, None):
            reply(msgspec.json.encode(SnapshotAnswer(report.path, report.error)))

    def process_gone(self) -> None:
        """No media process, no picture."""
        for reply in self._snapshots.values():
            reply(
                error_document(
                    Code.MEDIA_PROCESS_FAILED,
                    "The media process ended before the picture was taken",
                )
            )
        self._snapshots.clear()
