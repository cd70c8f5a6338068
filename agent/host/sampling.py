"""All figures of the machine for health's `host`, and one status, code and text over them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from agent.core.model.documents import DeviceStatus, HostHealth, Status
from agent.core.model.figures import HostFigures
from agent.host.clock import synchronised
from agent.host.network import network
from agent.host.power import throttling
from agent.host.system import System

HOT_CELSIUS = 80.0
"""Where a Pi begins to slow down (Raspberry Pi documentation, frequency management)."""

LOW_DISK_MEGABYTES = 200
FULL_DISK_MEGABYTES = 20
LOW_MEMORY_MEGABYTES = 100
WEAK_SIGNAL_DBM = -75
CERTIFICATE_SOON_DAYS = 14
"""Time for somebody to renew it and to bring it to the room."""
MEGABYTE = 1_000_000


class Trouble(NamedTuple):
    """Something that somebody should look after."""

    status: Status
    code: str
    text: str


def sample(
    store: Path | str,
    *,
    clock_trusted: bool = False,
    journal: DeviceStatus | None = None,
    certificate_days_left: float | None = None,
    system: System | None = None,
) -> HostHealth:
    """The figures, and one verdict over them.

    `store` is the folder whose disk matters, `journal` how the journal in it does. `status`, `code`, `text` are of the worst trouble, or
    `ok`. Takes a few milliseconds; for a thread, since a sick disk may hang.
    """
    system = system or System()
    figures = HostFigures(
        model=system.read("/proc/device-tree/model"),
        cpu_celsius=_cpu_celsius(system),
        load_1_minute=_number_in(system, "/proc/loadavg", 0),
        uptime_seconds=_number_in(system, "/proc/uptime", 0),
        root_read_only=_root_read_only(system),
        clock_synchronised=clock_trusted or synchronised(system),
        certificate_days_left=certificate_days_left and round(certificate_days_left, 1),
    )
    for part in (throttling(system), _memory(system), _disk(Path(store)), network(system)):
        figures = figures.with_known(part)
    return verdict(
        figures, [Trouble(journal.status, journal.code, journal.text)] if journal else []
    )


def verdict(figures: HostFigures, more: Iterable[Trouble] = ()) -> HostHealth:
    """The figures, with `status` and `code` of the worst trouble in them and `more`, and `text` of all."""
    found = [t for t in (*more, *_troubles(figures)) if t.status is not Status.OK]
    troubles = sorted(found, key=lambda trouble: trouble.status is not Status.FAILED)
    worst = troubles[0] if troubles else Trouble(Status.OK, "ok", "")
    text = "; ".join(trouble.text for trouble in troubles)
    own = structs.asdict(figures)
    return HostHealth(**own, status=worst.status, code=worst.code, text=text)


def _troubles(figures: HostFigures) -> Iterator[Trouble]:
    yield from _power_troubles(figures)
    yield from _resource_troubles(figures)
    yield from _certificate_troubles(figures)
    if figures.clock_synchronised is False:
        text = "The clock was not set by NTP since the start: check the network's NTP (timedatectl)"
        yield Trouble(Status.DEGRADED, "clock-unsynchronised", text)
    signal = figures.wifi_signal_dbm
    if signal is not None and signal < WEAK_SIGNAL_DBM:
        text = f"Wi-Fi is weak ({signal} dBm): move the access point, or use a cable"
        yield Trouble(Status.DEGRADED, "wifi-weak", text)
    if figures.wifi_power_save:
        text = (
            f"Wi-Fi saves power, which delays sound: iw dev {figures.interface} set power_save off"
        )
        yield Trouble(Status.DEGRADED, "wifi-power-save", text)


def _certificate_troubles(figures: HostFigures) -> Iterator[Trouble]:
    days = figures.certificate_days_left
    if days is None:
        return
    if days <= 0:
        text = "This room's certificate for the hub has expired: get a new one from its operator"
        yield Trouble(Status.FAILED, "certificate-expired", text)
    elif days < CERTIFICATE_SOON_DAYS:
        text = f"This room's certificate ends in {days:.0f} days: get a new one from the hub"
        yield Trouble(Status.DEGRADED, "certificate-ends-soon", text)


def _power_troubles(figures: HostFigures) -> Iterator[Trouble]:
    supply = "use the Pi's own supply, check its cable, unplug what draws power over USB"
    if figures.under_voltage:
        yield Trouble(Status.DEGRADED, "under-voltage", f"The voltage is too low now: {supply}")
    elif figures.under_voltage_since_boot:
        text = f"The voltage was too low since the start: {supply}"
        yield Trouble(Status.DEGRADED, "under-voltage-occurred", text)
    celsius = figures.cpu_celsius or 0.0
    slowed = figures.temperature_limited or (figures.throttled and not figures.under_voltage)
    if celsius >= HOT_CELSIUS or slowed:
        text = f"The processor is too hot ({celsius:.0f} °C): check the fan, free the air's way"
        yield Trouble(Status.DEGRADED, "overheating", text)


def _resource_troubles(figures: HostFigures) -> Iterator[Trouble]:
    free = figures.disk_free_megabytes
    if figures.store_read_only:
        text = "The agent's folder is read-only, nothing can be kept: check the SD card (dmesg)"
        yield Trouble(Status.FAILED, "store-read-only", text)
    elif free is not None and free < FULL_DISK_MEGABYTES:
        text = f"The disk is full ({free} MB free): commands can't be kept; delete something"
        yield Trouble(Status.FAILED, "disk-full", text)
    elif free is not None and free < LOW_DISK_MEGABYTES:
        text = f"Only {free} MB of disk are free: delete something"
        yield Trouble(Status.DEGRADED, "disk-low", text)
    available = figures.memory_available_megabytes
    if available is not None and available < LOW_MEMORY_MEGABYTES:
        text = f"Only {available} MB of memory are free: see which process has it (top)"
        yield Trouble(Status.DEGRADED, "memory-low", text)


def _cpu_celsius(system: System) -> float | None:
    zones = {system.read(f"{path}/type"): path for path in system.paths(_ZONES)}
    path = zones.get("cpu-thermal") or next(iter(zones.values()), None)
    millidegrees = system.number(f"{path}/temp") if path else None
    return millidegrees / 1000 if millidegrees is not None else None


_ZONES = "/sys/class/thermal/thermal_zone*"


def _number_in(system: System, path: str, field: int) -> float | None:
    text = system.read(path)
    return float(text.split()[field]) if text else None


def _memory(system: System) -> HostFigures:
    lines = (line.split() for line in (system.read("/proc/meminfo") or "").splitlines())
    kibibytes = {fields[0]: int(fields[1]) for fields in lines}
    megabytes = {key: number * 1024 // MEGABYTE for key, number in kibibytes.items()}
    return HostFigures(
        memory_megabytes=megabytes.get("MemTotal:"),
        memory_available_megabytes=megabytes.get("MemAvailable:"),
    )


def _disk(store: Path) -> HostFigures:
    while not store.exists() and store != store.parent:
        store = store.parent
    try:
        disk = os.statvfs(store)
    except OSError:
        return HostFigures()
    return HostFigures(
        disk_free_megabytes=disk.f_bavail * disk.f_frsize // MEGABYTE,
        store_read_only=bool(disk.f_flag & os.ST_RDONLY),
    )


def _root_read_only(system: System) -> bool | None:
    """Of the last mount on /, which hides those before."""
    state = None
    for line in (system.read("/proc/self/mounts") or "").splitlines():
        _, where, _, options = line.split()[:4]
        if where == "/":
            state = "ro" in options.split(",")
    return state
