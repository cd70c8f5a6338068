"""What systemd hears on its socket."""

import os
import socket
import time
from pathlib import Path

import pytest

from agent.runtime.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path):
    """The other end of NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(5)
        listener.bind(str(tmp_path / "notify"))
        yield listener


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_every_word_arrives(manager):
    notifier = Notifier.from_environment(environment(manager))
    notifier.ready()
    notifier.status("in meeting giao-ban\nREADY=0")
    notifier.watchdog()
    notifier.stopping()
    heard = [manager.recv(4096).decode() for _ in range(4)]
    assert heard == ["READY=1", "STATUS=in meeting giao-ban READY=0", "WATCHDOG=1", "STOPPING=1"]


def test_a_reload_is_timed_and_done_at_once(manager):
    """systemd.service(5), Type=notify-reload: a READY=1 counts only after such a RELOADING=1."""
    before = time.monotonic_ns() // 1000
    Notifier.from_environment(environment(manager)).reloading()
    word, stamp = manager.recv(4096).decode().split("\n")
    assert word == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    assert manager.recv(4096) == b"READY=1"


def test_the_watchdog_is_fed_twice_as_often_as_demanded(manager):
    own, other = str(os.getpid()), str(os.getpid() + 1)
    wanted = {
        (("WATCHDOG_USEC", "30000000"),): 15.0,
        (("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", own)): 15.0,
        (("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", other)): None,
        (("WATCHDOG_USEC", "0"),): None,
        (): None,
    }
    for given, seconds in wanted.items():
        notifier = Notifier.from_environment(environment(manager, **dict(given)))
        assert notifier.watchdog_interval_seconds == seconds


def test_without_systemd_nothing_happens():
    notifier = Notifier.from_environment({})
    notifier.ready()
    assert notifier.watchdog_interval_seconds is None


def test_a_manager_that_is_gone_is_logged_once_and_survived(tmp_path, caplog):
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    for _ in range(3):
        notifier.watchdog()
    assert caplog.text.count("cannot tell systemd WATCHDOG") == 1


def test_a_manager_that_does_not_listen_holds_nobody_up(manager, caplog):
    notifier = Notifier.from_environment(environment(manager))
    for _ in range(5000):  # more than any net.unix.max_dgram_qlen
        notifier.watchdog()
    assert caplog.text.count("cannot tell systemd WATCHDOG") == 1
    assert manager.recv(4096) == b"WATCHDOG=1"


def test_the_abstract_namespace(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0diemcau-test-{os.getpid()}")
        listener.settimeout(5)
        Notifier.from_environment({"NOTIFY_SOCKET": f"@diemcau-test-{os.getpid()}"}).ready()
        assert listener.recv(4096) == b"READY=1"
