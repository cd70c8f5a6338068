"""A bad network between a room and the media server: loss, delay, a narrow link, a cut.

`python -m tests.support.impairment URL` stands in front of the server at URL: it passes its HTTP on and leads
each session's UDP through itself. Tests hold it as `BadNetwork`; nothing leaves loopback. HTTP takes its time here, and does
not stand in the queue of a narrow link: where that matters, `tests.support.line` is the link.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from tests.support.closing import Closing
from tests.support.loopback import ADDRESS
from tests.support.parent import die_with_parent

QUEUE_SECONDS = 0.3
"""What a narrow link keeps before it drops: RFC 8867's test cases have a queue of 300 ms that drops at its tail
and a delay of 50 ms each way. Its length is in bytes, as in Linux's tbf: a large packet fills it sooner.
"""

IN_ORDER_SECONDS = 1e-6
"""Between two packets at least: asyncio swaps what is due at the same time."""

SEED = 7

DEAD_END = f"a=candidate:1 1 udp 1 {ADDRESS} 9 typ host\r\n"
"""A candidate at which nobody is. With none at all, aioice before 0.13 (Debian 13) gives up before the
room's first packet has come.
"""


class Conditions(msgspec.Struct, frozen=True):
    """What happens to packets, each way. `loss` (0 to 1) is of RTP and RTCP only, so that setting up
    takes the same time with and without it; the rest is of everything.
    """

    loss: float = 0.0
    delay_seconds: float = 0.0
    bits_per_second: float | None = None
    stall_seconds: float = 0.0
    """Once a second, on the average, nothing comes for up to so long, and then all at once, as by radio."""
    cut: bool = False


class Direction:
    """One way of the link, which all sessions share."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._free_at = self._last = 0.0
        self._stalled_until = 0.0
        self._next_stall = 0.0

    def carry(self, packet: bytes, send: Callable[[bytes], None]) -> None:
        """Deliver it later, or never."""
        conditions, loop = self._network.conditions, asyncio.get_running_loop()
        media = 128 <= packet[0] < 192  # RFC 7983
        lost = media and self._network.random.random() < conditions.loss
        if conditions.cut or lost:
            return
        now = loop.time()
        leaves = now
        if conditions.bits_per_second:
            leaves = max(now, self._free_at) + len(packet) * 8 / conditions.bits_per_second
            if leaves - now > QUEUE_SECONDS:
                return
            self._free_at = leaves
        if conditions.stall_seconds:
            leaves = max(leaves, self._stalled(now, conditions.stall_seconds))
        self._last = max(leaves + conditions.delay_seconds, self._last + IN_ORDER_SECONDS)
        loop.call_at(self._last, send, packet)

    def _stalled(self, now: float, longest: float) -> float:
        """When the present stall, if there is one, ends."""
        if now >= self._next_stall:
            self._stalled_until = now + self._network.random.uniform(0, longest)
            self._next_stall = now + self._network.random.uniform(0, 2)
        return self._stalled_until


class Socket(asyncio.DatagramProtocol):
    """One end of a session's way; what comes in goes by `direction` to the `other` end."""

    transport: asyncio.DatagramTransport
    peer: Any = None
    other: Socket

    def __init__(self, direction: Direction) -> None:
        self._direction = direction

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, packet: bytes, address: Any) -> None:
        self.peer = address
        self._direction.carry(packet, self.other.send)

    def send(self, packet: bytes) -> None:
        if self.peer and not self.transport.is_closing():
            self.transport.sendto(packet, self.peer)


class Network:
    """Passes HTTP on to the server and rewrites the ICE candidates in the answers."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.conditions = Conditions()
        self.random = random.Random(SEED)
        self._up, self._down = Direction(self), Direction(self)

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [web.put("/conditions", self._set), web.route("*", "/{path:.*}", self._pass_on)]
        )
        return application

    async def _set(self, request: web.Request) -> web.Response:
        self.conditions = msgspec.json.decode(await request.read(), type=Conditions)
        return web.Response()

    async def _pass_on(self, request: web.Request) -> web.Response:
        if self.conditions.cut:
            await asyncio.sleep(3600)
        await asyncio.sleep(2 * self.conditions.delay_seconds)
        names = ("Content-Type", "Authorization")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        # without its candidates the server meets the room at this end of the way
        offer = re.sub(r"(a=candidate:[^\n]*\n)+", DEAD_END, await request.text())
        async with aiohttp.ClientSession() as http:
            url = f"{self._server}{request.path}"
            async with http.request(request.method, url, data=offer, headers=headers) as reply:
                text = await reply.text()
                passed = {n: v for n, v in reply.headers.items() if n in ("Location",)}
        for port in set(re.findall(rf" {re.escape(ADDRESS)} (\d+) typ host", text)):
            text = text.replace(f"{ADDRESS} {port} typ", f"{ADDRESS} {await self._way(port)} typ")
        return web.Response(
            status=reply.status, text=text, content_type=reply.content_type, headers=passed
        )

    async def _way(self, port: str) -> int:
        """A way to the server's UDP port; the port of its near end."""
        loop = asyncio.get_running_loop()
        near, far = Socket(self._up), Socket(self._down)
        for end in (near, far):
            await loop.create_datagram_endpoint(lambda end=end: end, local_addr=(ADDRESS, 0))
        far.peer = (ADDRESS, int(port))
        near.other, far.other = far, near
        number: int = near.transport.get_extra_info("sockname")[1]
        return number


class BadNetwork(Closing):
    """The network as a child process; a context manager. Good until `set` says otherwise."""

    def __init__(self, server: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.impairment", server],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://{ADDRESS}:{json.loads(self._process.stdout.readline())['port']}"

    def whip(self, name: str) -> str:
        return f"{self.url}/{name}/whip"

    def whep(self, name: str) -> str:
        return f"{self.url}/{name}/whep"

    def set(self, conditions: Conditions) -> None:
        """For all sessions, from now on."""
        body = msgspec.json.encode(conditions)
        request = urllib.request.Request(f"{self.url}/conditions", data=body, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(60)


async def serve(server: str) -> None:
    runner = web.AppRunner(Network(server).application(), handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, ADDRESS, 0, shutdown_timeout=0.1).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="URL of the media server, without a trailing slash")
    die_with_parent()
    asyncio.run(serve(parser.parse_args().server))


if __name__ == "__main__":
    main()
