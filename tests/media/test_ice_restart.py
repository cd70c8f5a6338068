"""ICE anew in a session: what is said, and when an answer means that it was done."""

from __future__ import annotations

import pytest

from agent.core.model.commands import Endpoint
from agent.core.model.hosts import AllowedHosts
from agent.media.webrtc import signaling
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.http import HttpClient
from agent.media.webrtc.ice_restart import (
    Credentials,
    Restarted,
    answered,
    asking,
    new_credentials,
)
from tests.support.http_stub import HttpStub, Reply
from tests.support.loopback import LOCAL_HOSTS

OFFER = """v=0\r
a=group:BUNDLE video0 audio1\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
a=mid:video0\r
a=ice-ufrag:old1\r
a=ice-pwd:oldoldoldoldoldoldoldold\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
a=mid:audio1\r
a=ice-ufrag:old1\r
a=ice-pwd:oldoldoldoldoldoldoldold\r
"""
HOST = "candidate:1 1 UDP 2015363327 192.0.2.10 40000 typ host"
ANSWER = "v=0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
NEW = f"a=ice-ufrag:289b31b7\r\na=ice-pwd:{'x' * 32}\r\na={HOST}\r\na=end-of-candidates\r\n"


def test_a_restart_is_asked_for_by_other_credentials_of_the_same_session() -> None:
    assert asking(OFFER, Credentials("new2", "p" * 32), [HOST]).splitlines() == [
        "a=group:BUNDLE video0 audio1",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:video0",
        "a=ice-ufrag:new2",
        f"a=ice-pwd:{'p' * 32}",
        f"a={HOST}",
    ]


def test_credentials_are_never_twice_the_same_and_long_enough() -> None:
    made = {new_credentials() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one.user) >= 4 and len(one.password) >= 22 for one in made)


def test_the_servers_new_fragment_is_read() -> None:
    assert answered(NEW, ANSWER) == Restarted(Credentials("289b31b7", "x" * 32), [HOST])


@pytest.mark.parametrize(
    "told",
    [
        "",
        ANSWER + f"a={HOST}\r\n",  # what it had before: MediaMTX would
        NEW.replace("289b31b7", "abc"),
        NEW.replace("x" * 32, "short"),
        NEW.replace("a=ice-pwd", "a=ice-pw"),
    ],
    ids=["nothing", "the same", "short user", "short password", "no password"],
)
def test_what_restarts_nothing_is_told(told: str) -> None:
    assert answered(told, ANSWER) is None


CLIENT = HttpClient(Dialer(), AllowedHosts((*LOCAL_HOSTS, "no-such-host.invalid")))
TYPE = {"Content-Type": signaling.FRAGMENT}


@pytest.mark.parametrize(
    ("reply", "restarts"),
    [
        (Reply(200, NEW, TYPE), True),
        (Reply(204), False),  # MediaMTX takes it for more candidates
        (Reply(405), False),
        (Reply(412), False),
        (Reply(200, "<html>", {"Content-Type": "text/html"}), False),
    ],
    ids=["restarted", "trickle", "no PATCH", "precondition", "page"],
)
def test_only_a_new_fragment_is_a_restart(reply: Reply, restarts: bool) -> None:
    with HttpStub(reply) as server:
        endpoint = Endpoint(f"{server.url}/whip", "t0ken")
        told = signaling.restart_ice(CLIENT, f"{server.url}/session/7", endpoint, "a=x")
        assert (told is not None) == restarts
        (asked,) = server.asked
        assert (asked.method, asked.path, asked.token) == ("PATCH", "/session/7", "Bearer t0ken")


def test_whether_a_server_is_reached() -> None:
    """By any word of it, or by its machine's that nobody listens."""
    with HttpStub(Reply(404)) as server:
        assert signaling.reaches(CLIENT, Endpoint(f"{server.url}/whip"))
    assert signaling.reaches(CLIENT, Endpoint(f"{server.url}/whip"))
    assert not signaling.reaches(CLIENT, Endpoint("http://no-such-host.invalid/whip"))
