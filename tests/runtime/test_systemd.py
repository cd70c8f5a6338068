"""What systemd hears on its socket."""

import os
import socket
import sys
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


@pytest.mark.parametrize("library", ["present", "absent"])
def test_every_word_arrives(manager, monkeypatch, library):
    settings = environment(manager)
    monkeypatch.setenv("NOTIFY_SOCKET", settings["NOTIFY_SOCKET"])  # systemd-python reads it itself
    if library == "present":
        pytest.importorskip("systemd.daemon")
    else:
        monkeypatch.setitem(sys.modules, "systemd.daemon", None)
    notifier = Notifier.from_environment(settings)
    notifier.ready()
    notifier.status("in meeting giao-ban\nREADY=0")
    notifier.watchdog()
    notifier.stopping()
    heard = [manager.recv(4096).decode() for _ in range(4)]
    assert heard == ["READY=1", "STATUS=in meeting giao-ban READY=0", "WATCHDOG=1", "STOPPING=1"]


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


def test_a_manager_that_is_gone_is_logged_and_survived(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "systemd.daemon", None)
    Notifier.from_environment({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).watchdog()
    assert "cannot tell systemd WATCHDOG" in caplog.text
