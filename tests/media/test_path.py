"""The way of a session's media as webrtcbin tells it, in the shapes of GStreamer 1.22 and later."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from agent.core.model.figures import Path, Transport
from agent.media.webrtc.candidate_names import with_addresses
from agent.media.webrtc.ice import IceServers, parse
from agent.media.webrtc.names import Names
from agent.media.webrtc.path import read
from tests.support.waiting import wait_for

URL = "https://media.example/x/whip"
HOST = {
    "candidate-type": "host",
    "protocol": "udp",
    "address": "192.0.2.10",
    "port": 40000,
    "priority": 2015364095,
    "url": "",
}
FAR = {"candidate-type": "host", "protocol": "udp", "address": "203.0.113.5", "port": 8189}
RELAY = HOST | {"candidate-type": "relay", "address": "198.51.100.9", "url": "198.51.100.7"}
BY_UDP, BY_TCP = 505414655, 337642495
"""Priorities of relays as libnice 0.1.21 gives them."""


def statistics(local: dict[str, Any], remote: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The types are swapped in 1.22, so `read` is given none."""
    return {
        "ice-candidate-local_1": local,
        "ice-candidate-remote_1": remote,
        "ice-candidate-remote_2": FAR | {"address": "203.0.113.66"},
        "ice-candidate-pair_1": {
            "local-candidate-id": "ice-candidate-local_1",
            "remote-candidate-id": "ice-candidate-remote_1",
        },
        "transport-stats_1": {"selected-candidate-pair-id": "ice-candidate-pair_1"},
    }


def relay_at(address: str, transport: Transport) -> tuple[str, Transport]:
    return f"turn of {address}", transport


def test_a_direct_way_has_both_ends_and_no_relay() -> None:
    assert read(statistics(HOST, FAR), relay_at) == Path(
        transport="udp",
        local="host",
        remote="host",
        local_address="192.0.2.10:40000",
        remote_address="203.0.113.5:8189",
        local_family="ipv4",
        remote_family="ipv4",
    )


@pytest.mark.parametrize("protocol", ["tcp", "TCP"])
def test_tcp_and_ipv6_are_told(protocol: str) -> None:
    six = {"address": "2001:db8::5", "protocol": protocol}
    path = read(statistics(HOST | six, FAR | six | {"candidate-type": "prflx"}), relay_at)
    assert path is not None
    assert (path.transport, path.local_family, path.remote) == ("tcp", "ipv6", "prflx")
    assert path.remote_address == "[2001:db8::5]:8189"


@pytest.mark.parametrize(("priority", "transport"), [(BY_UDP, "udp"), (BY_TCP, "tcp")])
@pytest.mark.parametrize(
    "url", ["198.51.100.7", "turn:198.51.100.7:3478?transport=udp", "198.51.100.7:3478"]
)
def test_a_relay_is_told_with_how_it_is_reached(priority: int, transport: str, url: str) -> None:
    path = read(statistics(RELAY | {"priority": priority, "url": url}, FAR), relay_at)
    assert path is not None
    assert (path.relay, path.transport) == ("turn of 198.51.100.7", transport)


def test_a_relay_at_an_ipv6_address() -> None:
    for url in ("2001:db8::7", "[2001:db8::7]:3478", "turn:[2001:db8::7]:3478?transport=udp"):
        path = read(statistics(RELAY | {"url": url, "priority": BY_UDP}, FAR), relay_at)
        assert path is not None
        assert path.relay == "turn of 2001:db8::7"


@pytest.mark.parametrize("missing", ["transport-stats_1", "ice-candidate-pair_1"])
def test_nothing_is_said_before_a_pair_is_selected(missing: str) -> None:
    told = statistics(HOST, FAR)
    told[missing] = {}
    assert read(told, relay_at) is None


def test_words_that_nobody_knows_are_left_out() -> None:
    path = read(
        statistics(HOST | {"candidate-type": "moon", "address": "mine.local"}, FAR), relay_at
    )
    assert path is not None
    assert (path.local, path.local_family) == (None, None)


# --- names


def test_a_candidate_by_name_is_tried_at_its_addresses() -> None:
    line = "a=candidate:1 1 udp 2130706431 {} 10000 typ host generation 0\r\n"
    others = line.format("203.0.113.5") + line.format("a1b2.local") + line.format("gone.example")
    answer = "v=0\r\n" + line.format("turn.example") + others + "a=end-of-candidates\r\n"
    tried = with_addresses(answer, Names(resolve))
    both = line.format("198.51.100.7") + line.format("2001:db8::7")
    assert tried == "v=0\r\n" + both + others + "a=end-of-candidates\r\n"


def resolve(host: str, port: int) -> list[Any]:
    if host == "turn.example":
        return [(socket.AF_INET, ("198.51.100.7", 0)), (socket.AF_INET6, ("2001:db8::7", 0))]
    raise OSError("unknown")


class Webrtc:
    """Takes what webrtcbin is given."""

    def __init__(self) -> None:
        self.stun = ""
        self.turn: list[str] = []

    def set_property(self, name: str, value: str) -> None:
        assert name == "stun-server"
        self.stun = value

    def emit(self, name: str, value: str) -> None:
        assert name == "add-turn-server"
        self.turn.append(value)


def test_a_named_server_is_given_by_its_addresses_and_known_again_by_its_name() -> None:
    """libnice takes no names: a `turn:` server by name was never reached."""
    found = IceServers(
        [parse("stun:turn.example"), parse("turn:a@turn.example:80", "b"), parse("turn:x@gone")],
        Names(resolve),
    )
    webrtc = Webrtc()
    wait_for(lambda: found.give_to(webrtc, URL) or webrtc.turn, 5, "the name's addresses")
    assert set(webrtc.turn) == {
        "turn://a:b@198.51.100.7:80?transport=udp",
        "turn://a:b@[2001:db8::7]:80?transport=udp",
    }
    assert webrtc.stun.startswith("stun://")
    assert found.relay_at("198.51.100.7", "udp") == ("turn.example:80", "udp")
    assert found.relay_at("192.0.2.99", "tcp") == ("192.0.2.99", "tcp")


def test_a_name_that_leads_elsewhere_is_followed() -> None:
    places = ["192.0.2.1", "192.0.2.2"]
    names = Names(lambda host, port: [(socket.AF_INET, (places.pop(0), 0))], fresh_seconds=0.0)
    names.ask("turn.example")
    assert names.addresses("turn.example", 5) == ("192.0.2.1",)
    names.ask("turn.example")
    wait_for(lambda: names.addresses("turn.example") == ("192.0.2.2",), 5, "the new address")
