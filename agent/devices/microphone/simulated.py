"""A simulated microphone: a tone or a looped WAV file in real time, that can be broken.

The loop is in step with the monotonic clock, as the simulated camera is: one of a second's length
begins anew at each whole second, and whoever hears it on this machine knows its delay.
"""

from __future__ import annotations

import math
import time

import msgspec

from agent import settings
from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus, Status
from agent.devices import samples, status
from agent.devices.air import Air
from agent.devices.microphone.level import LevelWatch
from agent.devices.pacing import Pacer
from agent.devices.simulation import FaultFolder
from agent.errors import DeviceError
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES, SAMPLE_RATE_HZ

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
        self._sound = b""
        self._started = 0
        self._pacer = Pacer()
        self._level = LevelWatch()

    def open(self) -> DeviceStatus:
        """See the port; also raises DeviceError when the WAV file is of no use."""
        self._faults.open()
        source, hertz = self._wanted.source, self._wanted.tone_hz
        self._sound = read_wav(source) if source else tone(hertz)
        self._started = int(time.monotonic() * SAMPLE_RATE_HZ)
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
        began = self._started + (self._pacer.taken - 1) * PERIOD_FRAMES
        period = disturb(self._air.hear(piece(self._sound, began), began), fault)
        self._level.hear(period)
        return period

    def status(self) -> DeviceStatus:
        """See the port."""
        detail = SoundDetail(
            rate_hz=SAMPLE_RATE_HZ,
            xruns=self._xruns,
            silences=self._silences,
            level_dbfs=self._level.level_dbfs(),
        )
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
    import wave

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


def piece(sound: bytes, first: int) -> bytes:
    """The period that begins with this sample of the sound, which goes on for ever."""
    at = 2 * first % len(sound)
    found = sound[at : at + PERIOD_BYTES]
    while len(found) < PERIOD_BYTES:
        found += sound[: PERIOD_BYTES - len(found)]
    return found


def disturb(period: bytes, fault: str) -> bytes:
    """The period as a broken microphone would deliver it."""
    if fault == "dead":
        return bytes(len(period))
    if fault not in GAINS:
        return period
    gain = GAINS[fault]
    return samples.to_bytes(sample * gain for sample in samples.to_numbers(period))
