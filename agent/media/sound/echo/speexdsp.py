"""The canceller of two stages: an adaptive filter of libspeexdsp, and webrtcdsp for what it leaves.

The filter subtracts the echo and so leaves a near voice alone; webrtcdsp on its own suppresses both
when both speak (docs/decisions/005-echo.md).
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy

from agent.media.sound.echo.webrtcdsp import WebrtcDsp
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES, SAMPLE_RATE_HZ

LIBRARY = "libspeexdsp.so.1"
SPEEX_ECHO_SET_SAMPLING_RATE = 24
"""speex/speex_echo.h"""

FILTER_SAMPLES = SAMPLE_RATE_HZ // 4
"""250 ms of the room: of 150 to 350 ms this left the least in one that reverberates for 0.3 s."""

RESIDUE_GAIN = 0.5
"""webrtcdsp expects an echo as loud as its reference, and suppresses the near voice accordingly; what
the filter leaves is much quieter. Below a third it misses the first seconds, before the filter has
learned."""


def _library() -> Any:
    """Raises OSError where libspeexdsp1 is not installed."""
    library = ctypes.CDLL(LIBRARY)
    library.speex_echo_state_init.restype = ctypes.c_void_p
    library.speex_echo_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    library.speex_echo_cancellation.argtypes = [ctypes.c_void_p, *3 * [ctypes.c_char_p]]
    library.speex_echo_state_destroy.argtypes = [ctypes.c_void_p]
    return library


class AdaptiveFilter:
    """libspeexdsp's echo canceller without its suppressor (MDF, Valin 2007)."""

    def __init__(self) -> None:
        self._speex = _library()
        self._state = self._speex.speex_echo_state_init(PERIOD_FRAMES, FILTER_SAMPLES)
        rate = ctypes.c_int(SAMPLE_RATE_HZ)
        self._speex.speex_echo_ctl(self._state, SPEEX_ECHO_SET_SAMPLING_RATE, ctypes.byref(rate))
        self._residue = ctypes.create_string_buffer(PERIOD_BYTES)

    def cancel(self, reference: bytes, captured: bytes) -> bytes:
        """One period without what it has learned of the echo."""
        self._speex.speex_echo_cancellation(self._state, captured, reference, self._residue)
        return self._residue.raw

    def close(self) -> None:
        if self._state:
            self._speex.speex_echo_state_destroy(self._state)
            self._state = None


class TwoStageCanceller:
    """See the port `EchoCanceller`."""

    def __init__(self, *, noise: bool = True) -> None:
        self._filter = AdaptiveFilter()
        self._suppressor = WebrtcDsp(noise=noise)

    def cancel(self, reference: bytes, captured: bytes) -> bytes:
        residue = self._filter.cancel(reference, captured)
        quieter = numpy.frombuffer(reference, numpy.int16) * RESIDUE_GAIN
        return self._suppressor.cancel(quieter.astype(numpy.int16).tobytes(), residue)

    def close(self) -> None:
        self._filter.close()
        self._suppressor.close()
