"""A simulated loudspeaker: plays into nothing in real time, or into a WAV file; can be broken."""

from __future__ import annotations

import struct
import time
from pathlib import Path

from agent import settings
from agent.core.documents import DeviceStatus
from agent.devices import status
from agent.devices.air import Air
from agent.devices.pacing import PERIOD_SECONDS, Pacer
from agent.devices.simulation import FaultFolder
from agent.devices.speaker.volume import scale
from agent.ports import PERIOD_BYTES, SAMPLE_RATE_HZ

BUFFER_PERIODS = 4
"""What the simulated hardware holds: 40 ms."""

LEAD_PERIODS = 2
"""The silence that playing starts with, so that a steady writer never runs dry."""

WAIT_SECONDS = 0.2
"""The longest that `write` blocks."""


class SimulatedSpeaker:
    """The port `Speaker`."""

    def __init__(self, wanted: settings.Speaker, simulation: settings.Simulation) -> None:
        self._wanted = wanted
        self._faults = FaultFolder("speaker", simulation.directory)
        self._air = Air(simulation)
        self._volume = wanted.volume
        self._underruns = self._dropped = 0
        self._written = 0
        self._clock = Pacer()
        self._recording: WavRecording | None = None

    def open(self) -> DeviceStatus:
        """See the port."""
        self._faults.open()
        if self._wanted.record:
            self._recording = WavRecording(Path(self._wanted.record))
        self._air.open()
        self._written = 0
        return self.status()

    def write(self, sound: bytes) -> None:
        """See the port. An underrun is heard, and recorded, as silence."""
        fault = self._faults.fault()
        if fault in ("unplugged", "stalled"):
            time.sleep(WAIT_SECONDS)
            self._dropped += 1
            self._written = int(self._clock.now())
            self._faults.raise_absent()
            return
        if self._written == 0:
            self._start()
        self._fill_gap()
        count = len(sound) // PERIOD_BYTES
        self._await_room(2 * count if fault == "slow" else count)
        for at in range(0, len(sound), PERIOD_BYTES):
            period = sound[at : at + PERIOD_BYTES]
            self._hear(bytes(PERIOD_BYTES) if fault == "dead" else scale(period, self._volume))

    def set_volume(self, percent: int) -> None:
        """See the port."""
        self._volume = percent

    def delay_seconds(self) -> float:
        """See the port."""
        return max(0.0, (self._written - self._clock.now()) * PERIOD_SECONDS)

    def status(self) -> DeviceStatus:
        """See the port. A dead loudspeaker cannot be told from a live one without a microphone."""
        required, fault = self._wanted.required, self._faults.fault()
        detail = {"xruns": self._underruns, "dropped": self._dropped, "volume": self._volume}
        if fault == "stalled":
            text = "Speaker: takes no sound (simulated); replug it"
            return status.failed("stalled", text, required=required, **detail)
        if fault == "slow":
            text = "Speaker: plays too slowly (simulated); check the USB port"
            return status.degraded("slow", text, required=required, **detail)
        presence = self._faults.presence(required=required)
        return DeviceStatus(presence.status, presence.code, presence.text, required, detail)

    def close(self) -> None:
        """See the port."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None
        self._air.close()
        self._faults.close()

    def _start(self) -> None:
        self._clock = Pacer()
        for _ in range(LEAD_PERIODS):
            self._hear(bytes(PERIOD_BYTES))

    def _fill_gap(self) -> None:
        missing = int(self._clock.now()) - self._written
        if missing > 0:
            self._underruns += 1
        for _ in range(missing):
            self._hear(bytes(PERIOD_BYTES))

    def _await_room(self, periods: int) -> None:
        excess = self._written + periods - self._clock.now() - BUFFER_PERIODS
        time.sleep(max(0.0, excess) * PERIOD_SECONDS)

    def _hear(self, period: bytes) -> None:
        self._written += 1
        self._air.play(period)
        if self._recording is not None:
            self._recording.append(period)


def create(wanted: settings.Speaker, simulation: settings.Simulation) -> SimulatedSpeaker:
    """The port `Speaker`."""
    return SimulatedSpeaker(wanted, simulation)


def probe(wanted: settings.Speaker, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the simulated loudspeaker is plugged in now."""
    return FaultFolder("speaker", simulation.directory).presence(required=wanted.required)


class WavRecording:
    """A 48 kHz mono 16-bit WAV file that is valid after every period, also if the process dies."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._bytes = 0
        self._file.write(self._header())

    def append(self, period: bytes) -> None:
        """Sound first, then the header that counts it in."""
        self._file.seek(0, 2)
        self._file.write(period)
        self._bytes += len(period)
        self._file.seek(0)
        self._file.write(self._header())

    def close(self) -> None:
        """Nothing is left to write."""
        self._file.close()

    def _header(self) -> bytes:
        rate = SAMPLE_RATE_HZ
        form = struct.pack("<4sI4s", b"RIFF", 36 + self._bytes, b"WAVE")
        fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
        return form + fmt + struct.pack("<4sI", b"data", self._bytes)
