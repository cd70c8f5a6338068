"""What goes into a support bundle: each item a name, what it is, and how it is made.

Made of the tool's own views, files of the kernel, and commands that only look.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import msgspec
from msgspec import Struct

from agent import __version__
from agent.config import entries
from agent.core.model.local_queries import StatusQuery
from agent.diagnostics import runner
from agent.diagnostics.site import Site
from agent.diagnostics.subjects import SUBJECTS
from agent.errors import AgentError
from agent.ipc.patience import patience
from agent.locale import gettext as _

COMMAND_SECONDS = 10.0
LOG_LINES = 3000
LIBRARIES = ("paho-mqtt", "msgspec", "PyYAML", "gpiozero", "lgpio", "av", "typer", "rich")


class Item(Struct, frozen=True):
    """One file of the bundle. `make` never raises for what a machine doesn't have."""

    name: str
    what: str
    make: Callable[[], str]


def items(site: Site) -> list[Item]:
    """Everything, in the order in which it is listed."""
    return [
        Item("status.json", _("what the agent says of itself"), lambda: _status(site)),
        Item("doctor.json", _("what the doctor finds"), lambda: _doctor(site)),
        Item("settings.txt", _("the settings, secrets masked"), lambda: _settings(site)),
        Item("log.txt", _("the agent's last log lines"), _log),
        Item("kernel.txt", _("the kernel's messages"), lambda: run("dmesg", "--ctime")),
        Item("versions.txt", _("versions of agent, system and libraries"), _versions),
        Item("service.txt", _("what systemd says about the service"), _service),
        Item("processes.txt", _("programs that run, without their arguments"), _processes),
        Item("usb.txt", _("USB devices"), lambda: run("lsusb") + run("lsusb", "-t")),
        Item("sound.txt", _("sound cards"), _sound),
        Item("camera.txt", _("cameras"), _camera),
        Item("display.txt", _("display connectors"), _display),
        Item("network.txt", _("addresses, routes and Wi-Fi"), _network),
        Item("storage.txt", _("disks and mounts"), _storage),
        Item("power.txt", _("voltage and temperature"), _power),
    ]


def _status(site: Site) -> str:
    try:
        return msgspec.json.format(site.client.ask(StatusQuery())).decode()
    except AgentError as error:
        return f"{error}\n"


def _doctor(site: Site) -> str:
    report = runner.run(msgspec.structs.replace(site, quiet=True), SUBJECTS)
    return msgspec.json.format(msgspec.json.encode(report)).decode()


def _settings(site: Site) -> str:
    try:
        shown = entries(site.config_path)
    except AgentError as error:
        return f"{error}\n"
    return "".join(f"{entry.key} = {entry.value}  ({entry.origin})\n" for entry in shown)


def _log() -> str:
    unit = "diemcau-agent.service"
    return run("journalctl", "-u", unit, "-o", "short-iso", "-n", str(LOG_LINES), "--no-pager")


def _versions() -> str:
    lines = [f"diemcau {__version__}", f"Python {platform.python_version()}", platform.platform()]
    for name in LIBRARIES:
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name} is not installed")
    files = _files("/etc/os-release", "/proc/device-tree/model", "/etc/rpi-issue")
    return "\n".join(lines) + "\n" + files + run("gst-inspect-1.0", "--version")


def _service() -> str:
    unit = "diemcau-agent.service"
    return run("systemctl", "status", "--no-pager", "-n", "0", unit) + run(
        "systemctl", "show", unit, "--property=NRestarts,Result,ExecMainStatus,ActiveEnterTimestamp"
    )


def _processes() -> str:
    return run("ps", "-eo", "pid,ppid,user,stat,etime,rss,comm")


def _sound() -> str:
    return _files("/proc/asound/cards", "/proc/asound/pcm", "/proc/asound/version") + run("amixer")


def _camera() -> str:
    names = "".join(
        f"{folder.name}: {_text(folder / 'name')}\n"
        for folder in sorted(Path("/sys/class/video4linux").glob("video*"))
    )
    return names + run("rpicam-hello", "--list-cameras") + run("v4l2-ctl", "--list-devices")


def _display() -> str:
    return "".join(
        f"{folder.name}: {_text(folder / 'status')}\n"
        for folder in sorted(Path("/sys/class/drm").glob("card*-*"))
    )


def _network() -> str:
    parts = [run("ip", "-brief", "address"), run("ip", "route"), _files("/etc/resolv.conf")]
    return "".join(parts) + _files("/proc/net/wireless") + run("timedatectl", "timesync-status")


def _storage() -> str:
    return run("df", "-h") + _files("/proc/mounts")


def _power() -> str:
    zones = "".join(
        f"{zone.name}: {_text(zone / 'type')} {_text(zone / 'temp')}\n"
        for zone in sorted(Path("/sys/class/thermal").glob("thermal_zone*"))
    )
    return zones + run("vcgencmd", "get_throttled")


def run(*command: str) -> str:
    """A command's output under a heading; why there is none, where there is none."""
    heading = f"$ {' '.join(command)}\n"
    program = shutil.which(command[0])
    if program is None:
        return f"{heading}not installed\n"
    try:
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience(COMMAND_SECONDS),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{heading}{error}\n"
    return f"{heading}{done.stdout}{done.stderr}\n"


def _files(*paths: str) -> str:
    return "".join(f"# {path}\n{_text(Path(path))}\n" for path in paths)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n")
    except OSError as error:
        return error.strerror or str(error)
