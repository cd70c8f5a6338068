"""A line between two networks of a test's own, with a delay each way, that can be narrow: all that passes crosses one
queue each way, the kernel's own TCP as well as UDP.

`python -m tests.support.line PID PID` is the line itself: a tun(4) interface in each namespace, and conditions by
standard input. Tests hold it as `Line`.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import random
import struct
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from tests.support.closing import Closing
from tests.support.impairment import SEED, Conditions, Direction
from tests.support.media_server import Place
from tests.support.namespaces import Namespace
from tests.support.parent import die_with_parent

NEAR, FAR = "192.0.2.10", "203.0.113.5"
NAME = "line"
MOST_BYTES = 1500
TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x1, 0x1000, 0x40000000
"""linux/if_tun.h, sched.h."""


class Line(Closing):
    """A context manager: `near` is the room's end at NEAR, `far` the server's at FAR."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            self.near, self.far = (stack.enter_context(Namespace()) for _ in range(2))
            command = [sys.executable, "-m", "tests.support.line"]
            self._process = subprocess.Popen(
                [*command, str(self.near.pid), str(self.far.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(self._end)
            assert self._process.stdout
            if self._process.stdout.readline() != b"up\n":
                raise OSError("no line can be made here: /dev/net/tun is missing or closed to us")
            for end, ours, theirs in ((self.near, NEAR, FAR), (self.far, FAR, NEAR)):
                end.ip(f"address add {ours}/32 dev {NAME}", f"link set {NAME} up")
                end.ip(f"route add {theirs}/32 dev {NAME}")
            self.place = Place(FAR, self.far.within)
            self._stack = stack.pop_all()

    def set(self, conditions: Conditions) -> None:
        """For both ways, from now on."""
        assert self._process.stdin
        self._process.stdin.write(msgspec.json.encode(conditions) + b"\n")
        self._process.stdin.flush()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait(60)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def close(self) -> None:
        self._stack.close()


class Wire:
    """The line in its own process; Direction reads `conditions` and `random`."""

    def __init__(self, ends: list[int]) -> None:
        self.conditions = Conditions()
        self.random = random.Random(SEED)
        loop = asyncio.get_running_loop()
        for end, other in (ends, reversed(ends)):
            loop.add_reader(end, self._carry, Direction(self), end, other)
        loop.add_reader(sys.stdin.fileno(), self._listen)

    def _carry(self, direction: Direction, end: int, other: int) -> None:
        with suppress(BlockingIOError):
            while packet := os.read(end, MOST_BYTES + 100):
                direction.carry(packet, lambda one: deliver(other, one))

    def _listen(self) -> None:
        line = sys.stdin.buffer.readline()
        if not line:
            raise SystemExit
        self.conditions = msgspec.json.decode(line, type=Conditions)


def deliver(end: int, packet: bytes) -> None:
    with suppress(OSError):  # the interface is down yet, or its queue is full
        os.write(end, packet)


def make_end(pid: int) -> int:
    """A tun(4) interface in this process's network; its file descriptor."""
    with Path(f"/proc/{pid}/ns/net").open() as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", NAME.encode(), IFF_TUN | IFF_NO_PI))
    return end


async def carry(pids: list[int]) -> None:
    wire = Wire([make_end(pid) for pid in pids])
    print("up", flush=True)
    await asyncio.Event().wait()
    del wire


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(carry([int(word) for word in sys.argv[1:]]))
