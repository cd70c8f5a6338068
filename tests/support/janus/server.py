"""A real Janus with WHIP and WHEP in front of it: a media server that shares no code with ours.

Janus is Debian's, WHEP is `janus-whep-server` of npm, which `scripts/setup` installs. What is open in it
is what Janus itself counts (its Admin API), not what the front believes.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from agent.settings import Media
from tests.support.closing import Closing
from tests.support.loopback import LOCAL_HOSTS
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[3]
MODULES = ROOT / ".venv" / "janus"
"""Where `scripts/setup` puts the packages from npm."""

FRONT = Path(__file__).with_name("front.mjs")
SECRET = "of-the-test"
PLUGINS = {"libjanus_videoroom.so", "libjanus_streaming.so"}
TRANSPORTS = {"libjanus_websockets.so", "libjanus_http.so"}


def own_address() -> str:
    """An IPv4 address of this machine that is not loopback, which Janus never gathers."""
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and not one.address.startswith(("127.", "169.254.")):
                return str(one.address)
    raise AssertionError("Janus gathers no loopback addresses, and this machine has no other one")


class Peer(NamedTuple):
    """Who publishes or plays, as the VideoRoom has it."""

    kind: str
    """`publisher` or `subscriber`."""

    name: str
    """What is published; empty for a subscriber."""


class JanusServer(Closing):
    """A context manager; names that can be published are given at the start."""

    def __init__(self, folder: Path, names: Iterable[str], token: str | None = None) -> None:
        self.address = own_address()
        self._folder, self._names, self._token = folder, list(names), token
        self.port, self._ws, self._admin = (self._free_port() for _ in range(3))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._configure()
        self.start()

    def _free_port(self) -> int:
        with socket.socket() as one:
            one.bind((self.address, 0))
            number: int = one.getsockname()[1]
            return number

    # --- its addresses

    @property
    def media(self) -> Media:
        """The settings of a room that is in a meeting with it."""
        hosts = [*LOCAL_HOSTS, self.address]
        return Media(local_address=self.address, allowed_hosts=hosts)

    def whip(self, name: str) -> str:
        return f"http://{self.address}:{self.port}/whip/endpoint/{name}"

    def whep(self, name: str) -> str:
        return f"http://{self.address}:{self.port}/whep/endpoint/{name}"

    # --- running

    def start(self) -> None:
        """On the same ports as before."""
        janus = shutil.which("janus")
        assert janus, "janus is not installed: ./scripts/setup does it"
        assert (MODULES / "node_modules").is_dir(), "no janus-whep-server: ./scripts/setup does it"
        self._run("janus", [janus, "-F", str(self._folder)])
        wait_for(lambda: self._answers(self._ws), 20, f"Janus listens; see {self._folder}")
        wait_for(lambda: self._answers(self._admin), 20, "Janus can be asked")
        asked = {
            "modules": str(MODULES),
            "janus": f"ws://{self.address}:{self._ws}",
            "address": self.address,
            "port": self.port,
            "token": self._token,
            "names": self._names,
        }
        self._run("front", ["node", str(FRONT), json.dumps(asked)])
        wait_for(lambda: self._answers(self.port), 20, f"its front listens; see {self._folder}")

    def kill(self) -> None:
        """SIGKILL to both, as when the machine loses its power."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        self._end(signal.SIGTERM)

    @property
    def log(self) -> str:
        return "".join(one.read_text(errors="replace") for one in self._folder.glob("*.log"))

    # --- what it counts

    def peers(self) -> list[Peer]:
        """All of them, sorted. A handle that has joined nothing is the front's own."""
        asked = [
            self._ask("handle_info", session, number).get("info", {}).get("plugin_specific", {})
            for session in self._ask("list_sessions")["sessions"]
            for number in self._ask("list_handles", session).get("handles", [])
        ]
        return sorted(Peer(one["type"], one.get("id", "")) for one in asked if "type" in one)

    def _ask(self, what: str, *path: int) -> dict[str, Any]:
        url = f"http://{self.address}:{self._admin}/admin" + "".join(f"/{one}" for one in path)
        asked = {"janus": what, "transaction": "test", "admin_secret": SECRET}
        with urllib.request.urlopen(url, json.dumps(asked).encode(), 10) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    # ---

    def _configure(self) -> None:
        library = next(Path("/usr/lib").glob("*/janus"), None)
        assert library, "Janus's plugins are not installed: ./scripts/setup does it"
        off_plugins = {one.name for one in (library / "plugins").glob("*.so")} - PLUGINS
        off_transports = {one.name for one in (library / "transports").glob("*.so")} - TRANSPORTS
        files = {
            "janus.jcfg": f"""
general: {{
    configs_folder = "{self._folder}"
    plugins_folder = "{library}/plugins"
    transports_folder = "{library}/transports"
    admin_secret = "{SECRET}"
    session_timeout = 60
    debug_level = 4
    log_to_stdout = true
    interface = "{self.address}"
}}
media: {{ ipv6 = false }}
nat: {{ ice_enforce_list = "{self.address}", ice_keepalive_conncheck = true }}
plugins: {{ disable = "{",".join(sorted(off_plugins))}" }}
transports: {{ disable = "{",".join(sorted(off_transports))}" }}
""",
            "janus.transport.websockets.jcfg": f"""
general: {{ ws = true, ws_port = {self._ws}, ws_ip = "{self.address}" }}
""",
            "janus.transport.http.jcfg": f"""
general: {{ http = false, https = false, base_path = "/janus" }}
admin: {{ admin_base_path = "/admin", admin_http = true, admin_port = {self._admin},
    admin_ip = "{self.address}", admin_https = false }}
""",
            "janus.plugin.videoroom.jcfg": "general: { string_ids = true }\n",
            "janus.plugin.streaming.jcfg": """
mountpoint: { type = "rtp", id = 1, is_private = false, audio = true, audioport = 0,
    audiopt = 111, audiocodec = "opus", video = true, videoport = 0, videopt = 96, videocodec = "h264" }
""",
        }
        for name, text in files.items():
            (self._folder / name).write_text(text)

    def _run(self, name: str, command: list[str]) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            done = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._processes.append(done)

    def _answers(self, port: int) -> bool:
        assert all(one.poll() is None for one in self._processes), self.log[-3000:]
        with contextlib.suppress(OSError), socket.create_connection((self.address, port), 1):
            return True
        return False

    def _end(self, number: signal.Signals) -> None:
        for process in reversed(self._processes):
            process.send_signal(number)
        for process in self._processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)
        self._processes.clear()
