"""Health's `host`: a Pi's figures from a tree of /proc and /sys files as a Pi has them."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from agent.core.model.documents import Status
from agent.core.model.figures import HostFigures
from agent.host import System, sample, synchronised
from agent.host.network import SIOCGIFADDR, SIOCGIWPOWER, network
from agent.host.power import throttling
from agent.host.sampling import verdict

THROTTLED_PI_4 = "sys/devices/platform/soc/soc:firmware/get_throttled"
THROTTLED_PI_5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"

PI_4 = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
    "proc/loadavg": "0.21 0.30 0.28 1/163 1042\n",
    "proc/uptime": "8123.45 30211.11\n",
    "proc/meminfo": "MemTotal:  3884156 kB\nMemFree: 2000 kB\nMemAvailable: 3012345 kB\n",
    "proc/self/mounts": "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\noverlay / overlay ro,relatime 0 0\n",
    "proc/net/route": (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    ),
    "run/systemd/timesync/synchronized": "",
    "sys/class/net/eth0/speed": "1000\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "51121\n",
    THROTTLED_PI_4: "0\n",
}

Tree = Callable[..., System]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def make(changes: dict[str, str | None] | None = None) -> System:
        for name, content in {**PI_4, **(changes or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_text(content)
        return System(tmp_path)

    return make


def test_a_healthy_pi(tree: Tree, tmp_path: Path) -> None:
    figures = sample(tmp_path, system=tree())
    assert (figures.status, figures.code, figures.text) == (Status.OK, "ok", "")
    assert figures.model == "Raspberry Pi 4 Model B Rev 1.5"
    assert figures.cpu_celsius == pytest.approx(51.1, abs=0.1)
    assert figures.load_1_minute == 0.21
    assert figures.uptime_seconds == 8123.45
    assert figures.memory_megabytes == 3977
    assert figures.memory_available_megabytes == 3084
    assert figures.root_read_only is True
    assert figures.clock_synchronised is True
    assert figures.interface == "eth0"
    assert figures.link_megabits == 1000
    assert figures.under_voltage is False
    assert figures.under_voltage_since_boot is False
    assert figures.disk_free_megabytes > 0


@pytest.mark.parametrize("path", [THROTTLED_PI_4, THROTTLED_PI_5])
def test_throttling_bits_are_told_apart_now_and_since_boot(tree: Tree, path: str) -> None:
    bits = throttling(tree({THROTTLED_PI_4: None, path: "50005\n"}))
    assert {name for name, is_set in structs.asdict(bits).items() if is_set} == {
        "under_voltage",
        "throttled",
        "under_voltage_since_boot",
        "throttled_since_boot",
    }
    assert (bits.frequency_capped, bits.temperature_limited_since_boot) == (False, False)


@pytest.mark.parametrize(
    ("answer", "under_voltage"), [("throttled=0x50005", True), ("error=1", None)]
)
def test_where_the_kernel_does_not_tell_the_firmware_is_asked(
    tree: Tree,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    under_voltage: bool | None,
) -> None:
    system = tree({THROTTLED_PI_4: None, "dev/vcio": ""})
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert throttling(system) == HostFigures(), "without vcgencmd"
    program = tmp_path / "bin/vcgencmd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = get_throttled ] && echo {answer}\n')
    program.chmod(0o755)
    assert throttling(system).under_voltage is under_voltage


def test_the_default_route_counts_and_not_what_looks_like_it(tree: Tree) -> None:
    half_of_the_world = "tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
    neighbours = "lan0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    routes = PI_4["proc/net/route"] + half_of_the_world + neighbours
    figures = network(tree({"proc/net/route": routes}), lambda _request, _name: None)
    assert figures.interface == "eth0"


def test_a_cable_that_is_out_has_no_speed(tree: Tree) -> None:
    figures = network(tree({"sys/class/net/eth0/speed": "-1\n"}), lambda _request, _name: None)
    assert figures.link_megabits is None


def test_another_machine_has_no_throttling_bits(tree: Tree) -> None:
    assert throttling(tree({THROTTLED_PI_4: None})) == HostFigures()


@pytest.mark.parametrize(
    ("changes", "code", "advice"),
    [
        ({THROTTLED_PI_4: "50005"}, "under-voltage", "supply"),
        ({THROTTLED_PI_4: "50000"}, "under-voltage-occurred", "supply"),
        ({THROTTLED_PI_4: "e0008"}, "overheating", "fan"),
        ({"sys/class/thermal/thermal_zone0/temp": "84000"}, "overheating", "84 °C"),
        ({"proc/meminfo": "MemAvailable: 40000 kB"}, "memory-low", "top"),
    ],
)
def test_a_trouble_has_a_code_and_a_text_to_act_on(
    tree: Tree, tmp_path: Path, changes: dict[str, str], code: str, advice: str
) -> None:
    figures = sample(tmp_path, system=tree(changes))
    assert (figures.status, figures.code) == (Status.DEGRADED, code)
    assert advice in figures.text


@pytest.mark.parametrize(
    ("figures", "status", "code"),
    [
        ({"disk_free_megabytes": 5}, Status.FAILED, "disk-full"),
        ({"disk_free_megabytes": 150}, Status.DEGRADED, "disk-low"),
        ({"store_read_only": True, "disk_free_megabytes": 5}, Status.FAILED, "store-read-only"),
        ({"wifi_signal_dbm": -81}, Status.DEGRADED, "wifi-weak"),
        ({"certificate_days_left": 13.2}, Status.DEGRADED, "certificate-ends-soon"),
        ({"certificate_days_left": -0.1}, Status.FAILED, "certificate-expired"),
        ({"wifi_power_save": True}, Status.DEGRADED, "wifi-power-save"),
        ({"wifi_signal_dbm": -50, "wifi_power_save": False}, Status.OK, "ok"),
    ],
)
def test_the_verdict_over_figures(figures: dict[str, Any], status: Status, code: str) -> None:
    found = verdict(HostFigures(**figures))
    assert (found.status, found.code) == (status, code)


def test_the_worst_trouble_gives_the_code_and_all_are_in_the_text() -> None:
    found = verdict(HostFigures(under_voltage=True, disk_free_megabytes=1))
    assert found.code == "disk-full"
    assert "voltage" in found.text


def test_the_clock_is_believed_after_ntp_or_if_the_settings_say_so(
    tree: Tree, tmp_path: Path
) -> None:
    unset = tree({"run/systemd/timesync/synchronized": None})
    assert synchronised(unset, adjtimex=lambda: 5) is False
    assert synchronised(unset, adjtimex=lambda: 0) is True, "chronyd tells the kernel"
    assert synchronised(unset, adjtimex=lambda: -1) is False, "not allowed to ask: not known"
    assert synchronised(tree(), adjtimex=lambda: 5) is True, "timesyncd leaves its mark"
    assert sample(tmp_path, clock_trusted=True, system=unset).clock_synchronised is True
    assert verdict(HostFigures(clock_synchronised=False)).code == "clock-unsynchronised"


WIRELESS = """\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   62.  -48.  -256        0      0      0      0     12        0
"""
WIFI_ROUTE = "\n".join(PI_4["proc/net/route"].splitlines()[:2])


def test_wifi_tells_signal_and_power_save(tree: Tree) -> None:
    def kernel(request: int, name: str) -> bytes | None:
        assert name == "wlan0"
        return {
            SIOCGIFADDR: struct.pack("=HH4B", 2, 0, 192, 168, 1, 23),
            SIOCGIWPOWER: struct.pack("=iBBH", 0, 0, 0, 0),
        }[request]

    files = {
        "proc/net/route": WIFI_ROUTE,
        "proc/net/wireless": WIRELESS,
        "sys/class/net/wlan0/wireless/x": "",
    }
    assert network(tree(files), kernel) == HostFigures(
        interface="wlan0", address="192.168.1.23", wifi_signal_dbm=-48, wifi_power_save=True
    )


@pytest.mark.parametrize("level", ["62.", "0.", "200.", "-256."])
def test_a_driver_that_counts_in_something_else_has_no_dbm(tree: Tree, level: str) -> None:
    files = {
        "proc/net/route": WIFI_ROUTE.replace("wlan0", "wlx00c0caa"),
        "proc/net/wireless": WIRELESS.replace("wlan0", "wlx00c0caa").replace("-48.", level),
        "sys/class/net/wlx00c0caa/phy80211/x": "",
    }
    found = network(tree(files), lambda request, name: None)
    assert (found.interface, found.wifi_signal_dbm) == ("wlx00c0caa", None)


def test_the_advice_names_the_interface_that_there_is() -> None:
    found = verdict(HostFigures(interface="wlx00c0caa", wifi_power_save=True))
    assert "iw dev wlx00c0caa set power_save off" in found.text


def test_ipv6_only(tree: Tree) -> None:
    files = {
        "proc/net/route": "Iface\n",
        "proc/net/ipv6_route": f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 1 0 3 eth0\n",
        "proc/net/if_inet6": "fe800000000000000000000000000001 02 40 20 80 eth0\n"
        "20010db8000000000000000000000017 02 40 00 80 eth0\n",
    }
    found = network(tree(files), lambda _request, _name: None)
    assert (found.interface, found.address) == ("eth0", "2001:db8::17")


def test_no_network_has_no_figures(tree: Tree) -> None:
    assert network(tree({"proc/net/route": "Iface\n"})) == HostFigures()


def test_this_machine_is_sampled_quickly_whatever_it_is() -> None:
    started = time.perf_counter()
    figures = sample("/nowhere/at/all")
    assert time.perf_counter() - started < 10, "nothing is waited for"
    assert figures.memory_megabytes == pytest.approx(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6, rel=0.02
    )
    assert figures.uptime_seconds == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=2)
