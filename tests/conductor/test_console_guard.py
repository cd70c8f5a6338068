"""The page's server by itself, against who guesses, floods, stays silent, or was logged out."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from argon2 import PasswordHasher

from agent.conductor.board import Board
from agent.conductor.console import server as console_server
from agent.conductor.console.accounts import Account, Accounts
from agent.conductor.console.app import Page
from agent.conductor.console.logins import MAX_KEPT, Logins, network_of
from agent.conductor.console.server import ConsoleServer
from agent.conductor.console.strangers import LINES_A_MINUTE, MINUTE_SECONDS, Strangers
from agent.conductor.main import main
from agent.conductor.requests import Asked, Audited
from agent.conductor.settings import Console
from agent.files import replace_file

PASSWORD = "rất dài và lạ"


QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def write(accounts: Accounts, **roles: str) -> None:
    """As `--account` does, but with hashes that take no time."""
    made = {name: Account(QUICK.hash(PASSWORD), role) for name, role in roles.items()}
    replace_file(accounts.file, msgspec.json.encode(made), 0o600)


def refuse(self: Accounts, name: str, password: str) -> None:
    """Instead of `Accounts.role_of`: a wrong password, found so after a while."""
    time.sleep(0.02)


class Served:
    """A page of nothing; `posted` is what it gave the conductor."""

    def __init__(self, folder: Path) -> None:
        self.accounts = Accounts(folder / "accounts.json")
        write(self.accounts, ha="operator")
        self.board = Board()
        self.posted: list[Asked | Audited] = []
        page = Page(Console(port=0), self.accounts, self.board, self.posted.append, None)
        self.server = ConsoleServer(page, "https://media")
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"

    def post(self, path: str, body: object, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, answer, cookie."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Origin": self.url} | headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]
                return answer.status, json.loads(answer.read()), cookie
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), ""

    def login(self, name: str, password: str) -> tuple[int, dict[str, str], str]:
        return self.post("/login", {"name": name, "password": password})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.server.close()


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them had passed the limit before the first was found to be wrong."""
    monkeypatch.setattr(Accounts, "role_of", refuse)
    statuses: list[int] = []

    def guess(number: int) -> None:
        statuses.append(served.login("ha", f"guess number {number}")[0])

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [401] * 5 + [429] * 15


def test_a_name_that_nobody_can_have_does_not_write_the_audit(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Accounts, "role_of", refuse)
    assert served.login("ha\n2026 ha end hop done", PASSWORD)[0] == 401
    assert [one.who for one in served.posted if isinstance(one, Audited)] == ["?"]


def test_a_stream_says_nothing_after_the_logout(served: Served) -> None:
    _, answer, cookie = served.login("ha", PASSWORD)
    request = urllib.request.Request(f"{served.url}/api/events", headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=60) as stream:
        assert stream.readline() == b"event: change\n"
        served.post("/logout", None, Cookie=cookie, **{"X-CSRF": answer["csrf"]})
        served.board.show([], [], "what nobody may see now", None)
        assert b"nobody may see" not in stream.read(), "and it ends"


def test_who_asks_nothing_is_cut(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow heads of requests, and connections without any, took one file each, for ever."""
    monkeypatch.setattr(console_server, "SILENT_SECONDS", 0.2)
    for said in (b"", b"GET / HTTP/1.1\r\nHost: "):
        with socket.create_connection(("127.0.0.1", served.server.port)) as link:
            link.settimeout(60)
            link.sendall(said)
            with contextlib.suppress(ConnectionResetError):
                assert link.recv(100) == b""
    assert served.login("ha", PASSWORD)[0] == 200


def test_the_accounts_are_read_again_only_when_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    assert accounts.role_now("ha") is None
    write(accounts, ha="operator")
    reads: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: reads.append(self) or read(self))
    for _ in range(10):
        assert accounts.role_now("ha") == "operator"
    assert len(reads) == 1
    write(accounts, ha="viewer")
    assert accounts.role_now("ha") == "viewer"
    Accounts(accounts.file).remove("ha")
    assert accounts.role_now("ha") is None


def test_an_account_needs_none_of_the_service_s_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only root may read them, and docs/meetings.md has the account made by the service's user."""
    config = tmp_path / "conductor.yaml"
    shipped = (Path(__file__).parents[2] / "config/hub/conductor.yaml").read_text("utf-8")
    config.write_text(shipped.replace("#path: /var/lib/diemcau-conductor", f"path: {tmp_path}"))
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert main(["--config", str(config), "--account", "ha", "--role", "viewer"]) == 0
    assert Accounts(tmp_path / "accounts.json").role_now("ha") == "viewer"


def test_strangers_do_not_fill_the_audit() -> None:
    told: list[Audited] = []
    strangers = Strangers(told.append)
    for _ in range(1000):
        strangers.tell(Audited("?", "login", "foreign-origin"), 100.0)
    assert len(told) == LINES_A_MINUTE
    strangers.tell(Audited("?", "login", "foreign-origin"), 100.0 + MINUTE_SECONDS)
    assert told[LINES_A_MINUTE].what == f"login, {1000 - LINES_A_MINUTE} more like these"


def test_many_names_do_not_clear_what_one_has_tried() -> None:
    logins = Logins(60)
    for number in range(MAX_KEPT):
        logins.failed(0.0, f"name {number}")
        if number % 1000 == 0:
            logins.failed(0.0, "address evil")
    assert logins.wait_seconds(0.0, "address evil") > 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("2001:db8::9", "2001:db8::/64"),
        ("?", "?"),
    ],
)
def test_addresses_of_one_network_count_together(address: str, network: str) -> None:
    assert network_of(address) == network
