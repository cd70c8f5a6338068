"""The network changes in a meeting: the room is back from its new address at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agent.media.loop import Loop
from agent.media.webrtc import way
from agent.media.webrtc.jitter_buffers import JitterBuffers
from agent.media.webrtc.link import MediaLink
from agent.media.webrtc.received_rtcp import ReceivedRtcp
from agent.media.webrtc.route import Route
from agent.media.webrtc.way import Way, destinations
from tests.support.waiting import wait_for

SERVER, SIXTH = "198.51.100.7", "2001:db8::7"
"""Nobody's (RFC 5737, RFC 3849)."""

CANDIDATE = "a=candidate:1 {n} udp 2113929471 {address} 8189 typ host\r\n"


def answer(*addresses: str) -> str:
    lines = (CANDIDATE.format(n=n, address=one) for one in addresses for n in (1, 2))
    return "v=0\r\n" + "".join(lines)


def test_where_media_go_is_read_from_the_answer() -> None:
    told = answer(SERVER, "fe80::1", "host.local", SIXTH, SERVER)
    assert destinations(told) == [SERVER, SIXTH]
    assert destinations("v=0\r\n") == []


SCRIPT = f"""
import subprocess
from agent.media.webrtc.route import Route
from agent.media.webrtc.way import Way

def ip(words):
    subprocess.run(["ip", *words.split()], check=True)

ip("link add cable type veth peer name cable-far")
ip("link add phone type veth peer name phone-far")
for name in ("cable", "cable-far", "phone", "phone-far"):
    ip(f"link set {{name}} up")
ip("address add 192.0.2.10/28 dev cable")
ip("address add 192.0.2.100/28 dev phone")
ip("route add default via 192.0.2.1 dev cable metric 10")
way = Way({answer(SERVER)!r})
assert way.change() is None
ip("route add default via 192.0.2.97 dev phone metric 20")
assert way.change() is None, "the cable still leads there"
ip("route replace default via 192.0.2.2 dev cable metric 10")
assert not way.change().lost, "another router is a hint"
assert "198.51.100.7 is reached by 192.0.2.2" in way.change().text
ip("route replace default via 192.0.2.1 dev cable metric 10")
assert way.change() is None
ip("link set cable down")
assert not way.change().lost, "ICE has its own ways while the address is there"
assert "by 192.0.2.97" in way.change().text
ip("address delete 192.0.2.10/28 dev cable")
assert way.change().lost
assert "from 192.0.2.100, no more from 192.0.2.10" in way.change().text
way = Way({answer(SERVER)!r})
ip("route delete default via 192.0.2.97 dev phone metric 20")
assert way.change() is None, "no network is no new one"
ip("route add default via 192.0.2.97 dev phone metric 20")
assert "was away" in way.change().text
assert not way.change().lost
way = Way({answer(SERVER)!r})
ip("route delete default via 192.0.2.97 dev phone metric 20")
ip("address delete 192.0.2.100/28 dev phone")
ip("address add 192.0.2.101/28 dev phone")
ip("route add default via 192.0.2.97 dev phone")
assert "from 192.0.2.101, no more from 192.0.2.100" in way.change().text

ip("address add 2001:db8:1::10/64 dev phone nodad")
ip("-6 route add default dev phone")
way = Way({answer(SIXTH)!r})
ip("address change 2001:db8:1::10/64 dev phone preferred_lft 0 nodad")
ip("address add 2001:db8:1::11/64 dev phone nodad")
assert way.change() is None, "one that is not preferred any more still serves"
ip("address delete 2001:db8:1::10/64 dev phone")
assert "from 2001:db8:1::11" in way.change().text
assert way.change().lost
print("done")
"""


def test_a_change_of_the_network_is_seen_in_a_namespace_of_its_own() -> None:
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "-Urn"]
    done = subprocess.run(
        [*unshare, sys.executable, "-c", SCRIPT],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "done\n", done.stderr


class Session:
    """What a link sees of a session that flows."""

    def __init__(self, on_connected: Any) -> None:
        self.answered = answer(SERVER)
        self.jitter_buffers: JitterBuffers = JitterBuffers()
        self.rtcp: Any = ReceivedRtcp()
        self.start = on_connected
        self.closed = False
        self.reaches: Callable[[], bool] = lambda: False
        self.asked = self.restarted = 0
        self.takes_restart = False

    def listens_at(self, address: str) -> bool:
        return self.takes_restart

    def restart_ice(self, on_done: Callable[[bool], None]) -> None:
        self.restarted += 1
        on_done(self.takes_restart)

    def ask_server(self, on_said: Callable[[bool], None]) -> None:
        self.asked += 1
        on_said(self.reaches())

    def close(self) -> threading.Thread:
        self.closed = True
        thread = threading.Thread(target=lambda: None)
        thread.start()
        return thread


class Counted(ReceivedRtcp):
    """Packets come with each look while the event is set."""

    def __init__(self, arrives: threading.Event) -> None:
        self.looks = self._count = 0
        self.byes, self._arrives = 0, arrives

    @property
    def packets(self) -> int:
        self.looks += 1
        self._count += self._arrives.is_set()
        return self._count

    @packets.setter
    def packets(self, _: int) -> None: ...


class Buffered(JitterBuffers):
    """The same of RTP."""

    def __init__(self, arrives: threading.Event) -> None:
        super().__init__()
        self._counted = Counted(arrives)

    def packets_received(self) -> int:
        return self._counted.packets


class Linked:
    """A link whose sessions flow from the beginning; `arrives`: its packets come while that is set."""

    def __init__(self, *, receives: bool, arrives: threading.Event | None = None) -> None:
        self.made: list[Session] = []
        self.said: list[tuple[str, str]] = []
        self._arrives = arrives
        self._loop = Loop()
        self._link = MediaLink(self._loop, self._make, self._hear, receives=receives)
        self._thread = threading.Thread(target=self._loop.run)

    def _make(self, events: Any, counter: Any) -> Any:
        self.made.append(Session(events.on_connected))
        if self._arrives:
            self.made[-1].rtcp = Counted(self._arrives)
            self.made[-1].jitter_buffers = Buffered(self._arrives)
        return self.made[-1]

    def _hear(self, state: str, text: str) -> None:
        self.said.append((state, text))

    @property
    def stalls(self) -> list[str]:
        return [text for state, text in self.said if state == "stalled"]

    def __enter__(self) -> Linked:
        self._loop.post(self._link.start)
        self._loop.post(self._link.mark_flowing)
        self._thread.start()
        wait_for(lambda: self._link.flowing, 5, "a session that flows")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.post(self._link.close)
        self._loop.post(self._loop.stop)
        self._thread.join(60)


@pytest.mark.parametrize("receives", [True, False])
def test_a_link_asks_again_at_once_and_says_why(
    monkeypatch: pytest.MonkeyPatch, receives: bool
) -> None:
    here = SimpleNamespace(address="192.0.2.10")
    monkeypatch.setattr(way, "route_to", lambda destination: Route(here.address, "", 1))
    with Linked(receives=receives) as link:
        here.address = "192.0.2.100"
        wait_for(lambda: len(link.made) == 2, 3, "a session from the new address")
        assert link.made[0].closed
        assert link.stalls == [
            f"the network has changed: {SERVER} is reached from 192.0.2.100, no more "
            "from 192.0.2.10"
        ]


def test_another_gateway_ends_a_session_only_when_nothing_comes_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = SimpleNamespace(gateway="192.0.2.1")
    monkeypatch.setattr(way, "route_to", lambda destination: Route("192.0.2.10", here.gateway, 1))
    monkeypatch.setattr(way, "is_own", lambda address: True)
    arrives = threading.Event()
    arrives.set()
    with Linked(receives=False, arrives=arrives) as link:
        here.gateway = "192.0.2.254"
        wait_for(lambda: link.made[0].rtcp.looks > 12, 20, "three seconds in which it goes on")
        assert len(link.made) == 1
        arrives.clear()
        wait_for(lambda: len(link.made) == 2, 20, "another session")
        (text,) = link.stalls
        assert text.startswith(
            f"the network has changed: {SERVER} is reached by 192.0.2.254; nothing"
        )


@pytest.mark.parametrize("receives", [True, False])
def test_a_silence_of_which_the_network_says_nothing(
    monkeypatch: pytest.MonkeyPatch, receives: bool
) -> None:
    """A NAT has forgotten us. As long as the server cannot be asked either, the network stalls as a whole."""
    monkeypatch.setattr(way, "route_to", lambda destination: Route("192.0.2.10", "192.0.2.1", 1))
    arrives, open_way = threading.Event(), threading.Event()
    arrives.set()
    with Linked(receives=receives, arrives=arrives) as link:
        link.made[0].reaches = open_way.is_set
        wait_for(lambda: link.made[0].rtcp.looks > 12, 20, "a peer that is never silent")
        arrives.clear()
        wait_for(lambda: link.made[0].asked > 2, 20, "that the server is asked")
        assert len(link.made) == 1
        open_way.set()
        wait_for(lambda: len(link.made) == 2, 20, "another session")
        (text,) = link.stalls
        assert "the way to the server is open" in text


@pytest.mark.parametrize("comes_again", [True, False])
def test_ice_is_restarted_where_the_server_takes_it_and_a_session_made_where_that_brings_nothing(
    monkeypatch: pytest.MonkeyPatch, comes_again: bool
) -> None:
    here = SimpleNamespace(address="192.0.2.10")
    monkeypatch.setattr(way, "route_to", lambda destination: Route(here.address, "", 1))
    arrives = threading.Event()
    arrives.set()
    with Linked(receives=True, arrives=arrives) as link:
        link.made[0].takes_restart = True
        if not comes_again:
            arrives.clear()
        here.address = "192.0.2.100"
        wait_for(lambda: link.made[0].restarted, 3, "a restart")
        looks = link.made[0].rtcp.looks
        if comes_again:
            wait_for(lambda: link.made[0].rtcp.looks > looks + 12, 20, "three seconds")
            assert (len(link.made), link.made[0].restarted, link.stalls) == (1, 1, [])
        else:
            wait_for(lambda: len(link.made) == 2, 5, "another session")
            assert link.made[0].closed


def test_no_way_is_kept_of_an_answer_without_addresses() -> None:
    assert Way("v=0\r\n").change() is None
