"""Networks of a test's own: namespaces, cables between them, walls and NATs in them. Needs root, or a user
namespace in which the test is root.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.closing import Closing
from tests.support.waiting import wait_for


class Namespace(Closing):
    """A network of its own (network_namespaces(7)); a context manager. `within` begins commands that run in it."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.pid = self._holder.pid
        outside = os.readlink("/proc/self/ns/net")
        wait_for(lambda: self._inside() != outside, 10, "a namespace")
        self.within = ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")
        self.ip("link set lo up")

    def _inside(self) -> str:
        return os.readlink(f"/proc/{self.pid}/ns/net")

    def run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [*self.within, *words], input=stdin, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def ip(self, *commands: str) -> None:
        """`ip` for each, in here."""
        for command in commands:
            self.run("ip", *command.split())

    def wall(self, rules: str) -> None:
        """Only these rules of nftables(8) from now on."""
        self.run("nft", "-f", "-", stdin=f"flush ruleset\n{rules}")

    def forward(self) -> None:
        """Be a router, for both families."""
        for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            self.run("sh", "-c", f"echo 1 > /proc/sys/net/{name}")

    def forget_connections(self) -> None:
        """As a router does that is started anew: no mapping of its NAT is known any more."""
        self.run(sys.executable, "-c", FLUSH)

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait(10)


FLUSH = """
import socket, struct
asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
asking.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
code = struct.unpack_from("=i", asking.recv(4096), 16)[0]
assert code == 0, code
"""
"""IPCTNL_MSG_CT_DELETE without a filter (linux/netfilter/nfnetlink_conntrack.h)."""


def connect(one: Namespace, name: str, other: Namespace, other_name: str) -> None:
    """A cable between two of them, up at both ends."""
    command = (
        f"ip link add {name} netns {one.pid} type veth peer name {other_name} netns {other.pid}"
    )
    subprocess.run(command.split(), check=True)
    one.ip(f"link set {name} up")
    other.ip(f"link set {other_name} up")


NAT = """table ip nat {
 chain post { type nat hook postrouting priority 100; oifname "OUT" masquerade random; }
}
"""
"""Each connection gets another port, as carriers' do: nobody learns from one where the next will be."""


def ran_as_root(file: str) -> bool:
    """Who may not make networks runs this file's tests once more, as root of a user namespace. Whether that was done."""
    if permits():
        return False
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-m", "pytest"]
    subprocess.run([*command, "-q", file], check=True)
    return True


def permits(path: Path = Path("/proc/self/status")) -> bool:
    """Whether this process may make networks: it is root, here or in a user namespace."""
    capabilities = next(
        line.split()[1] for line in path.read_text().splitlines() if line.startswith("CapEff")
    )
    return bool(int(capabilities, 16) >> 12 & 1)  # CAP_NET_ADMIN
