"""The room takes part: from the floor given to the first sample at an independent receiver, from a call to its chime.

The receiver is aiortc's, by WHEP from the media server; the room's microphone is a tone. What was said while the room did not have
the floor is counted too, by the room's own clock in its packets: what the way and the receiver still hold when the floor is taken is not.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.room import Room
from tests.support.sound_tap import FRAME_SECONDS, SoundTap
from tests.support.sounds import Sound
from tests.support.virtual_screen import VirtualScreen

ROUNDS = 10
QUIET_SECONDS = 2.0
SILENT_PERIODS = 25
"""Half a second: all that was sent while the room had the floor has been heard."""

LOUD = 1000
"""Of 32,767: the tone has 5,800 at its peak, comfort noise of a muted microphone less than 10."""

LIMIT_FLOOR_MILLISECONDS = 200.0
LIMIT_CALL_SECONDS = 1.0
DEADLINE_SECONDS = 20.0


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        MediaServer() as server,
        VirtualScreen() as screen,
        running_room(
            Path(folder), broker.port, _with_screen, os.environ | {"DISPLAY": screen.name}
        ) as room,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/#"]) as hub,
    ):
        desk = Desk(hub, room)
        called, lit = zip(*(desk.call(number) for number in range(ROUNDS)), strict=True)
        taken, heard = desk.floor(server)
    return [
        Row("floor given to first sample, median", statistics.median(taken) * 1000, "ms", None),
        Row(
            "floor given to first sample, worst", max(taken) * 1000, "ms", LIMIT_FLOOR_MILLISECONDS
        ),
        Row("samples said without the floor that left", heard, "", 0),
        Row("call to chime, median", statistics.median(called), "s", None),
        Row("call to chime, worst", max(called), "s", LIMIT_CALL_SECONDS),
        Row("call to lit display, worst", max(lit), "s", LIMIT_CALL_SECONDS),
    ]


def _with_screen(room: Room) -> None:
    """Its display is off in standby and needs no warm-up: a call begins with the media process's start."""
    room.devices["display"]["relay"]["warm_up_seconds"] = 0
    room.devices["display"]["output"] = {"driver": "window", "width": 640, "height": 360}


class Desk:
    """The hub's side of it."""

    def __init__(self, hub: Hub, room: Room) -> None:
        self._hub = hub
        self._room = room
        self._base = f"{TOPIC_ROOT}/room/{room.id}"

    def floor(self, server: MediaServer) -> tuple[list[float], int]:
        """Seconds to the first sample, each time; and how many loud ones were said without the floor."""
        whip = {"url": server.whip("floor")}
        self._do("join", "j", meeting={"id": "xin-noi"}, floor="request", publish=whip, play=[])
        times, without = [], [0.0]
        with SoundTap(server.whep("floor")) as receiver:
            receiver.wait_for_picture(DEADLINE_SECONDS)
            for number in range(ROUNDS):
                receiver.forget()
                _await(lambda: _ends_silent(receiver), "the end of what was under way")
                time.sleep(QUIET_SECONDS)
                receiver.forget()
                without += [time.time() - FRAME_SECONDS]
                began = time.monotonic()
                self._send("floor", f"g{number}", state="given")
                _await(lambda: loud(receiver) > 0, "the room's tone")
                times.append(time.monotonic() - began)
                self._do("floor", f"n{number}", state="none")
                without += [time.time()]
            _await(lambda: _ends_silent(receiver), "the end of what was under way")
            without += [time.time()]
        self._do("leave", "l")
        pairs = zip(without[::2], without[1::2], strict=True)
        return times, sum(receiver.loud(began, ended, LOUD) for began, ended in pairs)

    def call(self, number: int) -> tuple[float, float]:
        """Seconds until the loudspeaker sounds and until the display has power; then the call is ended."""
        sound, relay = self._room.speaker_recording, self._room.folder / "display.log"
        sound.unlink(missing_ok=True)
        _await(lambda: _last(relay) != "on", "the display off")
        began = time.monotonic()
        self._send("call", f"c{number}", meeting={"id": "bao"}, then="nothing", volume=90)
        lit = 0.0

        def rings() -> bool:
            nonlocal lit
            lit = lit or (time.monotonic() - began if _last(relay) == "on" else 0.0)
            return sound.exists() and any(sound.read_bytes()[44:])

        _await(rings, "the chime")
        rang = time.monotonic() - began
        self._do("leave", f"l{number}")
        return rang, lit or rang

    def _send(self, kind: str, command_id: str, **fields: object) -> None:
        text = json.dumps({"id": command_id, **fields})
        self._hub.client.publish(f"{self._base}/cmd/{kind}", text, qos=1)

    def _do(self, kind: str, command_id: str, **fields: object) -> None:
        """Raises AssertionError unless it comes true."""
        self._send(kind, command_id, **fields)
        final = self._hub.wait_for(
            f"{self._base}/ack/{command_id}",
            lambda ack: ack["state"] not in ("accepted", "running"),
            seconds=40,
        )
        assert final.document["state"] == "succeeded", final.document


def loud(receiver: SoundTap) -> int:
    """Samples since the last `forget` that are no silence."""
    return sum(map(_loud_of, receiver.heard))


def _loud_of(period: Sound) -> int:
    return int(np.count_nonzero(np.abs(period.astype(int)) > LOUD))


def _ends_silent(receiver: SoundTap) -> bool:
    latest = receiver.heard[-SILENT_PERIODS:]
    return len(latest) == SILENT_PERIODS and not sum(map(_loud_of, latest))


def _last(log: Path) -> str:
    return log.read_text().split()[-1] if log.exists() and log.read_text() else ""


def _await(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {DEADLINE_SECONDS:g} s")
        time.sleep(0.002)
