"""Under-voltage and throttling of a Raspberry Pi, now and since the machine started.

Bits: Raspberry Pi documentation, `vcgencmd get_throttled`.
"""

from __future__ import annotations

import subprocess

from msgspec import structs

from agent.core.model.figures import HostFigures
from agent.host.system import System

BITS = {
    "under_voltage": 0,
    "frequency_capped": 1,
    "throttled": 2,
    "temperature_limited": 3,
}
STICKY_SHIFT = 16
"""The same four bits again, 16 higher: it happened since the machine started."""

SYSFS = "/sys/devices/platform/*/*firmware/get_throttled"
"""Kernel 4.17 and later, hexadecimal: soc/soc:firmware on a Pi 4, soc@107c000000 on a Pi 5."""

VCGENCMD_SECONDS = 2.0


def throttling(system: System) -> HostFigures:
    """`under_voltage`, ..., and the same names with `_since_boot`; nothing on another machine."""
    bits = _bits(system)
    if bits is None:
        return HostFigures()
    now = {name: bool(bits >> bit & 1) for name, bit in BITS.items()}
    since = {
        f"{name}_since_boot": bool(bits >> (bit + STICKY_SHIFT) & 1) for name, bit in BITS.items()
    }
    return structs.replace(HostFigures(), **now, **since)


def _bits(system: System) -> int | None:
    for path in system.paths(SYSFS):
        bits = system.number(path, base=16)
        if bits is not None:
            return bits
    return _bits_from_firmware() if system.exists("/dev/vcio") else None


def _bits_from_firmware() -> int | None:
    """By `vcgencmd`, which asks the firmware: `throttled=0x50005`."""
    try:
        answer = subprocess.run(
            ["vcgencmd", "get_throttled"],
            capture_output=True,
            text=True,
            timeout=VCGENCMD_SECONDS,
            check=False,
        ).stdout
        name, _, bits = answer.partition("=")
        return int(bits, 16) if name == "throttled" else None  # else error=1 ...
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
