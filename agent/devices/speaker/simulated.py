"""A simulated loudspeaker: plays into nothing in real time, or into a WAV file; can be broken."""

from __future__ import annotations

import struct
import time
from pathlib import Path

from agent import settings
from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.air import Air
from agent.devices.pacing import Pacer
from agent.devices.simulation import FaultFolder
from agent.devices.speaker.volume import scale
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES, SAMPLE_RATE_HZ

BUFFER_FRAMES = 8 * PERIOD_FRAMES
"""What the simulated hardware holds: 80 ms."""

LEAD_FRAMES = 2 * PERIOD_FRAMES
"""The silence that playing starts with, so that a steady writer never runs dry."""

FRAMES_A_MILLISECOND = SAMPLE_RATE_HZ // 1000
FRAME_BYTES = PERIOD_BYTES // PERIOD_FRAMES

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
        self._written = self._began = 0
        self._clock = Pacer()
        self._recording: WavRecording | None = None

    def open(self) -> DeviceStatus:
        """See the port."""
        self._faults.open()
        if self._wanted.record:
            self._recording = WavRecording(Path(self._wanted.record))
            self._recording.append(
                bytes(self._wanted.delay_milliseconds * FRAMES_A_MILLISECOND * FRAME_BYTES)
            )
        self._air.open()
        self._written = 0
        return self.status()

    def write(self, sound: bytes) -> None:
        """See the port. An underrun is heard, and recorded, as silence."""
        fault = self._faults.fault()
        if fault in ("unplugged", "stalled"):
            time.sleep(WAIT_SECONDS)
            self._dropped += 1
            self._written = self._played()
            self._faults.raise_absent()
            return
        if self._written == 0:
            self._start()
        self._fill_gap()
        frames = len(sound) // FRAME_BYTES
        self._await_room(2 * frames if fault == "slow" else frames)
        self._hear(bytes(len(sound)) if fault == "dead" else scale(sound, self._volume))

    def set_volume(self, percent: int) -> None:
        """See the port."""
        self._volume = percent

    def delay_seconds(self) -> float:
        """See the port."""
        return max(0, self._written - self._played()) / SAMPLE_RATE_HZ

    def status(self) -> DeviceStatus:
        """See the port. A dead loudspeaker cannot be told from a live one without a microphone."""
        required, fault = self._wanted.required, self._faults.fault()
        detail = SoundDetail(mixer="software", xruns=self._underruns, dropped=self._dropped)
        if fault == "stalled":
            text = "Speaker: takes no sound (simulated); replug it"
            return status.failed("stalled", text, required=required, detail=detail)
        if fault == "slow":
            text = "Speaker: plays too slowly (simulated); check the USB port"
            return status.degraded("slow", text, required=required, detail=detail)
        presence = self._faults.presence(required=required)
        return DeviceStatus(presence.status, presence.code, presence.text, required, detail)

    def close(self) -> None:
        """See the port."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None
        self._air.close()
        self._faults.close()

    def _played(self) -> int:
        """Frames that have sounded since the start, silence included."""
        return int(self._clock.now() * PERIOD_FRAMES)

    def _start(self) -> None:
        self._clock = Pacer()
        self._began = int(time.monotonic() * SAMPLE_RATE_HZ)
        self._hear(bytes(LEAD_FRAMES * FRAME_BYTES))

    def _fill_gap(self) -> None:
        missing = self._played() - self._written
        if missing > 0:
            self._underruns += 1
            self._hear(bytes(missing * FRAME_BYTES))

    def _await_room(self, frames: int) -> None:
        excess = self._written + frames - self._played() - BUFFER_FRAMES
        if excess > 0:
            time.sleep(excess / SAMPLE_RATE_HZ)

    def _hear(self, sound: bytes) -> None:
        self._air.play(sound, self._began + self._written)
        self._written += len(sound) // FRAME_BYTES
        if self._recording is not None:
            self._recording.append(sound)


def create(wanted: settings.Speaker, simulation: settings.Simulation) -> SimulatedSpeaker:
    """The port `Speaker`."""
    return SimulatedSpeaker(wanted, simulation)


def probe(wanted: settings.Speaker, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the simulated loudspeaker is plugged in now."""
    return FaultFolder("speaker", simulation.directory).presence(required=wanted.required)


class WavRecording:
    """A 48 kHz mono 16-bit WAV file that is valid after every write, also if the process dies."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._bytes = 0
        self._file.write(self._header())

    def append(self, sound: bytes) -> None:
        """Sound first, then the header that counts it in."""
        self._file.seek(0, 2)
        self._file.write(sound)
        self._bytes += len(sound)
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
