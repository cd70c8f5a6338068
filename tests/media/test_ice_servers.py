"""STUN and TURN servers of the settings and of `Link` headers, and candidates that are told late."""

from __future__ import annotations

import random
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.core.model.hosts import AllowedHosts
from agent.errors import MediaError
from agent.media.loop import Loop
from agent.media.webrtc.ice import IceServer, IceServers, parse, permitted, servers
from agent.media.webrtc.links import ice_servers
from agent.media.webrtc.names import Names
from agent.media.webrtc.trickle import Trickle, fragment
from tests.support.waiting import wait_for

# --- named by the server (RFC 9725, 4.6)

STUN = '<stun:stun.example.net>; rel="ice-server"'
TURN = (
    '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="u,s;e\\"r"; '
    'credential="my pass"; credential-type="password"'
)


def test_servers_are_read_from_one_header_or_several() -> None:
    expected = [
        IceServer("stun", "stun.example.net", 3478),
        IceServer("turn", "turn.example.net", 3478, "udp", 'u,s;e"r', "my pass"),
    ]
    assert ice_servers([STUN, TURN]) == expected
    assert ice_servers([f"</next>; rel=next, {STUN} , {TURN}"]) == expected
    assert ice_servers([f"{TURN.upper()}"]) == []  # values are what they are, and so is the scheme


@pytest.mark.parametrize(
    "header",
    [
        "",
        "turn:x",
        '<turn:turn.example>; rel="ice-server"',
        '<turn:turn.example>; rel="ice-server"; username="a"',
        '<turn:turn.example>; rel="ice-servers"; username="a"; credential="b"',
        '<https://turn.example>; rel="ice-server"',
        f"{TURN.replace('password', 'oauth')}",
        "<turn:" + "x" * 5000 + '>; rel="ice-server"; username="a"; credential="b"',
    ],
)
def test_what_is_no_such_link_is_passed_over(header: str) -> None:
    assert ice_servers([header]) == []


def test_no_header_ever_hurts_and_few_servers_are_taken() -> None:
    dice = random.Random(20)
    for _ in range(2000):
        text = list(f"{STUN}, {TURN}")
        for _ in range(dice.randrange(1, 9)):
            text[dice.randrange(len(text))] = chr(dice.choice([34, 44, 59, 60, 62, 92, 255]))
        ice_servers(["".join(text)])
    many = [f'<stun:s{n}.example>; rel="ice-server"' for n in range(99)]
    assert len(ice_servers(many)) == 8


def test_a_quote_that_never_ends_takes_no_time() -> None:
    ice_servers(['<stun:x>; a="' + "\\" * 50_000])
    ice_servers(["<x>" + ";a=b " * 20_000 + '"'])


def test_what_a_server_names_counts_for_its_own_sessions() -> None:
    known = IceServers([])
    named = [parse("turn:a@turn.example", "b")]
    assert known.learn("https://u:p@media.example/a/whip", named) == named
    assert known.learn("https://media.example/b/whep", named) == []
    assert known.relays("https://media.example/c/whep") == 1
    assert known.relays("https://other.example/c/whep") == 0
    renewed = [named[0]._replace(credential="c")]
    assert known.learn("https://media.example/a/whip", renewed) == renewed


# --- a password for each

URLS = ["stun:stun.example", "turn:a@one.example:3478", "turns:b@two.example:443"]


def passwords(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "turn"
    file.write_text(text, "utf-8")
    return [server.credential for server in servers(URLS, str(file))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("một mật khẩu\n", ["", "một mật khẩu", "một mật khẩu"]),
        ("\ufeffword", ["", "word", "word"]),
        ("a@one.example:3478 first\nb@two.example:443 second\n", ["", "first", "second"]),
        ("a@one.example first one\n\nthe rest\n", ["", "first one", "the rest"]),
    ],
)
def test_one_password_for_all_or_a_line_for_each(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert passwords(tmp_path, text) == expected


def test_a_line_that_fits_no_server_is_refused_without_its_words(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="2 lines") as caught:
        passwords(tmp_path, "b@two.example s3cret\na@one.exmaple s3cret\n")
    assert "s3cret" not in caught.value.text


# --- told late

OFFER = (
    "v=0\r\na=group:BUNDLE video0 audio1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:uuuu\r\n"
    "a=ice-pwd:pppp\r\na=mid:video0\r\na=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:uuuu\r\na=ice-pwd:pppp\r\na=mid:audio1\r\n"
)
HOST = "candidate:1 1 UDP 1 192.0.2.1 9 typ host"
RELAY = "candidate:4 1 UDP 505414655 198.51.100.9 52528 typ relay raddr 192.0.2.1 rport 39352"


def test_a_fragment_is_of_the_first_section_alone() -> None:
    assert fragment(OFFER, [RELAY]).split("\r\n") == [
        "a=group:BUNDLE video0 audio1",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=ice-ufrag:uuuu",
        "a=ice-pwd:pppp",
        "a=mid:video0",
        f"a={RELAY}",
        "",
    ]


@pytest.mark.parametrize("taken", [True, False])
def test_only_what_the_offer_had_not_is_told_until_the_server_wants_no_more(taken: bool) -> None:
    loop, told = Loop(), []
    thread = threading.Thread(target=loop.run)
    thread.start()

    def tell(sdp: str) -> bool:
        told.append(sdp)
        return taken

    trickle = Trickle(loop)
    try:
        trickle.add(HOST)
        trickle.add(RELAY)
        trickle.begin(OFFER, tell)
        trickle.add("")
        wait_for(lambda: told, 5, "the relay's candidate")
        assert told == [fragment(OFFER, [RELAY])]
        trickle.add(RELAY.replace("52528", "52529"))
        if taken:
            wait_for(lambda: len(told) == 2, 5, "the next one")
        else:
            loop.post(lambda: loop.later(0.3, loop.stop))
            thread.join(5)
            assert len(told) == 1
    finally:
        trickle.stop()
        loop.post(loop.stop)
        thread.join(5)


@pytest.mark.parametrize(
    ("hosts", "url", "taken"),
    [
        (
            ("media.example",),
            "https://media.example/whip",
            ["inside", "127.0.0.1", "outside", "lost"],
        ),
        (("*",), "https://stranger.example/whip", ["outside"]),
        (("*", "media.example"), "https://stranger.example/whip", ["outside"]),
    ],
)
def test_a_stranger_does_not_have_the_room_knock_inside(
    hosts: tuple[str, ...], url: str, taken: list[str]
) -> None:
    leads = {"inside": "10.0.0.7", "outside": "198.35.26.96"}

    def resolve(host: str, port: int) -> list[Any]:
        if host not in leads:
            raise OSError("no such name")
        return [(socket.AF_INET, (leads[host], port))]

    named = [
        IceServer("turn", host, 22, "tcp", "u", "p")
        for host in ("inside", "127.0.0.1", "outside", "lost", "::ffff:127.0.0.1")
    ]
    asked = permitted(named, url, AllowedHosts(hosts), Names(resolve))
    assert [one.host for one in asked if one.host != "::ffff:127.0.0.1"] == taken
    assert (named[-1] in asked) is ("inside" in taken)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_what_is_no_port_is_no_server(port: str) -> None:
    assert ice_servers([f'<stun:stun.example:{port}>; rel="ice-server"']) == []
