"""The doctor finds what is wrong around the room: hub, certificates, clock, disk, power, daemon."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent.enrolment.authority import Authority
from tests.cli.conftest import Bench
from tests.support.broker import REPOSITORY, Broker, free_port
from tests.support.waiting import wait_for

MakeBench = Callable[..., Bench]
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@contextmanager
def http_server(status: int, clock: Callable[[], datetime]) -> Iterator[str]:
    """A media server that says this status and this time to whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self.send_response_only(status)
            self.send_header("Date", format_datetime(clock(), usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not into the test's output."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def now() -> datetime:
    return datetime.now(UTC)


def fake_machine(folder: Path, throttled: str) -> tuple[str, str]:
    """A tree with a Raspberry Pi's supply in it, as the option for the doctor."""
    (folder / THROTTLED).parent.mkdir(parents=True)
    (folder / THROTTLED).write_text(throttled)
    return ("--root", str(folder))


FULL_DISK = ("unshare", "--mount", "--map-root-user", "sh", "-c")


def on_full_disk(folder: Path) -> tuple[str, ...]:
    """The beginning of a command that sees a full disk at `folder`."""
    mount = f'mount -t tmpfs -o size=1m tmpfs {folder} && exec "$@"'
    return (*FULL_DISK, mount, "sh")


def test_without_a_daemon_it_says_so_and_looks_at_the_rest(make_bench: MakeBench) -> None:
    found = make_bench().doctor()
    assert found.troubles == ["service-down"]
    assert found.exit_code == 1
    assert {"camera-ok", "microphone-ok", "speaker-ok", "hub-ok"} <= set(found.codes("ok"))


@pytest.mark.parametrize("device_fault", [None, ("camera", "black")], ids=["alone", "and black"])
def test_a_hung_daemon(make_bench: MakeBench, device_fault: tuple[str, str] | None) -> None:
    bench = make_bench()
    bench.room.start()
    bench.room.wait_online()
    if device_fault:
        bench.break_device(*device_fault)
    os.kill(bench.room.pid, signal.SIGSTOP)
    try:
        found = bench.doctor()
    finally:
        os.kill(bench.room.pid, signal.SIGCONT)
    assert found.troubles == ["service-hung", *(["camera-black"] if device_fault else [])]


def test_a_socket_that_never_answers(make_bench: MakeBench) -> None:
    bench = make_bench()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(bench.room.settings["control"]["socket"])
        deaf.listen()
        found = bench.doctor("service", "camera")
    assert found.troubles == ["service-hung"]
    assert found.codes("ok") == ["camera-ok"]


@pytest.mark.parametrize("started", [False, True], ids=["daemon down", "daemon up"])
def test_no_broker_and_no_media_server(make_bench: MakeBench, started: bool) -> None:
    bench = make_bench(free_port(), f"http://127.0.0.1:{free_port()}")
    if started:
        bench.room.start()
        bench.room.wait_answering()
    found = bench.doctor("service", "hub", "media-server")
    expected = ["hub-refused", "media-server-unreachable"]
    assert found.troubles == ([] if started else ["service-down"]) + expected


@pytest.mark.parametrize("started", [False, True], ids=["daemon down", "daemon up"])
def test_a_refused_login(make_bench: MakeBench, tmp_path: Path, started: bool) -> None:
    (tmp_path / "password").write_text("wrong\n")
    (tmp_path / "password").chmod(0o600)
    with Broker(
        tmp_path / "broker", ["allow_anonymous false"], config=anonymous_less(tmp_path)
    ) as hub:
        bench = make_bench(hub.port)
        bench.room.settings["hub"] |= {
            "username": "lung-cu",
            "password_file": str(tmp_path / "password"),
        }
        bench.write_settings()
        if started:
            bench.room.start()
            bench.room.wait_answering()
            wait_for_refusal(bench)
        found = bench.doctor("hub")
    assert found.troubles == ["hub-not-authorised"]
    assert "login" in found.finding("hub-not-authorised")["title"]


def anonymous_less(folder: Path) -> Path:
    """The shipped configuration without its permission for everybody."""
    text = (REPOSITORY / "config/hub/mosquitto.conf").read_text()
    path = folder / "strict.conf"
    path.write_text(text.replace("allow_anonymous true", ""))
    return path


def wait_for_refusal(bench: Bench) -> None:
    wait_for(
        lambda: bench.room.ask(type="status")["link"]["code"] not in ("starting", "ok"),
        20,
        "the daemon's link refused",
    )


@pytest.mark.parametrize(
    ("age_days", "code"), [(1000, "hub-tls-hub-expired"), (-1000, "hub-tls-not-yet-valid")]
)
def test_a_certificate_out_of_its_time(
    make_bench: MakeBench, tmp_path: Path, age_days: int, code: str
) -> None:
    then = now() - timedelta(days=age_days)
    authority = Authority(tmp_path / "authority")
    authority.create("diemcau/v1")
    Authority(authority.folder, lambda: then).enrol_hub(["localhost", "127.0.0.1"])
    authority.enrol_room("lung-cu", [])  # makes the revocation list of today
    files = authority.folder / "rooms/lung-cu"
    production = REPOSITORY / "config/hub/production.conf"
    with Broker(tmp_path / "broker", config=production, files=authority.broker) as hub:
        bench = make_bench(hub.port)
        bench.room.settings["hub"]["tls"] = {
            "ca": str(files / "ca.pem"),
            "certificate": str(files / "room.pem"),
            "key": str(files / "room.key"),
        }
        bench.write_settings()
        found = bench.doctor("settings", "hub")
    assert found.troubles == [code]


def test_a_cloned_card_is_recognised(make_bench: MakeBench) -> None:
    one, other = make_bench(), make_bench()
    other.room.settings["hub"] = one.room.settings["hub"]
    for bench in (one, other):
        bench.room.start()
        bench.room.wait_answering()
    wait_for(
        lambda: "session-taken-over" in (link_code(one), link_code(other)), 60, "two take turns"
    )
    told = one if link_code(one) == "session-taken-over" else other
    assert told.doctor("hub").troubles == ["hub-session-taken-over"]


def link_code(bench: Bench) -> str:
    return str(bench.room.ask(type="status")["link"]["code"])


def test_a_wrong_clock_alone_and_with_a_media_server_that_refuses(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    with http_server(200, lambda: now() + timedelta(hours=7)) as url:
        found = make_bench(media_url=url).doctor("clock")
        assert found.troubles == ["clock-wrong"]
    with http_server(401, lambda: now() - timedelta(days=400)) as url:
        bench = make_bench(media_url=url)
        (token := tmp_path / "token").write_text("an old one")
        bench.room.settings["media"]["token_file"] = str(token)
        bench.write_settings()
        found = bench.doctor("clock", "media-server")
        assert found.troubles == ["clock-wrong", "media-server-refused"]


def test_a_full_disk_alone_and_with_under_voltage(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = make_bench()
    store = Path(bench.room.settings["store"]["path"])
    store.mkdir(parents=True)
    fills = ("sh", "-c", f'head -c 900k /dev/zero > {store}/junk; exec "$@"', "sh")
    before = (*on_full_disk(store), *fills)
    assert bench.doctor("storage", before=before).troubles == ["storage-full"]
    weak = fake_machine(tmp_path / "root", "50005")
    found = bench.doctor("storage", "power", *weak, before=before)
    assert set(found.troubles) == {"storage-full", "power-under-voltage"}


@pytest.mark.parametrize(
    ("throttled", "codes"),
    [
        ("0", []),
        ("50005", ["power-under-voltage"]),
        ("50000", ["power-under-voltage-occurred"]),
    ],
)
def test_the_power_supply(
    make_bench: MakeBench, tmp_path: Path, throttled: str, codes: list[str]
) -> None:
    machine = fake_machine(tmp_path / "root", throttled)
    assert make_bench().doctor("power", *machine).troubles == codes


def test_broken_settings_do_not_hide_a_broken_camera(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.room.settings["hub"]["keepalive_second"] = 3
    bench.room.settings["devices"]["camera"]["framerate"] = "fast"
    bench.write_settings()
    bench.break_device("camera", "unplugged")
    found = bench.doctor("settings", "camera")
    assert found.troubles == ["settings-broken", "camera-absent"]
    problems = [f["evidence"] for f in found.sections[0]["findings"]]
    assert any("did you mean keepalive_seconds?" in problem for problem in problems)


def test_a_password_in_the_media_servers_address_is_not_shown(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.room.settings["media"]["publish_url"] = "http://room:geheim@127.0.0.1:9/{meeting}/whip"
    bench.write_settings()
    done = bench.run("doctor", "media-server")
    assert "http://***@127.0.0.1:9: Connection refused" in done.stdout
    assert "geheim" not in done.stdout + done.stderr


def test_a_device_whose_settings_are_broken_is_not_called_missing(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.room.settings["devices"]["camera"]["driver"] = "v4l"
    bench.room.settings["devices"]["display"]["relay"]["driver"] = "gpoi"
    bench.room.settings["devices"]["panel"] = None
    bench.write_settings()
    found = bench.doctor("camera", "display", "panel")
    assert found.codes("skipped") == ["camera-unknown", "display-unknown", "panel-none"]


def test_a_simulated_loudspeaker_that_no_air_carries_is_not_called_dead(
    make_bench: MakeBench,
) -> None:
    bench = make_bench()
    bench.room.devices["simulation"]["echo"] = False
    bench.write_settings()
    found = bench.doctor("speaker")
    assert found.troubles == []
    assert found.codes("skipped") == ["speaker-simulated"]
    assert bench.run("test", "speaker", "--seconds", "0.5").returncode == 0


def test_a_file_that_is_no_yaml_leaves_out_what_cannot_be_known(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.config.write_text("room: [\n")
    found = bench.doctor()
    assert found.troubles[0] == "settings-broken"
    assert found.exit_code == 1
    assert {"camera-unknown", "hub-unknown"} <= set(found.codes("skipped"))


def test_an_unknown_subject_is_an_error_of_its_own(make_bench: MakeBench) -> None:
    done = make_bench().run("doctor", "kamera")
    assert done.returncode == 2
    assert "kamera" in done.stderr
    assert "camera" in done.stderr
