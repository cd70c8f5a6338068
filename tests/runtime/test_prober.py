"""The prober: what it reports, and what it does about a look that hangs."""

import queue
import threading
import time

import pytest

from agent.core.model.documents import DeviceStatus, HostHealth, Status
from agent.core.model.events import DevicesProbed, HostSampled
from agent.runtime import prober
from agent.runtime.prober import Prober

CAMERA = DeviceStatus(Status.OK, "ok", "Camera: there", required=True)


class Machine:
    """Devices and a host that can hang, and the inbox that hears of them."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue = queue.SimpleQueue()
        self.devices_answer = threading.Event()
        self.host_answers = threading.Event()
        self.devices_answer.set()
        self.host_answers.set()
        self.looks = 0
        self.prober = Prober(self.inbox.put, self.probe, self.sample)

    def probe(self) -> dict[str, DeviceStatus]:
        self.looks += 1
        self.devices_answer.wait()
        return {"camera": CAMERA}

    def sample(self) -> HostHealth:
        self.host_answers.wait()
        return HostHealth(status=Status.OK, code="ok", text="", cpu_celsius=50.0)

    def probed(self) -> tuple[DevicesProbed, HostSampled]:
        self.prober.request()
        devices, host = self.inbox.get(timeout=60), self.inbox.get(timeout=60)
        assert isinstance(devices, DevicesProbed)
        assert isinstance(host, HostSampled)
        return devices, host


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(prober, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(prober, "SAMPLE_SECONDS", 0.2)
    machine = Machine()
    yield machine
    machine.devices_answer.set()
    machine.host_answers.set()
    machine.prober.close()


def test_devices_then_host_are_reported(machine: Machine):
    devices, host = machine.probed()
    assert devices.devices == {"camera": CAMERA}
    assert host.host.cpu_celsius == 50.0


def test_a_look_that_hangs_is_reported_and_not_repeated_until_it_ends(machine: Machine):
    machine.probed()
    machine.devices_answer.clear()
    for _ in range(2):
        devices, host = machine.probed()
        camera = devices.devices["camera"]
        assert (camera.status, camera.code) == (Status.DEGRADED, "probe-stuck")
        assert camera.text.startswith("Camera: cannot be looked for, a driver hangs")
        assert (host.host.code, host.host.cpu_celsius) == ("probe-stuck", 50.0)
    assert machine.looks == 2, "one that went well, one that hangs"
    machine.devices_answer.set()
    deadline = time.monotonic() + 5
    while machine.probed()[0].devices != {"camera": CAMERA}:
        assert time.monotonic() < deadline, "well again once the driver answers"


def test_a_first_look_that_hangs_shows_in_the_host(machine: Machine):
    machine.devices_answer.clear()
    devices, host = machine.probed()
    assert devices.devices == {}
    assert (host.host.status, host.host.code) == (Status.DEGRADED, "probe-stuck")


def test_a_host_that_hangs_is_reported_with_the_devices_known(machine: Machine):
    machine.host_answers.clear()
    devices, host = machine.probed()
    assert devices.devices == {"camera": CAMERA}
    assert (host.host.status, host.host.code) == (Status.DEGRADED, "host-stuck")


def test_a_look_that_fails_is_logged_and_reported(machine: Machine, caplog):
    def broken() -> dict[str, DeviceStatus]:
        raise RuntimeError("no such card")

    failing = Prober(machine.inbox.put, broken, machine.sample)
    failing.request()
    assert machine.inbox.get(timeout=60) == DevicesProbed({})
    assert machine.inbox.get(timeout=60).host.code == "probe-stuck"
    failing.close()
    assert "no such card" in caplog.text


def test_close_does_not_wait_for_what_hangs(machine: Machine):
    machine.devices_answer.clear()
    machine.prober.request()
    began = time.monotonic()
    machine.prober.close()
    machine.prober.close()
    assert time.monotonic() - began < 10
