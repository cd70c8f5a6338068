"""The promise behind all others, seen in the daemon's system calls: on disk first, then PUBACK."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.broker import Broker, Hub
from tests.support.room import Room

ROOT = "diemcau/test"
ROOM = f"{ROOT}/room/r1"
PUBACK = "@"
"""0x40: MQTT 5, 2.1.2."""


def steps(trace: Path) -> list[str]:
    """What the daemon did, in order: `command ID`, `disk` (a sync of the journal), `puback`."""
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        command = re.search(r"recv(?:from|msg)\(.*cmd/ping.*?\\?\"id\\?\": ?\\?\"(\w+)", line)
        if command:
            found.append(f"command {command.group(1)}")
        elif re.search(r"fdatasync(\(\d+<.*journal\.db-wal>\)| resumed).*= 0$", line):
            found.append("disk")
        elif re.search(rf'send(?:to|msg)\(\d+<TCP.*?>, "{PUBACK}', line):
            found.append("puback")
    return found


def test_a_command_is_on_disk_before_the_broker_gets_its_puback(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=fdatasync,fsync,sendto,recvfrom,sendmsg,recvmsg"
    # -D: the daemon stays our child and strace is beside it
    strace = ("strace", "-D", "-f", "-yy", "-s", "400", "-e", calls, "-o", str(trace))
    room = Room("r1", "Phòng thử", tmp_path / "room")
    with Broker(tmp_path / "hub") as broker:
        room.use_hub(broker.port, ROOT)
        room.start(prefix=strace)
        try:
            room.wait_online(30)
            with Hub(broker.port, [f"{ROOM}/ack/#"]) as hub:
                for command_id in ("first", "second"):
                    hub.send(f"{ROOM}/cmd/ping", {"id": command_id})
                    hub.wait_for(f"{ROOM}/ack/{command_id}", lambda ack: ack["seq"] == 3)
        finally:
            room.stop()
    seen = steps(trace)
    first = seen.index("command first")
    assert seen[first : first + 6] == [
        *("command first", "disk", "puback"),
        *("command second", "disk", "puback"),
    ], "one sync for a command and its result, before its PUBACK; none for what was sent"
