"""A room in networks as they are: each in namespaces, with the kernel's own walls, NATs and losses.

The table in docs/media.md names these tests. What is asked of each: that the room publishes and plays, and by
which way it says that its media go.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.core.model import figures
from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from agent.settings import Media
from tests.media.rooms import TONE_HZ, flowing, plan, room
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer, Place
from tests.support.namespaces import NAT, Namespace, connect, ran_as_root
from tests.support.sounds import RATE_HZ, level_dbfs, purity, read_wav
from tests.support.turn import PASSWORD, USER, TurnServer
from tests.support.waiting import wait_for

SERVER, RELAY, SIXTH = "203.0.113.5", "203.0.113.7", "2001:db8:5::5"
NAME = "media.example"
ROOM = "192.0.2.10"
MOST_GAP_SECONDS = 15.0
"""Without sound when the network changes: five times what a quiet machine keeps to."""

JOINED_SECONDS = 40.0
"""For publishing and playing on a machine with other things to do; a clean network takes two."""

NO_UDP = """table inet wall {
 chain forward { type filter hook forward priority 0; meta l4proto udp drop; }
}
"""
ONLY_443 = """table inet wall {
 chain forward { type filter hook forward priority 0; ct state established accept
  tcp dport 443 accept
  meta l4proto { tcp, udp } reject
 }
}
"""
LOSSES = """table inet wall {
 chain forward { type filter hook forward priority 0;
  iifname "lan" meta l4proto udp numgen random mod 100 < 5 drop
  oifname "lan" meta l4proto udp numgen random mod 100 < 1 drop
 }
}
"""
NOTHING = """table inet wall {
 chain forward { type filter hook forward priority 0; drop; }
}
"""
BLACK_HOLE = """table inet wall {
 chain forward { type filter hook forward priority 0; icmp type destination-unreachable drop
 }
}
"""
"""A tunnel on the way that does not say how little it takes."""


@dataclass
class World:
    """The room, its router, and the world behind it with a media server and a relay."""

    room: Namespace
    router: Namespace
    world: Namespace
    stack: ExitStack
    folder: Path

    def server(self, address: str = SERVER, port: int = 0, *, like: str = "plain") -> MediaServer:
        place = Place(address, self.world.within)
        return self.stack.enter_context(MediaServer(port, place=place, like=like))

    def sessions(self, server: MediaServer) -> list[dict[str, Any]]:
        """As the server lists them; asked from beside it."""
        asking = (
            f"import urllib.request as u; print(u.urlopen('{server.url}/sessions').read().decode())"
        )
        listing: list[dict[str, Any]] = json.loads(self.world.run(sys.executable, "-c", asking))
        return listing

    def relay(self, tls_port: int = 0) -> TurnServer:
        place = Place(RELAY, self.world.within)
        return self.stack.enter_context(TurnServer(self.folder, place, tls_port))

    def media(self, *ice_servers: str) -> Media:
        password = self.folder / "password"
        password.write_text(PASSWORD, "utf-8")
        return Media(
            allowed_hosts=["*", "203.0.113.0/24", "[2001:db8:5::5]", NAME],
            ice_servers=list(ice_servers),
            ice_credential_file=str(password),
        )

    def start(self, server: MediaServer, *ice_servers: str, camera: bool = False) -> MediaProcess:
        within = ("env", f"SSL_CERT_FILE={self.folder / 'turn.pem'}", *self.room.within)
        media = self.media(*ice_servers)
        heard = str(self.folder / "heard.wav")
        devices = room(camera=camera, record=heard)
        process = self.stack.enter_context(MediaProcess(devices, media, within=within))
        process.start(plan(publish=server.whip("room"), play=[server.whep("room")]))
        return process


@pytest.fixture(autouse=True, scope="module")
def as_root() -> None:
    """Who is not root runs this file once more, as root of a user namespace."""
    if ran_as_root(__file__):
        pytest.skip("passed in a user namespace")
    with Namespace() as trial:
        done = subprocess.run(
            [*trial.within, "nft", "-f", "-"],
            check=False,
            input=NAT + LOSSES,
            text=True,
            capture_output=True,
        )
    if done.returncode:
        pytest.skip(f"this kernel takes no rules of nftables in a namespace: {done.stderr}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The room is behind a router that does nothing but forward."""
    with ExitStack() as stack:
        one, router, far = (stack.enter_context(Namespace()) for _ in range(3))
        connect(one, "lan", router, "lan")
        connect(router, "wan", far, "wan")
        one.ip(f"address add {ROOM}/24 dev lan", "route add default via 192.0.2.1")
        router.ip("address add 192.0.2.1/24 dev lan", "address add 198.51.100.2/24 dev wan")
        router.ip("route add default via 198.51.100.1")
        router.forward()
        far.ip("address add 198.51.100.1/24 dev wan", "route add 192.0.2.0/24 via 198.51.100.2")
        far.ip(f"address add {SERVER}/32 dev lo", f"address add {RELAY}/32 dev lo")
        yield World(one, router, far, stack, tmp_path)


def in_both_ways(process: MediaProcess) -> tuple[figures.Path, figures.Path]:
    """The ways of what it sends and what it plays, once both flow."""
    process.wait(UplinkReported, flowing, seconds=JOINED_SECONDS)
    process.wait(DownlinkReported, flowing, seconds=JOINED_SECONDS)

    def known(report: Measured) -> bool:
        up, downs = report.figures.uplink, report.figures.downlinks
        return bool(up and up.path and downs and downs[0].path)

    found = process.wait(Measured, known, seconds=JOINED_SECONDS).figures
    return found.uplink.path, found.downlinks[0].path


def test_open(world: World) -> None:
    for path in in_both_ways(world.start(world.server())):
        assert (path.transport, path.relay, path.local_address.split(":")[0]) == ("udp", None, ROOM)


def test_udp_is_blocked_and_a_relay_is_reached_by_tcp(world: World) -> None:
    world.router.wall(NO_UDP)
    relay = world.relay()
    process = world.start(world.server(), f"turn:{USER}@{RELAY}:{relay.port}?transport=tcp")
    for path in in_both_ways(process):
        assert (path.transport, path.relay) == ("tcp", f"{RELAY}:{relay.port}")


def test_only_443_is_open(world: World) -> None:
    world.router.wall(ONLY_443)
    world.relay(443)
    process = world.start(world.server(port=443), f"turns:{USER}@{RELAY}:443")
    for path in in_both_ways(process):
        assert (path.transport, path.relay) == ("tls", f"{RELAY}:443")


def test_behind_two_nats(world: World) -> None:
    """A router at home, and a carrier's behind it."""
    carrier = world.stack.enter_context(Namespace())
    world.router.ip("link delete wan")
    connect(world.router, "wan", carrier, "lan")
    connect(carrier, "wan", world.world, "wan")
    world.router.ip("address add 100.64.0.2/24 dev wan", "route add default via 100.64.0.1")
    carrier.ip("address add 100.64.0.1/24 dev lan", "address add 198.51.100.2/24 dev wan")
    carrier.ip("route add default via 198.51.100.1")
    carrier.forward()
    world.world.ip("address add 198.51.100.1/24 dev wan")
    for one in (world.router, carrier):
        one.wall(NAT.replace("OUT", "wan"))
    for path in in_both_ways(world.start(world.server())):
        assert (path.transport, path.relay, path.remote) == ("udp", None, "host")


def test_ipv6_only(world: World) -> None:
    world.room.ip(f"address delete {ROOM}/24 dev lan")
    world.room.ip("address add 2001:db8:1::10/64 dev lan nodad")
    world.router.ip("address add 2001:db8:1::1/64 dev lan nodad")
    world.router.ip("address add 2001:db8:2::2/64 dev wan nodad")
    world.world.ip(
        "address add 2001:db8:2::1/64 dev wan nodad",
        f"address add {SIXTH}/128 dev lo nodad",
        "route add 2001:db8:1::/64 via 2001:db8:2::2",
    )
    world.room.ip("route add default via 2001:db8:1::1")
    world.router.ip("route add default via 2001:db8:2::1")
    for path in in_both_ways(world.start(world.server(SIXTH))):
        assert (path.transport, path.relay) == ("udp", None)
        assert (path.local_family, path.remote_family) == ("ipv6", "ipv6")


@pytest.mark.parametrize("rules", [LOSSES, BLACK_HOLE], ids=["five per cent", "1280 bytes"])
def test_a_bad_line(world: World, rules: str) -> None:
    world.router.wall(rules)
    if rules is BLACK_HOLE:
        world.router.ip("link set wan mtu 1280")
        world.world.ip("link set wan mtu 1280")
    process = world.start(world.server(), camera=True)
    for path in in_both_ways(process):
        assert (path.transport, path.relay) == ("udp", None)

    def seen(report: Measured) -> bool:
        return (report.figures.downlinks[0].frames_per_second or 0) > 10

    process.wait(Measured, seen, seconds=JOINED_SECONDS)


# --- the network changes in the meeting


def test_the_servers_name_leads_elsewhere(world: World) -> None:
    """Its machine is gone, and another one has its name: nobody is told but DNS."""
    elsewhere, hosts = "203.0.113.6", world.folder / "hosts"
    hosts.write_text(f"{SERVER} {NAME}\n")
    world.world.ip(f"address add {elsewhere}/32 dev lo")
    server = world.server()
    bind = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    within = (*world.room.within, "unshare", "--mount", "sh", "-c", bind, "sh")
    process = world.stack.enter_context(
        MediaProcess(room(camera=False), world.media(), within=within)
    )
    urls = (url.replace(SERVER, NAME) for url in (server.whip("room"), server.whep("room")))
    process.start(plan(next(urls), [next(urls)]))
    in_both_ways(process)
    said = len(process.reports)
    world.world.ip(f"address delete {SERVER}/32 dev lo")
    server.kill()
    moved = world.stack.enter_context(
        MediaServer(server.port, place=Place(elsewhere, world.world.within))
    )
    hosts.write_text(f"{elsewhere} {NAME}\n")
    for kind in (UplinkReported, DownlinkReported):
        process.wait(kind, flowing, JOINED_SECONDS, after=said)
    assert len(world.sessions(moved)) == 2


def second_way(world: World) -> Namespace:
    """Another router to the world, with a NAT."""
    router = world.stack.enter_context(Namespace())
    connect(router, "wan", world.world, "wan2")
    router.ip("address add 198.51.101.2/24 dev wan")
    world.world.ip("address add 198.51.101.1/24 dev wan2")
    router.ip("route add default via 198.51.101.1")
    router.forward()
    router.wall(NAT.replace("OUT", "wan"))
    return router


def gap_seconds(record: Path, since_seconds: float) -> float:
    """The longest time without the room's tone, of the last so many seconds."""
    sound = read_wav(record)[-int(since_seconds * RATE_HZ) :]
    size = RATE_HZ // 20
    longest = run = 0
    for piece in (sound[at : at + size] for at in range(0, len(sound) - size, size)):
        heard = purity(piece, TONE_HZ) > 0.7 and level_dbfs(piece) > -40
        run = 0 if heard else run + 1
        longest = max(longest, run)
    return longest / 20


def heard_again(
    world: World, process: MediaProcess, change: Callable[[], None], words: str
) -> None:
    """Both links say why they were broken off, flow again, and the room's own tone is back."""
    said, changed = len(process.reports), time.monotonic()
    change()
    for kind in (UplinkReported, DownlinkReported):
        process.wait(kind, lambda r: r.state == "stalled" and words in r.text, 40, after=said)
        process.wait(kind, flowing, JOINED_SECONDS, after=said)
    time.sleep(2)  # for the recording to have it
    gap = gap_seconds(world.folder / "heard.wav", time.monotonic() - changed)
    print(f"{gap:.2f} s without sound")
    assert 0 < gap < MOST_GAP_SECONDS


def test_cable_to_stick(world: World) -> None:
    stick = second_way(world)
    connect(world.room, "stick", stick, "lan")
    world.room.ip("address add 10.64.0.2/24 dev stick")
    stick.ip("address add 10.64.0.1/24 dev lan")
    process = world.start(world.server())
    in_both_ways(process)

    def change() -> None:
        world.room.ip("link set lan down", f"address delete {ROOM}/24 dev lan")
        world.room.ip("route add default via 10.64.0.1")

    heard_again(world, process, change, "from 10.64.0.2, no more from 192.0.2.10")


def test_another_gateway(world: World) -> None:
    """The room keeps its address, and its packets come to the server from another one."""
    lan, other = world.stack.enter_context(Namespace()), second_way(world)
    world.room.ip("link delete lan")
    lan.ip("link add bridge type bridge", "link set bridge up")
    for one, name in ((world.room, "room"), (world.router, "first"), (other, "second")):
        connect(one, "lan", lan, name)
        lan.ip(f"link set {name} master bridge")
    world.room.ip(f"address add {ROOM}/24 dev lan", "route add default via 192.0.2.1")
    world.router.ip("address add 192.0.2.1/24 dev lan")
    world.router.wall(NAT.replace("OUT", "wan"))
    other.ip("address add 192.0.2.254/24 dev lan")
    process = world.start(world.server())
    in_both_ways(process)

    def change() -> None:
        world.router.wall(NOTHING)
        world.room.ip("route replace default via 192.0.2.254")

    heard_again(world, process, change, f"{SERVER} is reached by 192.0.2.254")


def forget(world: World) -> None:
    """As when it is started anew: all that passes the NAT has another port from now on, and nobody tells the room."""
    world.router.forget_connections()


def lively(world: World, like: str) -> tuple[MediaServer, MediaProcess]:
    """A room behind a NAT whose links have gone on for a while."""
    world.router.wall(NAT.replace("OUT", "wan"))
    world.world.ip("route delete 192.0.2.0/24")
    server = world.server(like=like)
    process = world.start(server)
    in_both_ways(process)
    time.sleep(3)
    return server, process


def test_the_router_forgets(world: World) -> None:
    _, process = lively(world, "plain")
    heard_again(world, process, lambda: forget(world), "the way to the server is open")


@pytest.mark.paired
def test_the_router_forgets_and_the_server_restarts_ice(world: World) -> None:
    """Nobody sees the room leave: both sessions go on."""
    server, process = lively(world, "restarting")
    before = [one["id"] for one in world.sessions(server)]
    changed = time.monotonic()
    forget(world)
    wait_for(lambda: all(s["restarts"] for s in world.sessions(server)), 10, "both restarts")
    time.sleep(4)  # for the recording to have it
    print(f"{gap_seconds(world.folder / 'heard.wav', time.monotonic() - changed):.2f} s without")
    assert gap_seconds(world.folder / "heard.wav", 1.0) == 0
    assert [one["id"] for one in world.sessions(server)] == before
    assert not process.said(UplinkReported, lambda r: r.state == "stalled")
    assert not process.said(DownlinkReported, lambda r: r.state == "stalled")
