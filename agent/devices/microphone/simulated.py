"""A simulated microphone: a tone or a looped WAV file in real time, that can be broken."""

from __future__ import annotations

import itertools
import math
import time
import wave
from collections.abc import Iterator

import msgspec

from agent import settings
from agent.core.documents import DeviceStatus, Status
from agent.devices import samples, status
from agent.devices.air import Air
from agent.devices.microphone.level import LevelWatch
from agent.devices.pacing import Pacer
from agent.devices.simulation import FaultFolder
from agent.errors import DeviceError
from agent.ports import PERIOD_BYTES, SAMPLE_RATE_HZ

TONE_AMPLITUDE = 8192
"""-12 dBFS, as loud speech."""

WAIT_SECONDS = 0.2
"""The longest that `read` waits for a period."""

BUFFER_PERIODS = 20
"""What the simulated hardware keeps for a reader that is late; more is an overrun."""

GAINS = {"quiet": 1 / 1024, "clipping": 16.0}
"""60 dB too low, 24 dB too high."""


class SimulatedMicrophone:
    """The port `Microphone`."""

    def __init__(self, wanted: settings.Microphone, simulation: settings.Simulation) -> None:
        self._wanted = wanted
        self._faults = FaultFolder("microphone", simulation.directory)
        self._air = Air(simulation)
        self._xruns = self._silences = 0
        self._periods: Iterator[bytes] = iter(())
        self._pacer = Pacer()
        self._level = LevelWatch()

    def open(self) -> DeviceStatus:
        """See the port; also raises DeviceError when the WAV file is of no use."""
        self._faults.open()
        sound = read_wav(self._wanted.source) if self._wanted.source else tone(self._wanted.tone_hz)
        self._periods = periods(sound)
        self._pacer = Pacer()
        self._level = LevelWatch()
        self._air.open()
        return self.status()

    def read(self) -> bytes:
        """See the port."""
        fault = self._faults.fault()
        if fault in ("unplugged", "stalled"):
            time.sleep(WAIT_SECONDS)
            self._silences += 1
            self._pacer.skip_to_now()
            self._faults.raise_absent()
            return b""
        if self._pacer.behind() > BUFFER_PERIODS:
            self._xruns += 1
            self._pacer.skip_to_now()
        for _ in range(2 if fault == "slow" else 1):
            self._pacer.take()
        period = disturb(self._air.hear(next(self._periods)), fault)
        self._level.hear(period)
        return period

    def status(self) -> DeviceStatus:
        """See the port."""
        detail = {
            "xruns": self._xruns,
            "silences": self._silences,
            "rate_hz": SAMPLE_RATE_HZ,
            "level_dbfs": self._level.level_dbfs(),
        }
        return msgspec.structs.replace(self._judge(), detail=detail)

    def close(self) -> None:
        """See the port."""
        self._air.close()
        self._faults.close()

    def _judge(self) -> DeviceStatus:
        required, fault = self._wanted.required, self._faults.fault()
        if fault == "stalled":
            text = "Microphone: no sound arrives (simulated); replug it"
            return status.failed("stalled", text, required=required)
        if fault == "slow":
            text = "Microphone: delivers too little sound (simulated); check the USB port"
            return status.degraded("slow", text, required=required)
        presence = self._faults.presence(required=required)
        if presence.status is not Status.OK:
            return presence
        return self._level.fault(required=required) or presence


def create(wanted: settings.Microphone, simulation: settings.Simulation) -> SimulatedMicrophone:
    """The port `Microphone`."""
    return SimulatedMicrophone(wanted, simulation)


def probe(wanted: settings.Microphone, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the simulated microphone is plugged in now."""
    return FaultFolder("microphone", simulation.directory).presence(required=wanted.required)


def tone(hertz: float) -> bytes:
    """About a second of sine, S16LE, cut at a whole number of cycles so that it loops unheard."""
    cycles = max(1, round(hertz))
    frames = round(cycles * SAMPLE_RATE_HZ / hertz)
    step = 2 * math.pi * cycles / frames
    return samples.to_bytes(TONE_AMPLITUDE * math.sin(step * n) for n in range(frames))


def read_wav(path: str) -> bytes:
    """The samples of a 48 kHz mono 16-bit WAV file. Raises DeviceError for any other."""
    try:
        with wave.open(path) as file:
            found = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            if found != (SAMPLE_RATE_HZ, 1, 16):
                advice = f"convert it: sox {path} -r 48000 -c 1 -b 16 converted.wav"
                text = f"Microphone: {path} is {found[0]} Hz, {found[1]} channels, {found[2]} bit, not 48000 Hz, 1, 16; {advice}"
                raise DeviceError("bad-source", text)
            sound: bytes = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise DeviceError("bad-source", f"Microphone: cannot play {path}: {error}") from error
    if not sound:
        raise DeviceError("bad-source", f"Microphone: {path} holds no sound")
    return sound


def periods(sound: bytes) -> Iterator[bytes]:
    """The sound over and over, in periods."""
    rest = b""
    for chunk in itertools.repeat(sound):
        rest += chunk
        whole = len(rest) // PERIOD_BYTES * PERIOD_BYTES
        yield from (rest[at : at + PERIOD_BYTES] for at in range(0, whole, PERIOD_BYTES))
        rest = rest[whole:]


def disturb(period: bytes, fault: str) -> bytes:
    """The period as a broken microphone would deliver it."""
    if fault == "dead":
        return bytes(len(period))
    if fault not in GAINS:
        return period
    gain = GAINS[fault]
    return samples.to_bytes(sample * gain for sample in samples.to_numbers(period))
