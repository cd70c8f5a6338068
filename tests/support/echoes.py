"""The sound of a room in which a loudspeaker is heard, and how well its echo was taken out.

Spoken sentences from both sides, an impulse response with a tail, clocks that differ; float samples
at 48 kHz, full scale 32768.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
PERIOD_SAMPLES = 480
Sound = NDArray[np.float64]

FAR = [
    ("vi", "Xin chào các đồng chí, hôm nay chúng ta họp về cơn bão số bảy đang tiến vào đất liền."),
    ("en-us", "Good morning everyone, the storm is moving faster than we expected last night."),
    ("vi", "Đề nghị các xã báo cáo số hộ dân cần sơ tán, và số thuyền đã vào bờ trước sáu giờ."),
    (
        "en-gb",
        "The road to the upper village is closed, and the power will be off at nine o'clock.",
    ),
]
NEAR = [
    ("vi+f3", "Chúng tôi đã sơ tán hai trăm hộ dân, nhưng nước sông vẫn đang lên rất nhanh."),
    ("en-us+f2", "We have moved two hundred families, but the river is still rising."),
]
"""espeak-ng's voices and what they say."""

FAR_DBFS, ECHO_DECIBELS, NOISE_DBFS = -20.0, -6.0, -78.0
"""The far voice at the loudspeaker, its echo at the microphone, and the noise of the room. The near
voice is as loud as the echo."""

REVERBERATION_SECONDS = 0.3
DIRECT_DECIBELS = 3.0
"""The direct sound over all that is reflected."""

FAR_ALONE_SECONDS, WORDS_SECONDS = 20.0, 8.0
CONVERGED_SECONDS = 10.0
"""ERLE is taken over the second half of the time in which the far side speaks alone."""


@cache
def speech(lines: tuple[tuple[str, str], ...]) -> Sound:
    """The sentences one after the other, 1 at their loudest."""
    return np.concatenate([_said(*line) for line in lines])


def _said(voice: str, text: str) -> Sound:
    command = ["espeak-ng", "-v", voice, "-s", "150", "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    sound = np.frombuffer(wav[44:], "<i2").astype(float)
    count = len(sound) * RATE_HZ // 22_050
    spectrum = np.zeros(count // 2 + 1, complex)
    narrow = np.fft.rfft(sound)
    spectrum[: len(narrow)] = narrow
    spoken = np.fft.irfft(spectrum, count)
    return np.concatenate([spoken / np.abs(spoken).max(), np.zeros(RATE_HZ // 3)])


@cache
def impulse_response() -> Sound:
    """Of a room: the direct sound, then a tail that decays by 60 dB."""
    count = int(REVERBERATION_SECONDS * RATE_HZ)
    decay = 10 ** (-3 * np.arange(count) / count)
    tail = np.random.default_rng(5).standard_normal(count) * decay
    tail[: RATE_HZ * 4 // 1000] = 0
    response = tail * np.sqrt(10 ** (-DIRECT_DECIBELS / 10) / np.sum(tail**2))
    response[0] = 1
    scale = 10 ** (ECHO_DECIBELS / 20) / np.sqrt(np.sum(response**2))
    return np.asarray(response * scale)


def interpolated(sound: Sound, at: Sound) -> Sound:
    """The sound between its samples (windowed sinc): what another clock would have taken."""
    whole = at.astype(int)
    result = np.zeros(len(at))
    for tap in range(-15, 17):
        distance = tap - (at - whole)
        weight = np.sinc(distance) * np.cos(np.pi * distance / 34) ** 2
        result += np.take(sound, whole + tap, mode="clip") * weight
    return result


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)) + 1e-9)


def spoken(sound: Sound) -> NDArray[np.bool_]:
    """The samples in whose period somebody speaks."""
    count = len(sound) // PERIOD_SAMPLES
    periods = sound[: count * PERIOD_SAMPLES].reshape(count, PERIOD_SAMPLES)
    loudness = np.sqrt(np.mean(periods**2, axis=1))
    result = np.zeros(len(sound), bool)
    result[: count * PERIOD_SAMPLES] = np.repeat(
        loudness > 0.05 * np.percentile(loudness, 99), PERIOD_SAMPLES
    )
    return result


class Talk(NamedTuple):
    """The far side alone, then the near alone (which the gain control settles to), both, and the
    near alone again, each time with the same words.
    """

    far: Sound
    near: Sound

    @property
    def far_alone(self) -> slice:
        return slice(0, int(FAR_ALONE_SECONDS * RATE_HZ))

    @property
    def both(self) -> slice:
        return self._words(1)

    @property
    def near_alone(self) -> slice:
        return self._words(2)

    def _words(self, time: int) -> slice:
        begin, length = self.far_alone.stop, int(WORDS_SECONDS * RATE_HZ)
        return slice(begin + time * length, begin + (time + 1) * length)


def talk() -> Talk:
    first, length = int(FAR_ALONE_SECONDS * RATE_HZ), int(WORDS_SECONDS * RATE_HZ)
    far = np.resize(speech(tuple(FAR)), first + 3 * length)
    far *= 32768 * 10 ** (FAR_DBFS / 20) / rms(far[spoken(far)])
    words = np.resize(speech(tuple(NEAR)), length)
    words *= 32768 * 10 ** ((FAR_DBFS + ECHO_DECIBELS) / 20) / rms(words[spoken(words)])
    talk = Talk(far, np.concatenate([np.zeros(first), words, words, words]))
    far[first : talk.both.start] = 0
    far[talk.near_alone] = 0
    return talk


class Judged(NamedTuple):
    """ERLE in dB with all that the canceller does, gain control too; the share (of energy) of the
    near voice that is kept while both speak, of what it is when it speaks alone; and the seconds of
    far speech after which ERLE stays above 25 dB.
    """

    erle: float
    kept: float
    converged_seconds: float


def judge(talk: Talk, echo: Sound, cleaned: Sound) -> Judged:
    """`echo` is what the microphone heard of the loudspeaker, `cleaned` what left the room."""
    end = talk.far_alone.stop
    late = slice(int(CONVERGED_SECONDS * RATE_HZ), end)
    lag = _lag(cleaned[talk.near_alone], talk.near[talk.near_alone])
    parts = (talk.near_alone, talk.both)
    alone, both = (_projected(cleaned, talk.near, part, lag) for part in parts)
    seconds = [slice(at, at + RATE_HZ) for at in range(0, end, RATE_HZ)]
    poor = [n for n, second in enumerate(seconds) if _erle(echo, cleaned, second) < 25]
    return Judged(_erle(echo, cleaned, late), both / alone, max(poor, default=-1) + 1.0)


def _erle(echo: Sound, cleaned: Sound, part: slice) -> float:
    there = spoken(echo)[part]
    return float(20 * np.log10(rms(echo[part][there]) / rms(cleaned[part][there])))


def _lag(cleaned: Sound, near: Sound) -> int:
    """Samples by which what leaves the room follows what was said, 100 ms at the most."""
    size = 2 * len(near)
    cross = np.fft.rfft(cleaned, size) * np.fft.rfft(near, size).conj()
    return int(np.abs(np.fft.irfft(cross)[: RATE_HZ // 10]).argmax())


def _projected(cleaned: Sound, near: Sound, part: slice, lag: int) -> float:
    """The energy of what `cleaned` has of the near voice, band by band over the whole part.

    A voice that comes and goes counts by its mean amplitude: half of the time is a quarter.
    """
    window, step = np.hanning(1024), 512
    begins = range(part.start, min(part.stop, len(cleaned) - lag) - 1024, step)
    there = np.array([np.fft.rfft(window * cleaned[b + lag : b + lag + 1024]) for b in begins])
    said = np.array([np.fft.rfft(window * near[b : b + 1024]) for b in begins])
    energy = np.sum(np.abs(said) ** 2, axis=0)
    gain = np.sum(there * said.conj(), axis=0) / (energy + 1e-9)
    return float(np.sum(np.abs(gain) ** 2 * energy))


def cancelled(cancel: Callable[[bytes, bytes], bytes], heard: Sound, played: Sound) -> Sound:
    """What comes out when all of it goes through, period by period."""
    periods = range(0, len(heard) - PERIOD_SAMPLES + 1, PERIOD_SAMPLES)
    return np.concatenate(
        [
            np.frombuffer(cancel(_pcm(played, at), _pcm(heard, at)), "<i2").astype(float)
            for at in periods
        ]
    )


def _pcm(sound: Sound, at: int) -> bytes:
    samples = sound[at : at + PERIOD_SAMPLES].round().clip(-32768, 32767)
    return bytes(samples.astype("<i2").tobytes())


def echoed(played: Sound, echo_seconds: float) -> Sound:
    """What of it is at the microphone, so much later."""
    size = len(played) + len(impulse_response())
    spectrum = np.fft.rfft(played, size) * np.fft.rfft(impulse_response(), size)
    late = np.zeros(int(echo_seconds * RATE_HZ))
    return np.concatenate([late, np.fft.irfft(spectrum, size)])[: len(played)]


def noise(count: int) -> Sound:
    return np.random.default_rng(9).standard_normal(count) * 32768 * 10 ** (NOISE_DBFS / 20)
