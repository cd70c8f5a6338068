"""The control socket as a local client sees it, with a loop that this test plays."""

import json
import os
import queue
import random
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.core.model.commands import Ack, AckState, Code, Join, Meeting, Origin, Ping
from agent.core.model.events import CommandReceived
from agent.core.model.local_queries import HealthQuery, SnapshotQuery, StatusQuery
from agent.errors import AgentError
from agent.runtime import line_server
from agent.runtime.connection import MAX_UNANSWERED, MAX_UNSENT_BYTES
from agent.runtime.control import ControlServer, QueryReceived
from tests.support.waiting import wait_for


class Client:
    """A technician's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self._lines = self.socket.makefile("rb")

    def say(self, *lines: bytes | dict) -> None:
        for line in lines:
            data = line if isinstance(line, bytes) else json.dumps(line).encode()
            self.socket.sendall(data + b"\n")

    def hear(self) -> dict | None:
        """The next line; None when the server has hung up."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


class Daemon:
    """The server, its inbox, and answers as the loop would give them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inbox: queue.SimpleQueue = queue.SimpleQueue()
        self.server = ControlServer(path, self.inbox.put)
        self.clients: list[Client] = []

    def connect(self) -> Client:
        self.clients.append(Client(self.path))
        return self.clients[-1]

    def next(self):
        return self.inbox.get(timeout=60)

    def acknowledge(self, id: str, *states: AckState, text: str = "") -> None:
        at = datetime(2026, 11, 22, tzinfo=UTC)
        for seq, state in enumerate(states, 1):
            self.server.deliver(Ack(id, "join", "room-a", state, Code.OK, text, seq, at))


@pytest.fixture
def daemon(tmp_path: Path):
    daemon = Daemon(tmp_path / "run" / "control.sock")
    daemon.server.start()
    yield daemon
    for client in daemon.clients:
        client.close()
    daemon.server.close()


def test_a_command_is_posted_with_its_sender_and_its_acks_come_back(daemon: Daemon):
    client = daemon.connect()
    client.say({"type": "join", "id": "01J", "meeting": {"id": "giao-ban"}, "microfone": 1})
    event = daemon.next()
    assert isinstance(event, CommandReceived)
    assert event.command.body == Join(meeting=Meeting(id="giao-ban"))
    assert event.command.origin == Origin.LOCAL
    assert event.command.sender == f"uid {os.getuid()} pid {os.getpid()}"
    assert event.unknown_fields == ["microfone"]
    daemon.acknowledge("01J", AckState.ACCEPTED, AckState.RUNNING, AckState.SUCCEEDED)
    heard = [client.hear() for _ in range(3)]
    assert [ack["state"] for ack in heard] == ["accepted", "running", "succeeded"]
    assert heard[2] == {
        "v": 1, "id": "01J", "type": "join", "room": "room-a", "state": "succeeded", "code": "ok",
        "text": "", "detail": {}, "seq": 3, "at": "2026-11-22T00:00:00Z",
    }  # fmt: skip


def test_each_client_gets_the_acks_of_its_own_commands_only(daemon: Daemon):
    one, other = daemon.connect(), daemon.connect()
    one.say({"type": "ping"})
    first = daemon.next().command
    other.say({"type": "ping"})
    second = daemon.next().command
    assert isinstance(first.body, Ping)
    assert first.id != second.id
    daemon.acknowledge("nobody-asked-here", AckState.SUCCEEDED)
    daemon.acknowledge(second.id, AckState.SUCCEEDED)
    daemon.acknowledge(first.id, AckState.SUCCEEDED)
    assert one.hear()["id"] == first.id
    assert other.hear()["id"] == second.id


def test_two_who_send_the_same_id_both_hear_how_it_ended(daemon: Daemon):
    clients = [daemon.connect(), daemon.connect()]
    for client in clients:
        client.say({"type": "mute", "id": "same"})
        daemon.next()
    daemon.acknowledge("same", AckState.SUCCEEDED)
    assert [client.hear()["id"] for client in clients] == ["same", "same"]


def test_a_query_is_answered_by_whoever_takes_it_from_the_inbox(daemon: Daemon):
    client = daemon.connect()
    client.say({"type": "snapshot", "source": "received", "path": "/tmp/x.png"})
    asked = daemon.next()
    assert isinstance(asked, QueryReceived)
    assert asked.query == SnapshotQuery("received")
    asked.reply(b'{"type":"snapshot","path":"/tmp/x.png","error":""}')
    assert client.hear() == {"type": "snapshot", "path": "/tmp/x.png", "error": ""}


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        (b"hello", "not-json", "not JSON"),
        (b"[]", "not-json", "expected a JSON object"),
        (b"{}", "missing-field", "type: expected one of join, leave,"),
        (b'{"type":"jion"}', "unknown-command", "type: unknown 'jion'; there are join,"),
        (b'{"type":"snapshot","source":"desk"}', "bad-field", "source: expected"),
        (b'{"type":"borrow","devices":"camera"}', "bad-field", "devices: expected"),
        (b'{"type":"borrow"}', "bad-field", "devices"),
        (b'{"type":"volume","speaker":"loud"}', "bad-field", "speaker: expected int, got"),
    ],
)
def test_a_bad_line_is_answered_and_changes_nothing(daemon: Daemon, line, code, text):
    client = daemon.connect()
    client.say(line, {"type": "status"})
    heard = client.hear()
    assert (heard["type"], heard["code"]) == ("error", code)
    assert text in heard["text"]
    assert daemon.next().query == StatusQuery()


def test_the_error_carries_the_id_of_a_bad_command(daemon: Daemon):
    client = daemon.connect()
    client.say({"type": "volume", "id": "01J"})
    assert client.hear()["id"] == "01J"


def test_a_line_without_end_is_refused_and_the_client_cut_off(daemon: Daemon):
    client = daemon.connect()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        client.socket.sendall(b"x" * 100_000_000)
    assert client.hear()["code"] == "too-large"


def test_who_says_no_more_still_gets_the_answer(daemon: Daemon):
    client = daemon.connect()
    client.say({"type": "ping", "id": "last"})
    client.socket.shutdown(socket.SHUT_WR)
    daemon.next()
    daemon.acknowledge("last", AckState.SUCCEEDED)
    assert client.hear()["id"] == "last"
    assert client.hear() is None


def test_a_client_that_never_reads_is_cut_off_and_holds_up_nobody(daemon: Daemon):
    slow, other = daemon.connect(), daemon.connect()
    slow.say({"type": "join", "id": "slow", "meeting": {"id": "a"}})
    daemon.next()
    for _ in range(2 * MAX_UNSENT_BYTES // 1000):
        daemon.acknowledge("slow", AckState.RUNNING, text="x" * 1000)
    other.say({"type": "ping", "id": "other"})
    daemon.next()
    daemon.acknowledge("other", AckState.SUCCEEDED)
    assert other.hear()["id"] == "other"
    heard = 0
    while slow.hear():
        heard += 1
    assert heard < 2 * MAX_UNSENT_BYTES // 1000


def test_a_client_has_only_so_many_requests_open(daemon: Daemon):
    client = daemon.connect()
    client.socket.sendall(b'{"type":"status"}\n' * 2000)
    taken = [daemon.next() for _ in range(MAX_UNANSWERED)]
    other = daemon.connect()
    other.say({"type": "health"})
    while taken[-1].query != HealthQuery():
        taken.append(daemon.next())
    assert len(taken) < 500, "the rest waits in the client's own socket"
    for asked in taken[:-1]:
        asked.reply(b"{}")
    for _ in range(2000 - len(taken) + 1):
        daemon.next().reply(b"{}")
    assert [client.hear() for _ in range(2000)] == [{}] * 2000


def test_a_hundred_thousand_damaged_lines_do_no_harm(daemon: Daemon):
    seed = b'{"type":"join","id":"01J","meeting":{"id":"a"},"play":[{"url":"http://m/w"}]}'
    source = random.Random(3)
    client = daemon.connect()
    client.socket.settimeout(120)  # sendall's counts for all of it
    lines = []
    for _ in range(100_000):
        damaged = bytearray(seed)
        for _ in range(source.randint(1, 4)):
            damaged[source.randrange(2, len(damaged))] = source.choice(b'\x00\xff{}[]",:x1e')
        lines.append(bytes(damaged))

    def pour() -> None:
        client.socket.sendall(b"\n".join(lines) + b'\n{"type":"status"}\n')

    answers = {"error": 0, "ack": 0}
    pouring = threading.Thread(target=pour, daemon=True)
    pouring.start()

    def play_the_loop() -> None:
        while not isinstance(event := daemon.next(), QueryReceived):
            daemon.acknowledge(event.command.id, AckState.REJECTED)
        event.reply(b'{"type":"status"}')

    playing = threading.Thread(target=play_the_loop, daemon=True)
    playing.start()
    while (heard := client.hear())["type"] != "status":
        answers["error" if heard["type"] == "error" else "ack"] += 1
    assert answers["error"] > 90_000
    pouring.join(60)
    playing.join(60)


def test_too_many_clients_are_told_so_and_the_others_go_on(daemon: Daemon):
    clients = [daemon.connect() for _ in range(line_server.MAX_CLIENTS)]
    for client in clients:
        client.say({"type": "status"})
        daemon.next().reply(b"{}")
        client.hear()
    late = daemon.connect()
    assert late.hear()["code"] == "busy"
    assert late.hear() is None
    clients[0].close()
    wait_for(lambda: accepted(daemon), 5, "a place is free again")


def accepted(daemon: Daemon) -> bool:
    client = daemon.connect()
    try:
        client.say(b"?")
        return client.hear()["code"] == "not-json"
    except OSError:
        return False
    finally:
        client.close()


def test_only_owner_and_group_may_open_the_socket(daemon: Daemon):
    assert stat.S_IMODE(daemon.path.stat().st_mode) == 0o660


ASK_AS_OTHER = """
import contextlib, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
with contextlib.suppress(BrokenPipeError):
    client.sendall(b"?\\n")
print(client.makefile().readline())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("groups", "code"), [([4321], "not-json"), ([], "not-permitted")])
def test_peer_credentials_decide_even_if_the_mode_was_opened(tmp_path_factory, groups, code):
    folder = tmp_path_factory.mktemp("control")
    depth = folder.parents.index(Path(tempfile.gettempdir()))
    for parent in (folder, *folder.parents[:depth]):
        parent.chmod(0o755)
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    os.setegid(4321)
    try:
        server = ControlServer(folder / "control.sock", inbox.put)
        server.start()
    finally:
        os.setegid(0)
    (folder / "control.sock").chmod(0o666)
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK_AS_OTHER, str(folder / "control.sock")],
        user=65534, group=65534, extra_groups=groups, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    server.close()
    assert json.loads(asked.stdout)["code"] == code, asked.stderr


def test_the_socket_of_a_killed_daemon_is_taken_over(tmp_path: Path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    daemon = Daemon(path)
    daemon.server.start()
    client = daemon.connect()
    client.say(b"?")
    assert client.hear()["code"] == "not-json"
    client.close()
    daemon.server.close()


def test_a_second_daemon_is_refused_and_the_first_goes_on(daemon: Daemon):
    with pytest.raises(AgentError, match="a daemon serves it already; stop that one first"):
        ControlServer(daemon.path, daemon.inbox.put).start()
    client = daemon.connect()
    client.say(b"?")
    assert client.hear()["code"] == "not-json"


@pytest.mark.parametrize("name", ["a-file", "x" * 120])
def test_a_path_that_cannot_be_served_is_named(tmp_path: Path, name: str):
    (tmp_path / "a-file").write_text("precious")
    with pytest.raises(AgentError, match=r"control\.socket .*: cannot listen there"):
        ControlServer(tmp_path / name, print).start()
    assert (tmp_path / "a-file").read_text() == "precious"


def test_close_sends_the_last_ack_hangs_up_and_removes_the_socket(daemon: Daemon):
    client = daemon.connect()
    client.say({"type": "restart", "scope": "agent", "id": "bye"})
    daemon.next()
    daemon.acknowledge("bye", AckState.SUCCEEDED)
    daemon.server.close()
    daemon.server.close()
    daemon.acknowledge("bye", AckState.SUCCEEDED)
    assert client.hear()["id"] == "bye"
    assert client.hear() is None
    assert not daemon.path.exists()
