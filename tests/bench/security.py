"""What mutual TLS costs at rest, and what a signature costs a command."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt

from agent.enrolment.authority import Authority
from agent.hub.signature import Signer, make_key
from tests.bench.footprint import megabytes
from tests.bench.idle import SETTLE_SECONDS
from tests.bench.room import TOPIC_ROOT
from tests.bench.row import Row
from tests.support.broker import REPOSITORY, Broker, Hub
from tests.support.room import Room

ROUNDS = 100
LIMIT_PSS_MEGABYTES = 30.0
LIMIT_SIGNATURE_MILLISECONDS = 1.0
ANSWER_SECONDS = 10.0


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder:
        authority = Authority(Path(folder) / "authority")
        authority.create(TOPIC_ROOT)
        authority.enrol_hub(["127.0.0.1"])
        certificates = authority.enrol_room("bench-room", [])
        operator = authority.enrol_operator("bench")
        config = REPOSITORY / "config/hub/production.conf"
        with Broker(Path(folder) / "broker", config=config, files=authority.broker) as broker:
            room = Room("bench-room", "Bench", Path(folder) / "room")
            room.use_hub(broker.port, TOPIC_ROOT)
            room.settings["clock"] = {"trusted": True}
            room.settings["hub"] |= {
                "tls": {
                    "ca": str(certificates / "ca.pem"),
                    "certificate": str(certificates / "room.pem"),
                    "key": str(certificates / "room.key"),
                },
                "trusted_keys": str(Path(folder) / "trusted-keys"),
            }
            return _measured(room, broker.ports[8884], operator)


def _measured(room: Room, port: int, operator: Path) -> list[Row]:
    keys = Path(room.settings["hub"]["trusted_keys"])
    signer, public = make_key("bench", "Bench", ["*"], ["*"], ["*"])
    room.start()
    try:
        room.wait_online()
        time.sleep(SETTLE_SECONDS)
        at_rest = megabytes(room.pid, "Pss")
        keys.mkdir()
        (keys / "bench.json").write_bytes(msgspec.json.encode(public))
        unsigned, signed = _round_trips(room.id, port, operator, signer)
        with_signatures = megabytes(room.pid, "Pss")
    finally:
        room.stop()
    return [
        Row("daemon idle with TLS, PSS", at_rest, "MB", LIMIT_PSS_MEGABYTES),
        Row(
            "daemon that checked signatures, PSS", with_signatures, "MB", 1.5 * LIMIT_PSS_MEGABYTES
        ),
        Row("a signature adds", signed - unsigned, "ms", LIMIT_SIGNATURE_MILLISECONDS),
    ]


def _round_trips(room: str, port: int, operator: Path, signer: Signer) -> tuple[float, float]:
    """Milliseconds of unsigned and of signed pings, taking turns."""
    came = threading.Event()

    def prepare(client: mqtt.Client) -> None:
        names = [str(operator / name) for name in ("ca.pem", "operator.pem", "operator.key")]
        client.tls_set(*names)
        client.on_message = lambda _c, _u, message: (
            came.set() if b'"succeeded"' in message.payload else None
        )

    def time_one(hub: Hub, payload: bytes) -> float:
        came.clear()
        began = time.perf_counter()
        hub.client.publish(f"{TOPIC_ROOT}/room/{room}/cmd/ping", payload, qos=1)
        assert came.wait(ANSWER_SECONDS), "the room did not answer"
        return 1000 * (time.perf_counter() - began)

    unsigned, signed = [], []
    with Hub(port, [f"{TOPIC_ROOT}/room/{room}/ack/+"], prepare) as hub:
        for number in range(ROUNDS):
            unsigned.append(time_one(hub, msgspec.json.encode(_ping("u", room, number))))
            signed.append(
                time_one(hub, signer.sign(msgspec.json.encode(_ping("s", room, number))).encode())
            )
    return _undisturbed(unsigned), _undisturbed(signed)


def _undisturbed(milliseconds: list[float]) -> float:
    """The fastest tenth's slowest: what it takes when nobody else has the processor."""
    return statistics.quantiles(milliseconds, n=10)[0]


def _ping(series: str, room: str, number: int) -> dict[str, Any]:
    """The same fields, signed or not."""
    now = datetime.now(UTC)
    fields = {"id": f"{series}{number}", "type": "ping", "to": f"room/{room}"}
    return {**fields, "issued": now, "expires": now + timedelta(minutes=1)}
