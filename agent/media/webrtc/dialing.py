"""TCP connections to a media server that was just restarted, or that lies behind a bad link.

The kernel waits ever longer before it says SYN again, and a resolver that lost its network holds its
caller for many seconds: so attempts are made side by side (as RFC 8305 does), and known addresses serve.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from functools import partial
from typing import Any

STAGGER_SECONDS = 1.0
"""Between attempts: a server that is back is reached this soon after its return."""

LOOKUP_SECONDS = 1.0
"""What DNS may take where an older answer is known."""

DEAD_SECONDS = 4
"""A peer whose kernel is silent for so long is dead, and a rebooted one says so within a second: a
request under way ends then, while a server that only thinks long keeps its time."""

SEGMENT_BYTES = 536
"""The most that the other end may put into a packet (RFC 9293, 3.7.1: what all take). An answer of a few kilobytes loses
nothing by that, and on a link whose queue is full a small packet finds room where a large one is dropped each time.
"""

Address = tuple[socket.AddressFamily, Any]
Resolve = Callable[[str, int], list[Address]]


def resolve(host: str, port: int) -> list[Address]:
    """Raises OSError when the name is not known, or nobody can be asked."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is no host name") from error
    return [(family, address) for family, _, _, _, address in found]


class ForbiddenAddress(OSError):
    """The name leads to addresses that it may not stand for, and to no other."""


class Dialer:
    """Remembers where names led to. May be used from any thread."""

    def __init__(self, resolve: Resolve = resolve) -> None:
        self._resolve = resolve
        self._known: dict[tuple[str, int], list[Address]] = {}
        self._lookups: dict[tuple[str, int], Future[list[Address]]] = {}
        self._lock = threading.Lock()

    def connect(
        self,
        host: str,
        port: int,
        seconds: float,
        *,
        permits: Callable[[str], bool] = lambda address: True,
    ) -> socket.socket:
        """A blocking socket without a timeout, to one of the name's addresses that are permitted.

        Raises OSError, of which TimeoutError and ForbiddenAddress are two.
        """
        deadline = time.monotonic() + seconds
        found = self._addresses(host, port, seconds)
        addresses = [one for one in found if permits(one[1][0])]
        if not addresses:
            raise ForbiddenAddress(
                errno.EACCES,
                f"its name leads to {found[0][1][0]}, which media.allowed_hosts does not permit",
            )
        with contextlib.closing(_Race(addresses)) as race:
            return race.run(deadline)

    def _addresses(self, host: str, port: int, seconds: float) -> list[Address]:
        known = self._known.get((host, port))
        lookup = self._lookup(host, port)
        futures.wait([lookup], LOOKUP_SECONDS if known else seconds)
        error = lookup.exception() if lookup.done() else TimeoutError("no answer from DNS")
        if error is None:
            known = lookup.result()
        elif not known:
            raise type(error)(*error.args)  # one of our own: the lookup's must not lead to us
        return known

    def _lookup(self, host: str, port: int) -> Future[list[Address]]:
        """One at a time for each name, in a thread of its own: it cannot be ended. What it finds after its caller's patience
        counts from the next call on: else a slow DNS would never be heard.
        """
        with self._lock:
            lookup = self._lookups.get((host, port))
            if lookup is None or lookup.done():
                lookup = self._lookups[host, port] = Future()
                work = partial(self._look_up, lookup, host, port)
                threading.Thread(target=work, name="lookup", daemon=True).start()
            return lookup

    def _look_up(self, lookup: Future[list[Address]], host: str, port: int) -> None:
        try:
            found = self._resolve(host, port)
        except OSError as error:
            lookup.set_exception(error)
            return
        self._known[host, port] = found
        lookup.set_result(found)


class _Race:
    """Attempts side by side; the first that is through wins."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = addresses
        self._started = 0
        self._running: list[socket.socket] = []
        self._error: OSError | None = None

    def run(self, deadline: float) -> socket.socket:
        """Raises what the last attempt failed with, once every address has failed."""
        next_start = time.monotonic()
        while (now := time.monotonic()) < deadline:
            if now >= next_start or not self._running:
                if self._started >= len(self._addresses) and not self._running:
                    break
                self._start()
                next_start = now + STAGGER_SECONDS
            if winner := self._wait(min(next_start, deadline) - now):
                return winner
        raise self._error or TimeoutError("timed out")

    def _start(self) -> None:
        family, address = self._addresses[self._started % len(self._addresses)]
        self._started += 1
        attempt = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        code = attempt.connect_ex(address)
        if code in (0, errno.EINPROGRESS):
            self._running.append(attempt)
        else:
            self._fail(attempt, code)

    def _wait(self, seconds: float) -> socket.socket | None:
        _, ready, _ = select.select([], self._running, [], max(0.0, seconds))
        for attempt in ready:
            self._running.remove(attempt)
            code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return _watched(attempt)
            self._fail(attempt, code)
        return None

    def _fail(self, attempt: socket.socket, code: int) -> None:
        attempt.close()
        self._error = OSError(code, os.strerror(code))

    def close(self) -> None:
        for attempt in self._running:
            attempt.close()
        # its traceback leads back here: a circle that would hold what our callers hold
        self._error = None


def _watched(connection: socket.socket) -> socket.socket:
    connection.setblocking(True)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, DEAD_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000)
    return connection
