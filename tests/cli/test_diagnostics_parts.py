"""The doctor's parts by themselves: holders, pictures, EDID, the runner's limits."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from agent.diagnostics import runner
from agent.diagnostics.checks import device, display, power, service, storage, trouble
from agent.diagnostics.client import ControlError, DaemonClient
from agent.diagnostics.edid import DisplayFacts, read_edid
from agent.diagnostics.holders import find_holders
from agent.diagnostics.picture import Luma, difference, judge
from agent.diagnostics.report import Finding, Outcome, Report, Section, failed, ok, warning
from agent.diagnostics.site import Daemon, Presence, Site, inspect
from tests.support.waiting import wait_for


@pytest.fixture
def nowhere(tmp_path: Path) -> Site:
    """A site without settings and without a daemon."""
    return inspect(tmp_path / "none.yaml", DaemonClient(tmp_path / "none.sock"), tmp_path)


def test_who_may_not_ask_the_agent_is_told_to_use_sudo_and_nothing_else(nowhere: Site) -> None:
    """It said that the agent hangs and that its media process runs."""
    closed = structs.replace(nowhere, daemon=Daemon(Presence.CLOSED, "not permitted"))
    found = [*service.check(closed), *(device.held_by_meeting(closed, "camera") or [])]
    assert [one.code for one in found] == ["service-closed", "camera-closed"]
    assert not any(one.rights for one in found)
    report = Report([Section("service", found, 0.0)])
    assert (report.whole, report.exit_code) == (False, 2)


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Path]:
    """The control socket of an agent that hangs, and at which all places to wait are taken."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listening, contextlib.ExitStack() as waiting:
        listening.bind(str(path))
        listening.listen(0)
        for _ in range(2):
            one = waiting.enter_context(socket.socket(socket.AF_UNIX))
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(str(path))
        yield path


def test_a_hung_agent_where_others_wait_already_is_not_called_stopped(deaf: Path) -> None:
    """EAGAIN was taken for nobody listening: the tool then opened devices by itself."""
    with pytest.raises(ControlError) as caught:
        DaemonClient(deaf).status()
    assert caught.value.code == "daemon-silent"
    assert "sudo systemctl restart diemcau-agent" in caught.value.text


def test_the_process_that_holds_a_node_is_named(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.touch()
    program = f"file = open({str(node)!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        found = find_holders((f"{tmp_path}/video*",))
        holder.kill()
    assert [(one.pid, one.node) for one in found] == [(holder.pid, str(node))]
    assert found[0].command.startswith(Path(sys.executable).name)
    wait_for(lambda: not find_holders((f"{tmp_path}/video*",)), 10, "nobody holds it")


def grey(value: int) -> Luma:
    return Luma(64, 36, bytes([value]) * (64 * 36))


def noise(amount: int) -> Luma:
    generator = random.Random(1)
    return Luma(64, 36, bytes(generator.randint(0, amount) for _ in range(64 * 36)))


def test_a_black_picture_is_told_from_a_dark_one() -> None:
    assert judge(grey(16)).black
    assert not judge(grey(60)).black
    dark = bytearray(grey(16).values)
    dark[:300] = bytes([120]) * 300
    assert not judge(Luma(64, 36, bytes(dark))).black


def test_edges_are_sharp_and_a_grey_wall_is_not() -> None:
    assert judge(noise(255)).sharpness > 50
    assert judge(grey(128)).sharpness == 0


def test_equal_pictures_do_not_differ() -> None:
    assert difference(noise(255), noise(255)) == 0
    assert difference(grey(10), grey(20)) == 10


def edid() -> bytes:
    """A display of DEL called ROOM TV with 1920 x 1080, as VESA lays it out."""
    block = bytearray(128)
    block[:8] = bytes.fromhex("00ffffffffffff00")
    block[8:10] = ((4 << 10) | (5 << 5) | 12).to_bytes(2, "big")
    block[54:62] = bytes([0x02, 0x3A, 1920 & 0xFF, 0, (1920 >> 8) << 4, 1080 & 0xFF, 0, 0])
    block[61] = (1080 >> 8) << 4
    block[72:90] = b"\0\0\0\xfc\0" + b"ROOM TV\n".ljust(13)
    block[127] = -sum(block) % 256
    return bytes(block)


def test_a_display_says_who_it_is() -> None:
    assert read_edid(edid()) == DisplayFacts("DEL", "ROOM TV", 1920, 1080)


@pytest.mark.parametrize("broken", [b"", b"x" * 128, edid()[:-1] + b"\xff"])
def test_what_is_no_edid_is_none(broken: bytes) -> None:
    assert read_edid(broken) is None


def connector(drm: Path, name: str, status: str, edid_bytes: bytes) -> None:
    folder = drm / f"card1-{name}"
    folder.mkdir(parents=True)
    (folder / "status").write_text(f"{status}\n")
    (folder / "edid").write_bytes(edid_bytes)


def test_connectors_are_the_kernels(tmp_path: Path) -> None:
    connector(tmp_path, "HDMI-A-1", "disconnected", b"")
    connector(tmp_path, "HDMI-A-2", "connected", edid())
    assert list(display.all_connectors(tmp_path)) == ["HDMI-A-1", "HDMI-A-2"]
    assert display.connected(tmp_path) == {"HDMI-A-2": 128}


def test_a_ribbon_cable_is_not_pulled_with_the_power_on() -> None:
    assert "Switch the box off" in trouble.describe("camera", "absent", "", "picamera2").advice
    assert "Unplug" in trouble.describe("camera", "absent", "", "v4l2").advice


def test_a_hot_machine_is_told(nowhere: Site) -> None:
    zone = nowhere.root / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("85000\n")
    assert [finding.code for finding in power.check(nowhere)] == ["power-hot"]


def test_a_check_that_hangs_is_a_finding_and_the_others_go_on(nowhere: Site) -> None:
    released = threading.Event()

    def hang(site: Site) -> list:
        released.wait(30)
        return []

    subjects = [
        runner.Subject("storage", hang, 0.2),
        runner.Subject("power", lambda site: [ok("fine", "fine")]),
    ]
    started: list[str] = []
    report = runner.run(nowhere, subjects, started.append)
    released.set()
    assert started == ["storage", "power"]
    assert [finding.code for finding in report.findings()] == ["check-hangs", "fine"]
    assert report.exit_code == 1


def test_what_waits_for_others_keeps_nobody_waiting(nowhere: Site) -> None:
    """The media session takes longer than all devices together: a check has 20 s."""
    looked = threading.Event()

    def wait(site: Site) -> list[Finding]:
        return [ok("beside", "beside")] if looked.wait(30) else []

    def look(site: Site) -> list[Finding]:
        looked.set()
        return [ok("camera", "camera")]

    started: list[str] = []
    subjects = [
        runner.Subject("media-server", wait, 30, beside=True),
        runner.Subject("camera", look),
    ]
    report = runner.run(nowhere, subjects, started.append)
    assert [finding.code for finding in report.findings()] == ["beside", "camera"]
    assert started == ["camera", "media-server"], "who is waited for"


def test_a_check_that_breaks_down_is_a_finding(nowhere: Site) -> None:
    def broken(site: Site) -> list:
        raise ValueError("a mistake")

    report = runner.run(nowhere, [runner.Subject("power", broken)])
    (finding,) = report.findings(Outcome.FAILED)
    assert finding.code == "check-broken"
    assert "a mistake" in finding.evidence


def test_warnings_alone_are_no_failure(nowhere: Site) -> None:
    subject = runner.Subject("power", lambda site: [warning("w", "w"), ok("o", "o")])
    assert runner.run(nowhere, [subject]).exit_code == 0
    subject = runner.Subject("power", lambda site: [warning("w", "w"), failed("f", "f")])
    assert runner.run(nowhere, [subject]).exit_code == 1


def test_a_site_without_anything_can_be_looked_at(nowhere: Site) -> None:
    assert nowhere.daemon.presence is Presence.DOWN
    assert nowhere.sections.devices is None
    assert "does not exist" in nowhere.problems[0]
    assert not nowhere.devices_needed()


MOUNTS = """\
/dev/root / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
tmpfs /var/lib/diem\\040cau tmpfs rw 0 0
/dev/sda1 /run/media ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/diemcau", "ext4"),
        ("/run/diemcau", "tmpfs"),
        ("/run/media/store", "ext4"),
        ("/var/lib/diem cau/store", "tmpfs"),
        ("/tmp/store", ""),
    ],
)
def test_a_store_that_is_in_memory_is_seen(folder: str, kind: str) -> None:
    assert storage.mounted_on(Path(folder), MOUNTS) == kind


def test_a_32_bit_system_is_refused_in_a_line() -> None:
    assert [finding.code for finding in service._word_size(2**31 - 1)] == ["service-32-bit"]
    assert service._word_size(2**63 - 1) == []
