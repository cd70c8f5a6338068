"""The microphone and the loudspeaker, alone and as a loop through the room's air.

Runs in the test process, on the same drivers as a meeting.
"""

from __future__ import annotations

import threading
import time
import wave
from array import array
from collections.abc import Callable, Iterable

from agent.core.model.device_detail import SoundDetail
from agent.devices import registry, samples
from agent.diagnostics import sound
from agent.diagnostics.bench.protocol import Level, LoopResult, PlayResult, Request, SoundResult
from agent.errors import DeviceAbsent, DeviceError
from agent.ipc.patience import patience
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES, SAMPLE_RATE_HZ, Microphone, Speaker

TONE_HZ = 880.0
ENOUGH_CHIRPS, MOST_CHIRPS = 2, 6
"""Unheard so often without a tear the loudspeaker is silent; more often nobody wants to hear it."""

LOOP_SECONDS = 1.2
"""From the chirp's start: its length, a slow television's delay (400 ms) and some air."""

CHIRP_OUT_SECONDS = sound.CHIRP_SECONDS + 0.3
"""Written later than this, some of the chirp may have come after the listening."""

WHOLE = 0.95
"""The share of the time listened to that a recording must hold to be called undisturbed."""

PERIOD_SECONDS = PERIOD_FRAMES / SAMPLE_RATE_HZ

PATIENCE_SECONDS = 1.0
"""What playing may take beyond the sound's own length."""

LEVEL_PERIODS = 10
"""A level every 100 ms."""


def try_microphone(request: Request, report: Callable[[Level], None]) -> SoundResult:
    """Listen; record to `file` if one is given. Raises DeviceError, OSError."""
    microphone = _microphone(request)
    microphone.open()
    try:
        heard = _listen(microphone, request.seconds, report)
        status = microphone.status()
    finally:
        microphone.close()
    if request.file:
        _write_wav(request.file, heard)
    return SoundResult(sound.measure(heard), status)


def try_tone(request: Request) -> PlayResult:
    """Play a tone. Raises DeviceError."""
    return _play(request, sound.tone(TONE_HZ, request.seconds))


def try_recording(request: Request) -> PlayResult:
    """Play the recording in `file`. Raises DeviceError, OSError."""
    with wave.open(request.file) as file:
        return _play(request, samples.to_numbers(file.readframes(file.getnframes())))


def try_loop(request: Request) -> LoopResult:
    """Play the chirp and listen to it. Raises DeviceError.

    Again until it was heard, or was not although nothing tore the sound: a door that slams hides
    one chirp, and a busy machine tears several.
    """
    undisturbed = 0
    for _ in range(MOST_CHIRPS):
        heard, smooth = _chirp(request)
        echo = sound.find_chirp(heard)
        undisturbed += smooth
        if echo.found or undisturbed == ENOUGH_CHIRPS:
            break
    return LoopResult(echo, sound.measure(heard), undisturbed == ENOUGH_CHIRPS)


def _chirp(request: Request) -> tuple[array[int], bool]:
    """What the microphone heard while one chirp was played, and whether all of both went as it should."""
    microphone, speaker = _microphone(request), _speaker(request)
    chirp = sound.chirp()
    microphone.open()
    try:
        speaker.open()
        try:
            heard, in_time = _listen_to(microphone, speaker, chirp)
            statuses = (microphone.status(), speaker.status())
            torn = any(SoundDetail.of(status.detail).xruns for status in statuses)
            whole = len(heard) >= WHOLE * LOOP_SECONDS * SAMPLE_RATE_HZ
            return heard, in_time and whole and not torn
        finally:
            speaker.close()
    finally:
        microphone.close()


def _listen_to(
    microphone: Microphone, speaker: Speaker, chirp: list[int]
) -> tuple[array[int], bool]:
    """What was heard, and whether the chirp was out while it was listened to."""
    broken: list[DeviceError] = []
    ended: list[float] = []

    def play() -> None:
        _write_all(speaker, chirp, broken)
        ended.append(time.monotonic())

    player = threading.Thread(target=play)
    began = time.monotonic()
    player.start()
    heard = _listen(microphone, LOOP_SECONDS)
    player.join()
    if broken:
        raise broken[0]
    return heard, ended[0] - began <= CHIRP_OUT_SECONDS


def _write_all(speaker: Speaker, numbers: Iterable[int], broken: list[DeviceError]) -> None:
    content = samples.to_bytes(numbers) + bytes(PERIOD_BYTES)
    end = (
        time.monotonic() + len(content) / PERIOD_BYTES * PERIOD_SECONDS + patience(PATIENCE_SECONDS)
    )
    try:
        for at in range(0, len(content) - PERIOD_BYTES + 1, PERIOD_BYTES):
            if time.monotonic() > end:
                return  # it takes nothing; its status says so
            speaker.write(content[at : at + PERIOD_BYTES])
    except DeviceError as error:
        broken.append(error)


def _play(request: Request, numbers: Iterable[int]) -> PlayResult:
    speaker = _speaker(request)
    broken: list[DeviceError] = []
    speaker.open()
    try:
        _write_all(speaker, numbers, broken)
        time.sleep(min(1.0, speaker.delay_seconds()))  # the sound that is still queued
        status = speaker.status()
    finally:
        speaker.close()
    if broken:
        raise broken[0]
    return PlayResult(status)


def _listen(
    microphone: Microphone, seconds: float, report: Callable[[Level], None] | None = None
) -> array[int]:
    """The samples of so many seconds by the clock, fewer if the device delivers fewer."""
    heard: array[int] = array("h")
    told = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(heard) < seconds * SAMPLE_RATE_HZ:
        heard.extend(samples.to_numbers(microphone.read()))
        if report and len(heard) - told >= LEVEL_PERIODS * PERIOD_FRAMES:
            latest = sound.measure(heard[told:])
            report(Level(latest.level_dbfs, latest.peak_dbfs))
            told = len(heard)
    return heard


def _write_wav(path: str, heard: array[int]) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.to_bytes(heard))


def _microphone(request: Request) -> Microphone:
    wanted = request.devices.microphone
    if wanted is None:
        raise DeviceAbsent("absent", "devices.microphone: not in the settings")
    return registry.microphone(wanted, request.devices.simulation)


def _speaker(request: Request) -> Speaker:
    wanted = request.devices.speaker
    if wanted is None:
        raise DeviceAbsent("absent", "devices.speaker: not in the settings")
    return registry.speaker(wanted, request.devices.simulation)
