"""One open ALSA PCM: 48 kHz, mono, S16LE, non-blocking, with what it really does read back.

Needs pyalsaaudio 0.10 (Debian 13) or 0.11; 0.8.4 of Debian 12 cannot read under Python 3.11.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import time
from typing import Any, NoReturn

import alsaaudio
from msgspec import Struct

from agent.devices.bounded import call_within
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceTimeout
from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ

CAPTURE_PERIODS = 16
"""In the buffer of a microphone: 160 ms, so that a busy moment of this process loses nothing."""

PLAYBACK_PERIODS = 8
"""In the buffer of a loudspeaker: 80 ms. How much of it is filled, and so delay, is the writer's say."""

OPEN_SECONDS = 3.0
CLOSE_SECONDS = 1.0

SPIN_GUARD_SECONDS = 0.001
"""Some plugins' descriptors are always ready; this keeps a waiter from burning a core."""

_ABSENT_ERRORS = tuple(os.strerror(number) for number in (errno.ENODEV, errno.ENOENT, errno.ENXIO))
_UNDERRUN_ERROR = os.strerror(errno.EPIPE)
_BUSY_ERROR = os.strerror(errno.EBUSY)


class PcmFacts(Struct, frozen=True):
    """What the hardware really does. `buffer_frames` is its whole buffer."""

    rate_hz: int
    channels: int
    format: str
    period_frames: int
    buffer_frames: int


class Pcm:
    """Opened by the constructor, which raises DeviceAbsent, DeviceBusy, DeviceTimeout, DeviceError.

    `name` is the device's name in messages. `xruns` counts overruns or underruns.
    """

    def __init__(self, device: str, *, captures: bool, name: str) -> None:
        self.xruns = 0
        self.device = device
        self._name = name
        try:
            self._pcm, self.facts = call_within(
                OPEN_SECONDS,
                lambda: _open(device, captures),
                f"{name}: opening '{device}'",
                lambda late: late[0].close(),
            )
        except alsaaudio.ALSAAudioError as error:
            self._raise(error)
        self._refuse_other_settings()
        self._poll = select.poll()
        for descriptor, events in self._pcm.polldescriptors():
            self._poll.register(descriptor, events)

    def read(self) -> bytes:
        """What has been captured, up to a period; empty if there is nothing or it was an overrun.

        Raises DeviceAbsent when the device has gone.
        """
        try:
            if self._pcm.state() == alsaaudio.PCM_STATE_XRUN:
                self._restart()
                return b""
            frames, sound = self._pcm.read()
            if frames < 0:
                self._restart()  # -EPIPE: nothing beside it can be believed (failure row 12)
                return b""
        except alsaaudio.ALSAAudioError as error:
            self._raise(error)
        return bytes(sound)

    def write(self, sound: bytes) -> int:
        """The number of frames taken: 0 when the buffer is full, negative after an underrun.

        After an underrun nothing was taken and playing starts anew. Raises DeviceAbsent when the
        device has gone.
        """
        try:
            if self._pcm.state() == alsaaudio.PCM_STATE_XRUN:
                return self._restart()
            frames = self._write(sound)
            return self._restart() if frames < 0 else frames
        except alsaaudio.ALSAAudioError as error:
            self._raise(error)

    def _write(self, sound: bytes) -> int:
        """As pyalsaaudio 0.11 does it, with 0.10 as well: negative after an underrun."""
        try:
            return int(self._pcm.write(sound))
        except alsaaudio.ALSAAudioError as error:
            if _UNDERRUN_ERROR in str(error):
                return -errno.EPIPE
            raise

    def wait(self, seconds: float) -> None:
        """Until the device is ready for the next call, or so long."""
        time.sleep(min(SPIN_GUARD_SECONDS, seconds))
        self._poll.poll(max(0.0, seconds - SPIN_GUARD_SECONDS) * 1000)

    def queued_seconds(self) -> float:
        """Sound written and not yet played."""
        _, _, available = self._pcm.htimestamp()
        free = min(max(0, available), self.facts.buffer_frames)
        return float((self.facts.buffer_frames - free) / SAMPLE_RATE_HZ)

    def close(self) -> None:
        """Left to the process's end when the kernel does not let go in time (failure row 13).

        pyalsaaudio may keep the interpreter's lock meanwhile: then only killing the process helps.
        """
        with contextlib.suppress(DeviceTimeout):
            call_within(CLOSE_SECONDS, self._pcm.close, f"{self._name}: closing '{self.device}'")

    def _restart(self) -> int:
        """After an overrun or underrun: the next call begins anew, in every pyalsaaudio.

        0.10 hides an xrun or raises, 0.11 returns -EPIPE; the stopped stream is prepared by both. Raises
        ALSAAudioError where the device has gone meanwhile.
        """
        self.xruns += 1
        self._pcm.drop()
        return -errno.EPIPE

    def _refuse_other_settings(self) -> None:
        facts = self.facts
        if (facts.rate_hz, facts.channels, facts.format) == (SAMPLE_RATE_HZ, 1, "S16_LE"):
            return
        self.close()
        text = (
            f"{self._name}: '{self.device}' does {facts.rate_hz} Hz, {facts.channels} channels, "
            f"{facts.format} instead of 48000 Hz, 1, S16_LE; use plughw: instead of hw:"
        )
        raise DeviceError("wrong-format", text)

    def _raise(self, error: Exception) -> NoReturn:
        reason = str(error)
        about = f"{self._name}: '{self.device}'"
        if any(absent in reason for absent in _ABSENT_ERRORS):
            raise DeviceAbsent("absent", f"{about} is not there; check its cable") from error
        if _BUSY_ERROR in reason:
            text = f"{about} is held by another program; see fuser -v /dev/snd/*"
            raise DeviceBusy("busy", text) from error
        raise DeviceError("failed", f"{about}: {reason}") from error


def _open(device: str, captures: bool) -> tuple[Any, PcmFacts]:
    pcm = alsaaudio.PCM(
        type=alsaaudio.PCM_CAPTURE if captures else alsaaudio.PCM_PLAYBACK,
        mode=alsaaudio.PCM_NONBLOCK,
        device=device,
        rate=SAMPLE_RATE_HZ,
        channels=1,
        format=alsaaudio.PCM_FORMAT_S16_LE,
        periodsize=PERIOD_FRAMES,
        periods=CAPTURE_PERIODS if captures else PLAYBACK_PERIODS,
    )
    info = pcm.info()
    return pcm, PcmFacts(
        info["rate"],
        info["channels"],
        info["format_name"],
        info["period_size"],
        info["buffer_size"],
    )
