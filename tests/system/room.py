"""The installed room as its hub sees and commands it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.broker import Broker, Hub, wait_until
from tests.support.media_server import MediaServer
from tests.system.host import SERVICE, run, unit

FINAL = {"succeeded", "failed", "rejected", "expired", "superseded"}
MEETING = "giao-ban"
SETTINGS = Path("/etc/diemcau/agent.yaml")


class Room:
    """One room, set up by `diemcau setup` against a broker and a media server on this machine."""

    def __init__(self, broker: Broker, media: MediaServer, hub: Hub, seconds: float) -> None:
        self.id = "xa-lung-cu"
        self.hub = hub
        self.publishes = f"{media.url}/{MEETING}-{self.id}"
        self.plays = f"{media.url}/{MEETING}-hub"
        self._port = broker.port
        self._seconds = seconds
        """How long anything may take on this machine."""

    def set_up(self, settings: dict[str, str], *options: str) -> None:
        """What a technician does after `apt install`; returns when the service is READY."""
        words = ["--room", self.id, "--hub", "127.0.0.1", "--port", str(self._port), *options]
        words += ["--publish-url", f"{self.publishes}/whip", "--play-url", f"{self.plays}/whep"]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        run("diemcau", "setup", *words)

    @contextmanager
    def settings_changed(self, key: str, value: Any) -> Iterator[None]:
        """The service started anew with another setting, and afterwards with the old one."""
        from agent.config.editing import with_value  # installed meanwhile, perhaps by the tests

        before = SETTINGS.read_text()
        SETTINGS.write_text(with_value(before, key, value))
        run("systemctl", "restart", SERVICE)
        yield
        SETTINGS.write_text(before)
        run("systemctl", "restart", SERVICE)

    def topic(self, name: str) -> str:
        return f"diemcau/v1/room/{self.id}/{name}"

    def state(self) -> dict[str, Any]:
        """The newest state document, or an empty one."""
        seen = self.hub.on(self.topic("state"))
        document: dict[str, Any] = seen[-1].document if seen else {}
        return document

    def wait_for_phase(self, phase: str, connection: str = "online") -> dict[str, Any]:
        wait_until(
            lambda: (
                (self.state().get("phase"), self.state().get("connection")) == (phase, connection)
            ),
            f"phase {phase}, {connection}; the last state is {self.state()}",
            self._seconds,
        )
        return self.state()

    def health(self) -> dict[str, Any]:
        seen = self.hub.on(self.topic("health"))
        document: dict[str, Any] = seen[-1].document if seen else {}
        return document

    def wait_for_device(self, name: str, *statuses: str) -> dict[str, Any]:
        """The device's entry in health, once it has one of these statuses."""

        def device() -> dict[str, Any]:
            entry: dict[str, Any] = self.health().get("devices", {}).get(name, {})
            return entry

        wait_until(
            lambda: device().get("status") in statuses,
            f"{name} is {' or '.join(statuses)}; it is {device()}",
            self._seconds,
        )
        return device()

    def command(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its final ack."""
        command_id = f"{kind}-{len(self.hub.seen)}"
        self.hub.send(self.topic(f"cmd/{kind}"), {"id": command_id, **fields})
        final = self.hub.wait_for(
            self.topic(f"ack/{command_id}"),
            lambda ack: ack["state"] in FINAL,
            self._seconds,
        )
        document: dict[str, Any] = final.document
        return document

    def join(self, **fields: Any) -> dict[str, Any]:
        timeout = min(300, self._seconds)
        fields = {"meeting": {"id": MEETING}, "timeout_seconds": timeout, **fields}
        return self.command("join", **fields)

    def leave(self) -> dict[str, Any]:
        return self.command("leave")


def active() -> bool:
    return unit("ActiveState") == "active"


def stop() -> None:
    """Stop the service, if it is still there, and forget what it kept."""
    if unit("LoadState") == "loaded":
        run("systemctl", "stop", SERVICE)
    run("rm", "--recursive", "--force", "/var/lib/diemcau", "/run/diemcau")
