"""What the service may not do: enforced by this kernel, and not by a container's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.host import SERVICE, journal, main_pid, run, unit
from tests.system.room import Room

OPEN = "import os, sys; os.close(os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK))"
EAT = "x = bytearray(700 << 20); x[:: 4096] = b'x' * len(x[:: 4096]); print('eaten')"


def in_the_service(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as root, but in the service's control group: what binds the service binds it."""
    group = Path(f"/sys/fs/cgroup{unit('ControlGroup')}/cgroup.procs")
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=False,
        text=True,
        capture_output=True,
        timeout=300,
        preexec_fn=lambda: group.write_text(str(os.getpid())) and None,
    )


@pytest.mark.parametrize("device", ["/dev/vda", "/dev/ttyS0", "/dev/kmsg"])
def test_a_device_outside_the_list_is_denied(room: Room, device: str) -> None:
    os.close(os.open(device, os.O_RDWR | os.O_NONBLOCK))
    done = in_the_service(OPEN, device)
    assert "Operation not permitted" in done.stderr, done


@pytest.mark.parametrize("device", ["/dev/gpiochip0", "/dev/snd/controlC0", "/dev/dri/card0"])
def test_a_device_of_the_list_is_not(room: Room, device: str) -> None:
    done = in_the_service(OPEN, device)
    assert done.returncode == 0, done


def test_memory_is_bounded_and_the_daemon_outlives_the_glutton(room: Room) -> None:
    daemon = main_pid()
    done = in_the_service(EAT)
    assert done.returncode == -signal.SIGKILL, done
    assert main_pid() == daemon
    assert unit("ActiveState") == "active"
    assert room.command("ping")["state"] == "succeeded"
    assert any("oom" in entry["MESSAGE"].lower() for entry in journal(f"UNIT={SERVICE}"))


def test_systemd_feeds_the_hardware_watchdog() -> None:
    """The package asks for it; here softdog is the hardware."""
    (softdog,) = (
        device
        for device in Path("/sys/class/watchdog").iterdir()
        if (device / "identity").read_text().startswith("Software")
    )
    folder = Path("/etc/systemd/system.conf.d")
    folder.mkdir(exist_ok=True)
    (folder / "vm.conf").write_text(f"[Manager]\nWatchdogDevice=/dev/{softdog.name}\n")
    run("systemctl", "daemon-reexec")
    assert (softdog / "state").read_text().strip() == "active"
    assert (softdog / "timeout").read_text().strip() == "15"
