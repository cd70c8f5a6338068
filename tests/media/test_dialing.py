"""Reaching a server: names without DNS, connection requests that get lost, several addresses."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from agent.media.webrtc.dialing import Address, Dialer, resolve
from tests.support.loopback import ADDRESS
from tests.support.waiting import wait_for

KERNEL_SECONDS = 3.5
"""Linux says SYN again after 1, 3 and 7 s: from here on, its next one is 3.5 s away."""


@contextlib.contextmanager
def listening(backlog: int = 5) -> Iterator[socket.socket]:
    with socket.create_server((ADDRESS, 0), backlog=backlog) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


class Resolver:
    """Knows every name as loopback, until it is told otherwise."""

    def __init__(self) -> None:
        self.answers = True
        self.hangs = threading.Event()
        self.hangs.set()

    def __call__(self, host: str, port: int) -> list[Address]:
        self.hangs.wait()
        if not self.answers:
            raise OSError("Temporary failure in name resolution")
        return [(socket.AF_INET, (ADDRESS, port))]


@pytest.mark.parametrize("hangs", [True, False])
def test_a_name_that_was_known_is_reached_without_dns(hangs: bool) -> None:
    resolver = Resolver()
    dialer = Dialer(resolver)
    with listening() as server:
        dialer.connect("media.example", port_of(server), 5).close()
        resolver.answers = False
        if hangs:
            resolver.hangs.clear()
        dialer.connect("media.example", port_of(server), 5).close()
        resolver.hangs.set()


@pytest.mark.parametrize("lookup_seconds", [0.0, 0.3])
def test_a_name_that_leads_elsewhere_is_followed(
    lookup_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where DNS always takes longer than is waited for while an older answer is known."""
    monkeypatch.setattr("agent.media.webrtc.dialing.LOOKUP_SECONDS", 0.1)
    leads_to = [ADDRESS]

    def resolver(host: str, port: int) -> list[Address]:
        time.sleep(lookup_seconds)
        return [(socket.AF_INET, (leads_to[0], port))]

    dialer = Dialer(resolver)
    with listening() as old, socket.create_server(("127.0.0.2", port_of(old))) as new:
        dialer.connect("media.example", port_of(old), 5).close()
        leads_to[0] = "127.0.0.2"

        def reached() -> str:
            with dialer.connect("media.example", port_of(new), 5) as connection:
                return str(connection.getpeername()[0])

        wait_for(lambda: reached() == "127.0.0.2", 5, "the new address")


def test_a_name_that_nobody_knows_is_told() -> None:
    resolver = Resolver()
    resolver.answers = False
    with pytest.raises(OSError, match="name resolution"):
        Dialer(resolver).connect("media.example", 80, 5)


def test_an_address_where_nobody_listens_does_not_hold_up_the_next() -> None:
    with listening() as gone:
        dead = port_of(gone)
    with listening() as server:
        both = [(socket.AF_INET, (ADDRESS, port)) for port in (dead, port_of(server))]
        with Dialer(lambda host, port: both).connect("media.example", 80, 5) as connection:
            assert connection.getpeername() == (ADDRESS, port_of(server))


def test_refused_everywhere_is_told_at_once() -> None:
    with listening() as gone:
        dead = port_of(gone)
    with pytest.raises(ConnectionRefusedError):
        Dialer().connect(ADDRESS, dead, 60)


def test_a_server_that_takes_connections_again_is_reached_before_the_kernel_would() -> None:
    with listening(backlog=0) as server, contextlib.ExitStack() as stack:
        filling = [stack.enter_context(socket.socket()) for _ in range(4)]
        for connection in filling:  # more than the queue takes: Linux drops what comes then
            connection.setblocking(False)
            connection.connect_ex((ADDRESS, port_of(server)))
        reached: list[float] = []

        def reach() -> None:
            Dialer().connect(ADDRESS, port_of(server), 20).close()
            reached.append(time.monotonic())

        thread = threading.Thread(target=reach, daemon=True)
        thread.start()
        thread.join(KERNEL_SECONDS)
        assert not reached
        taken = time.monotonic()
        threading.Thread(target=accept_all, args=(server,), daemon=True).start()
        wait_for(lambda: bool(reached), 10, "a connection")
        assert reached[0] - taken < KERNEL_SECONDS


def accept_all(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()


def test_names_are_looked_up_by_the_system() -> None:
    assert (socket.AF_INET, (ADDRESS, 80)) in resolve("localhost", 80)
    with pytest.raises(OSError, match="no host name"):
        resolve("a" * 70 + ".example", 80)


@pytest.mark.parametrize("known", [True, False])
def test_a_failed_attempt_holds_nothing_of_its_callers(known: bool) -> None:
    """An error leads to all that its callers hold, a whole session among it: a circle would keep that
    until Python's collector comes, which is minutes."""
    resolver = Resolver()
    resolver.answers = known
    dialer = Dialer(resolver)

    def attempt() -> weakref.ref[threading.Event]:
        held = threading.Event()
        with pytest.raises(OSError, match=r"refused|resolution"):
            dialer.connect("media.example", free_port(), 5)
        return weakref.ref(held)

    gc.disable()
    try:
        assert attempt()() is None
    finally:
        gc.enable()


def free_port() -> int:
    with listening() as server:
        return port_of(server)
