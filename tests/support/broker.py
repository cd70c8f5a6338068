"""A real Mosquitto on a loopback port of its own, which tests start, stop, kill and freeze.

`Broker` is the process, `Hub` an operator's client on it that collects what it sees.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.support.waiting import wait_for

REPOSITORY = Path(__file__).parents[2]
SHIPPED_CONFIG = REPOSITORY / "config/hub/mosquitto.conf"
DEADLINE_SECONDS = 20.0


def wait_until(
    condition: Callable[[], Any],
    what: str | Callable[[], str],
    seconds: float = DEADLINE_SECONDS,
) -> Any:
    """`wait_for` with a usual deadline."""
    return wait_for(condition, seconds, what)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """Mosquitto with a shipped configuration and `extra` lines.

    Its listeners are on free ports on loopback (`port` is the first one, `ports` has them all by the
    configuration's number), with `own_ports` on those of the configuration; `files` stands for the folder
    that production.conf names.
    """

    def __init__(
        self,
        directory: Path,
        extra: Iterable[str] = (),
        *,
        config: Path = SHIPPED_CONFIG,
        files: Path | None = None,
        persistent: bool = False,
        own_ports: bool = False,
    ) -> None:
        self.directory = directory
        self._own_ports = own_ports
        self.ports: dict[int, int] = {}
        self.log = directory / "mosquitto.log"
        self._config = directory / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        lines = [self._adapted(line, files) for line in config.read_text().splitlines()]
        self.port = next(iter(self.ports.values()))
        if os.geteuid() == 0:
            lines.append("user root")  # else it could not read the test's files
        if persistent:
            lines = [line for line in lines if not line.startswith("persistence")]
            lines += [
                "persistence true",
                f"persistence_location {directory}/",
                "autosave_interval 1",
            ]
        self._config.write_text("\n".join([*lines, *extra, ""]))

    def start(self) -> Self:
        """Start it, on the same port as before, and wait until it takes connections."""
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        assert program, "mosquitto is not installed: ./scripts/setup does it"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self._config)],
                stderr=log,
                stdout=log,
                start_new_session=True,  # Ctrl-C at the terminal is for whoever started it
            )
        wait_until(self._answers, f"Mosquitto listens on {self.port}; see {self.log}")
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Mosquitto ended:\n{self.log.read_text()}"
        try:
            for port in self.ports.values():
                socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """SIGTERM: it saves its sessions (if persistent) and goes."""
        self._signal_and_wait(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, like a power cut at the hub."""
        self._signal_and_wait(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _signal_and_wait(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(number)
        self._process.wait(DEADLINE_SECONDS)
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _adapted(self, line: str, files: Path | None) -> str:
        """The shipped configuration's line with a port of our own, and files of our own."""
        if line.startswith("listener "):
            number = int(line.split()[1])
            self.ports[number] = number if self._own_ports else free_port()
            return f"listener {self.ports[number]} 127.0.0.1"
        return line.replace("/etc/mosquitto/diemcau", str(files)) if files else line


class Seen:
    """A message as the hub saw it; `document` is its JSON (None if it isn't JSON)."""

    def __init__(self, message: mqtt.MQTTMessage) -> None:
        self.topic = message.topic
        self.payload = bytes(message.payload)
        self.retained = bool(message.retain)
        self.qos = message.qos
        self.correlation: bytes | None = getattr(message.properties, "CorrelationData", None)
        try:
            self.document: Any = json.loads(self.payload)
        except (ValueError, RecursionError):
            self.document = None

    def __repr__(self) -> str:
        return f"{self.topic} {self.payload[:200]!r}"


class Hub:
    """A hub operator's client. Everything that it subscribed to stands in `seen`, in order."""

    def __init__(
        self,
        port: int,
        filters: Iterable[str] = ("#",),
        prepare: Callable[[mqtt.Client], None] = lambda client: None,
        host: str = "127.0.0.1",
        clean_start: bool = True,
    ) -> None:
        self._clean_start = clean_start
        self.seen: list[Seen] = []
        self._ready: queue.Queue[bool] = queue.Queue()
        self._filters = [(one, SubscribeOptions(qos=2)) for one in filters]
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.put(True)
        self.client.on_message = lambda _c, _u, message: self.seen.append(Seen(message))
        self.client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self.client.reconnect_delay_set(1, 1)
        prepare(self.client)
        self._address = (host, port)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        if self._filters:
            client.subscribe(self._filters)
        else:
            self._ready.put(True)

    def __enter__(self) -> Self:
        self.client.connect(*self._address, clean_start=self._clean_start)
        self.client.loop_start()
        self._ready.get(timeout=DEADLINE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        # loop_stop() asks twice for the thread, which a disconnect lets end in between: it is taken
        # before, and ends by the disconnect alone.
        thread = self.client._thread
        self.client.disconnect()
        if thread is not None:
            thread.join(DEADLINE_SECONDS)

    def wait_back(self) -> None:
        """After the broker was away: until it is subscribed again."""
        self._ready.get(timeout=DEADLINE_SECONDS)

    def send(
        self,
        topic: str,
        payload: object = None,
        *,
        qos: int = 1,
        retain: bool = False,
        reply_to: str | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """Publish bytes as they are, anything else as JSON; waits for the broker's PUBACK."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        properties = Properties(PacketTypes.PUBLISH)
        if reply_to is not None:
            properties.ResponseTopic = reply_to
        if correlation is not None:
            properties.CorrelationData = correlation
        wait_until(self.client.is_connected, "the hub's client is connected (again)")
        info = self.client.publish(topic, data, qos=qos, retain=retain, properties=properties)
        info.wait_for_publish(DEADLINE_SECONDS)

    def on(self, topic: str) -> list[Seen]:
        """What was seen on exactly this topic."""
        return [one for one in list(self.seen) if one.topic == topic]

    def wait_for(
        self,
        topic: str,
        matches: Callable[[Any], bool] = lambda document: True,
        seconds: float = DEADLINE_SECONDS,
    ) -> Seen:
        """The first message on this topic whose JSON matches."""
        found: list[Seen] = wait_until(
            lambda: [one for one in self.on(topic) if matches(one.document)],
            f"a matching message on {topic}; seen: {self.seen[-5:]}",
            seconds,
        )
        return found[0]
