"""From a name to a socket: one deadline for all its addresses, through a proxy where there is one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.model.events import CommandReceived, LinkChanged, RoundTripMeasured
from agent.errors import HubError
from agent.hub import dialing
from tests.hub.conftest import RunningLink, room_state
from tests.hub.test_link_faults import MakeLink
from tests.support.broker import Broker, Hub, free_port


@pytest.fixture
def full() -> Iterator[int]:
    """A port on which connections are neither taken nor refused: its queue is full."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def answers(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """The resolver gives these ports of this machine for whatever name."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(dialing.socket, "getaddrinfo", lambda *_, **__: found)


def test_dead_addresses_share_one_deadline(monkeypatch: pytest.MonkeyPatch, full: int) -> None:
    answers(monkeypatch, *[full] * 10)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        dialing.dial("hub.example", 1883, 1.5)
    assert time.monotonic() - began < 8, "one deadline of 1.5 s, not ten"


def test_a_living_address_behind_dead_ones_is_found(
    monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answers(monkeypatch, full, full, port)
        with dialing.dial("hub.example", 1883, 10) as sock:
            assert sock.getpeername()[1] == port
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_living_address_behind_many_dead_ones_is_found_before_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    """Thirty of them were begun within a connect timeout, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answers(monkeypatch, *[full] * 60, port)
        with dialing.dial("hub.example", 1883, 4) as sock:
            assert sock.getpeername()[1] == port


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    hung = threading.Event()
    monkeypatch.setattr(dialing.socket, "getaddrinfo", lambda *_, **__: hung.wait(30) and [])
    with pytest.raises(socket.gaierror):
        dialing.dial("hub.example", 1883, 0.3)
    hung.set()


class Proxy:
    """An HTTP proxy that knows CONNECT and answers with `status`."""

    def __init__(self, status: str = "200 OK") -> None:
        self._status = status
        self.asked: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://user:p%40ss@127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=[client], daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(4096)
        self.asked.append(request.decode())
        client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        if not self._status.startswith("200"):
            client.close()
            return
        host, port = request.split()[1].decode().rsplit(":", 1)
        hub = socket.create_connection((host, int(port)))
        threading.Thread(target=self._pump, args=[hub, client], daemon=True).start()
        self._pump(client, hub)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(4096):
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            one.close()

    def close(self) -> None:
        self._server.close()


def answers_a_ping(running: RunningLink, port: int, root: str) -> None:
    running.start()
    running.wait_for(RoundTripMeasured)
    with Hub(port, []) as hub:
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "through"})
        running.wait_for(CommandReceived, lambda event: event.command.id == "through")


def test_the_link_goes_through_a_proxy(broker: Broker, root: str, make_link: MakeLink) -> None:
    proxy = Proxy()
    answers_a_ping(make_link(broker.port, proxy=proxy.url), broker.port, root)
    assert proxy.asked[0].startswith(f"CONNECT 127.0.0.1:{broker.port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.asked[0]
    proxy.close()


def test_a_proxy_that_says_no_is_named() -> None:
    proxy = Proxy("407 Proxy Authentication Required")
    with pytest.raises(HubError, match=r"proxy.*407.*hub\.proxy") as caught:
        dialing.dial("hub.example", 8883, 5, proxy.url)
    assert caught.value.code == "proxy-refused"
    assert "p@ss" not in caught.value.text
    proxy.close()


def test_the_link_goes_by_websocket(tmp_path: Path, root: str, make_link: MakeLink) -> None:
    port = free_port()  # libwebsockets takes no address of its own to listen on
    with Broker(tmp_path / "broker", [f"listener {port}", "protocol websockets"]):
        running = make_link(port, transport="websockets", websocket_path="/mqtt")
        running.start()
        running.wait_for(RoundTripMeasured)


def test_a_port_that_is_no_websocket_is_named(broker: Broker, make_link: MakeLink) -> None:
    running = make_link(broker.port, transport="websockets", connect_timeout_seconds=2)
    running.link.start(room_state())
    gone = running.wait_for(LinkChanged, lambda event: not event.up)
    assert gone.code in {"websocket-refused", "hub-timeout"}
