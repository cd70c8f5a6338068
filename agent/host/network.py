"""The network interface towards the hub: which, its address, and how well its Wi-Fi does."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable

from msgspec import structs

from agent.core.model.figures import HostFigures
from agent.host.system import System

SIOCGIFADDR = 0x8915
"""netdevice(7): an interface's IPv4 address."""

SIOCGIWPOWER = 0x8B2D
"""linux/wireless.h: an interface's power management; struct iw_param in the answer."""

IFREQ_BYTES = 40
"""struct ifreq and struct iwreq on 64-bit Linux: a name of 16 bytes and a union."""

WIRELESS_MARKS = ("wireless", "phy80211")
"""In sysfs, of drivers with the old interface (WEXT) and of all."""

LEAST_DBM = -120
"""Less than any receiver hears."""

Ioctl = Callable[[int, str], bytes | None]


def network(system: System, ioctl: Ioctl | None = None) -> HostFigures:
    """`interface`, `address`, `link_megabits`, for Wi-Fi `wifi_...`; nothing without a route."""
    ask = ioctl or ask_interface
    name = _default_interface(system)
    if name is None:
        return HostFigures()
    figures = HostFigures(interface=name, address=_address(system, name, ask))
    if any(system.exists(f"/sys/class/net/{name}/{mark}") for mark in WIRELESS_MARKS):
        return figures.with_known(_wifi(system, name, ask))
    speed = system.number(f"/sys/class/net/{name}/speed")
    return structs.replace(figures, link_megabits=speed if speed and speed > 0 else None)


def ask_interface(request: int, name: str) -> bytes | None:
    """The union of the kernel's answer about the interface, None if it has none."""
    query = struct.pack(f"16s{IFREQ_BYTES - 16}x", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        try:
            return fcntl.ioctl(connection, request, query)[16:]
        except OSError:
            return None


def _default_interface(system: System) -> str | None:
    """The interface of the default route with the lowest metric; IPv4 before IPv6."""
    routes = []
    for line in (system.read("/proc/net/route") or "").splitlines()[1:]:
        fields = line.split()
        if fields[1] == "00000000" and fields[7] == "00000000":
            routes.append((int(fields[6]), fields[0]))
    for line in (system.read("/proc/net/ipv6_route") or "").splitlines():
        fields = line.split()
        if not routes and fields[1] == "00" and fields[0] == "0" * 32 and fields[9] != "lo":
            return fields[9]
    return min(routes)[1] if routes else None


def _address(system: System, name: str, ask: Ioctl) -> str | None:
    answer = ask(SIOCGIFADDR, name)
    if answer is not None:
        return socket.inet_ntoa(answer[4:8])  # sockaddr_in: family, port, address
    for line in (system.read("/proc/net/if_inet6") or "").splitlines():
        fields = line.split()
        if fields[5] == name and fields[3] == "00":  # global scope
            return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0]))
    return None


def _wifi(system: System, name: str, ask: Ioctl) -> HostFigures:
    signal = None
    for line in (system.read("/proc/net/wireless") or "").splitlines():
        interface, _, rest = line.strip().partition(":")
        if interface == name:
            signal = _dbm(rest.split()[2])
    power = ask(SIOCGIWPOWER, name)
    saves = None if power is None else power[5] == 0  # iw_param: value, fixed, disabled, flags
    return HostFigures(wifi_signal_dbm=signal, wifi_power_save=saves)


def _dbm(level: str) -> int | None:
    """None where the driver counts in something else: some say 0 to 100, which is no power of a radio."""
    value = int(float(level))
    return value if LEAST_DBM <= value < 0 else None
