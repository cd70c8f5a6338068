"""Media by way of a TURN server, where there is no other: by UDP, TCP and TLS with a good certificate."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import socket
import threading
from collections.abc import Iterator

import pytest

from agent.core.model.commands import Endpoint
from agent.core.model.figures import Path
from agent.core.model.hosts import AllowedHosts
from agent.core.model.media import Measured, UplinkReported
from agent.errors import MediaError
from agent.media.gst import GstWebRTC
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.webrtc.ice import (
    LONG_PATIENCE_SECONDS,
    IceServer,
    IceServers,
    no_way,
    parse,
    servers,
)
from agent.media.webrtc.network import Network
from agent.media.webrtc.session import Events, MediaSession
from agent.media.webrtc.tunnel import TlsTunnel
from agent.settings import Media
from tests.media.rooms import flowing, plan, room
from tests.support.falsifying import FalsifyingProxy
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.session_network import make_network
from tests.support.tcp_peer import TcpPeer
from tests.support.turn import PASSWORD, USER, TurnServer
from tests.support.waiting import wait_for

URL = "https://media.example/x/whip"
SOUND = """webrtcbin name=webrtc bundle-policy=max-bundle
 audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! webrtc."""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("stun:stun.example", IceServer("stun", "stun.example", 3478)),
        ("turn:a@turn.example:80?transport=tcp", IceServer("turn", "turn.example", 80, "tcp", "a")),
        (
            "turns:phòng họp@[2001:db8::1]:443",
            IceServer("turns", "2001:db8::1", 443, "tcp", "phòng họp"),
        ),
        ("turns:turn.example", IceServer("turns", "turn.example", 5349, "tcp")),
    ],
)
def test_urls_of_the_settings_are_read(url: str, expected: IceServer) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize("url", ["http://x", "turn:", "turn:a:b:c", "turns:x:443?transport=sctp"])
def test_what_is_no_such_url_is_refused(url: str) -> None:
    with pytest.raises(MediaError, match=r"media\.ice_servers"):
        parse(url)


def test_a_password_that_cannot_be_read_is_said(tmp_path: pathlib.Path) -> None:
    with pytest.raises(MediaError, match="ice_credential_file"):
        servers(["turn:x"], str(tmp_path / "none"))


def test_an_offer_waits_for_relays_only_once_there_was_no_way_without() -> None:
    assert IceServers([]).patience_seconds(URL) == 0
    found = IceServers([parse("turn:x")])
    assert found.patience_seconds(URL) <= 0.25
    found.no_way_without()
    assert found.patience_seconds(URL) >= 3


CANDIDATE = "a=candidate:{n} 1 {kind} 2113929471 {address} {port} typ host\r\n"


def test_where_media_were_tried_is_named() -> None:
    answer = "v=0\r\n" + CANDIDATE.format(n=1, kind="udp", address="203.0.113.5", port=8189)
    alone = no_way(answer * 2, 0)
    assert alone.count("UDP 8189 at 203.0.113.5") == 1
    assert "a relay is not set up (media.ice_servers)" in alone
    many = "".join(CANDIDATE.format(n=n, kind="TCP", address="::1", port=n) for n in range(1, 9))
    assert "TCP 1 at ::1, TCP 2 at ::1, TCP 3 at ::1 and 5 more; nor did 2 relay" in no_way(many, 2)
    assert "names no address" in no_way("v=0\r\n", 0)


# --- with coturn


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    assert shutil.which("turnserver"), "coturn is missing; run ./scripts/setup"
    with TurnServer(tmp_path_factory.mktemp("turn")) as server:
        yield server


class Attempt:
    """One session that may go by relays alone; `outcome` waits for what became of it."""

    def __init__(self, url: str, network: Network) -> None:
        self._over = threading.Event()
        self._error: MediaError | None = None
        self._loop = Loop()
        self._thread = threading.Thread(target=self._loop.run)
        self._thread.start()
        pipeline = Pipeline(SharedClock(), SOUND, print)
        webrtc = pipeline["webrtc"]
        webrtc.set_property("ice-transport-policy", GstWebRTC.WebRTCICETransportPolicy.RELAY)
        transceiver = webrtc.emit("get-transceiver", 0)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        events = Events(self._over.set, self._fail)
        self._session = MediaSession(self._loop, pipeline, Endpoint(url), network, events)
        self._loop.post(self._session.start)

    def _fail(self, error: MediaError) -> None:
        self._error = error
        self._over.set()

    def outcome(self) -> MediaError | None:
        assert self._over.wait(30)
        return self._error

    def path(self) -> Path | None:
        return self._session.path()

    def close(self) -> None:
        self._session.close().join(15)
        self._loop.post(self._loop.stop)
        self._thread.join(10)


def network_of(server: IceServer) -> Network:
    network = make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS)), [server])
    network.ice.no_way_without()
    return network


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
def test_media_go_by_a_relay(
    media_server: MediaServer, turn: TurnServer, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.certificate))
    kind, port = ("turns", turn.tls_port) if way == "tls" else ("turn", turn.port)
    transport = "udp" if way == "udp" else "tcp"
    name = "localhost" if way == "tcp" else ADDRESS
    server = IceServer(kind, name, port, transport, USER, PASSWORD)
    attempt = Attempt(media_server.whip(f"relayed-{way}"), network_of(server))
    try:
        assert attempt.outcome() is None
        wait_for(
            lambda: any(s["packets"]["audio"] for s in media_server.sessions(f"relayed-{way}")),
            10,
            "sound through the relay",
        )
        path = wait_for(attempt.path, 10, "the way that they take")
        assert (path.relay, path.transport, path.local) == (f"{name}:{port}", way, "relay")
    finally:
        attempt.close()


def link(turn: TurnServer) -> str:
    """As a server of RFC 9725 writes it."""
    return (
        f'<turn:{ADDRESS}:{turn.port}?transport=tcp>; rel="ice-server"; username="{USER}"; '
        f'credential="{PASSWORD}"; credential-type="password"'
    )


@pytest.mark.parametrize("status", [204, 405])
def test_a_relay_that_the_answer_names_is_used_at_once_and_told(
    media_server: MediaServer, turn: TurnServer, status: int
) -> None:
    with FalsifyingProxy(media_server.url, patch_status=status) as proxy:
        proxy.headers = (("Link", link(turn).encode().decode("latin-1")), ("ETag", '"ice-1"'))
        network = make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS)))
        attempt = Attempt(f"{proxy.url}/named-{status}/whip", network)
        try:
            assert attempt.outcome() is None
            path = wait_for(attempt.path, 10, "the way that they take")
            assert (path.relay, path.transport) == (f"{ADDRESS}:{turn.port}", "tcp")
            told = wait_for(lambda: proxy.patches, 10, "the relay's candidate")[0]
            assert told.content_type == "application/trickle-ice-sdpfrag"
            assert told.if_match == '"ice-1"'
            assert " typ relay " in told.body
        finally:
            attempt.close()


def test_a_relay_that_is_named_before_the_offer_alone_is_asked_for_when_there_is_no_other_way(
    media_server: MediaServer, turn: TurnServer
) -> None:
    with FalsifyingProxy(media_server.url) as proxy:
        proxy.options = (("Link", link(turn).encode().decode("latin-1")),)
        network = make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS)))
        network.ice.no_way_without()
        attempt = Attempt(f"{proxy.url}/options/whip", network)
        try:
            assert attempt.outcome() is None
            path = wait_for(attempt.path, 10, "the way that they take")
            assert path.relay == f"{ADDRESS}:{turn.port}"
        finally:
            attempt.close()


def test_a_relay_with_a_strangers_certificate_gets_nothing(turn: TurnServer) -> None:
    tunnel = TlsTunnel(ADDRESS, turn.tls_port)
    try:
        with socket.create_connection(tunnel.address, 5) as near:
            near.settimeout(10)
            near.sendall(b"password")
            with contextlib.suppress(ConnectionResetError):
                assert near.recv(1) == b""
        wait_for(lambda: "certificate" in tunnel.last_error, 5, tunnel.last_error)
    finally:
        tunnel.close()
    assert "password" not in turn.log


def test_a_server_on_this_machine_needs_no_setting(media_server: MediaServer) -> None:
    with MediaProcess(room(), Media(allowed_hosts=LOCAL_HOSTS)) as process:
        process.start(plan(publish=media_server.whip("without-setting")))
        process.wait(UplinkReported, flowing, seconds=20)


@pytest.mark.paired
def test_servers_that_are_away_hold_nobody_up(media_server: MediaServer) -> None:
    """192.0.2.0/24 is nobody's (RFC 5737)."""
    away = ["turn:phong@192.0.2.1:3478", "turns:phong@192.0.2.2:443"]
    media = Media(local_address=ADDRESS, allowed_hosts=LOCAL_HOSTS, ice_servers=away)
    with MediaProcess(room(), media) as process:
        process.start(plan(publish=media_server.whip("away")))
        process.wait(UplinkReported, flowing, seconds=20)
        assert not process.said(UplinkReported, lambda r: r.state == "unreachable")
        began = process.when(UplinkReported, lambda r: r.state == "connecting")
        took = process.when(UplinkReported, lambda r: r.state == "connected") - began
        assert took < LONG_PATIENCE_SECONDS


def test_media_go_by_tcp_where_the_server_offers_nothing_else() -> None:
    with TcpPeer() as server, MediaProcess(room(camera=False)) as process:
        process.start(plan(publish=f"{server.url}/by-tcp/whip"))
        process.wait(UplinkReported, lambda r: r.state == "connected", seconds=20)
        assert server.arrived.wait(10)
        assert " UDP " not in server.answer
        assert "tcptype passive" in server.answer
        told = process.wait(Measured, lambda m: bool(m.figures.uplink and m.figures.uplink.path))
        path = told.figures.uplink.path
        assert (path.transport, path.relay, path.local_family) == ("tcp", None, "ipv4")
