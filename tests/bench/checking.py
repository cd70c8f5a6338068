"""The check by command: fifteen planted faults, one after the other, and the healthy room; is each found, and how soon?"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.room import Room

LONG = True
FAULTS = (
    ("camera", "unplugged", "camera-absent"),
    ("camera", "stalled", "camera-stalled"),
    ("camera", "black", "camera-black"),
    ("camera", "frozen", "camera-frozen"),
    ("camera", "busy", "camera-busy"),
    ("microphone", "unplugged", "microphone-absent"),
    ("microphone", "stalled", "microphone-stalled"),
    ("microphone", "dead", "microphone-dead"),
    ("microphone", "quiet", "microphone-too-quiet"),
    ("microphone", "clipping", "microphone-clipping"),
    ("speaker", "unplugged", "speaker-absent"),
    ("speaker", "dead", "speaker-silent"),
    ("display", "unplugged", "display-absent"),
    ("display", "stuck", "display-stuck"),
    ("media server", "ended", "media-server-unreachable"),
)
"""What is broken, how, and the finding that says it."""

MILD = ("microphone-too-quiet", "microphone-clipping")
"""A meeting is possible all the same."""

LIMIT_SECONDS = 20.0
ANSWER_SECONDS = 90.0


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as name,
        Broker(Path(name) / "broker") as broker,
        MediaServer() as server,
        running_room(Path(name), broker.port, partial(_hears_itself, server)) as room,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/ack/+"]) as hub,
    ):
        well, times, found, judged = _check(hub, room, "well"), [], 0, 0
        times.append(well[1])
        for number, (what, fault, code) in enumerate(FAULTS):
            planted = room.folder / what
            if fault == "ended":
                server.kill()
            else:
                planted.write_text(fault)
            detail, seconds = _check(hub, room, f"k{number}")
            planted.unlink(missing_ok=True)
            times.append(seconds)
            found += code in [one["code"] for one in detail["findings"]]
            judged += detail["verdict"] == ("go" if code in MILD else "no-go")
    return [
        Row("check, a healthy room is go", well[0]["verdict"] == "go", "", 1, at_least=True),
        Row("check, planted faults found", found, "of 15", len(FAULTS), at_least=True),
        Row("check, their verdict is right", judged, "of 15", len(FAULTS), at_least=True),
        Row("check, the slowest", max(times), "s", LIMIT_SECONDS),
    ]


def _hears_itself(server: MediaServer, room: Room) -> None:
    """The room's microphone hears its loudspeaker, as in any room."""
    del room.devices["speaker"]["record"]
    room.devices["simulation"]["echo"] = True
    room.settings["media"] |= {
        "publish_url": f"{server.url}/{{meeting}}-{{room}}/whip",
        "play_urls": [],
    }


def _check(hub: Hub, room: Room, command_id: str) -> tuple[dict[str, Any], float]:
    """The ack's detail, and how long it took."""
    base = f"{TOPIC_ROOT}/room/{room.id}"
    began = time.monotonic()
    hub.send(f"{base}/cmd/check", {"id": command_id})
    final = hub.wait_for(
        f"{base}/ack/{command_id}",
        lambda ack: ack["state"] not in ("accepted", "running"),
        seconds=ANSWER_SECONDS,
    )
    assert final.document["state"] == "succeeded", final.document
    return final.document["detail"], time.monotonic() - began
