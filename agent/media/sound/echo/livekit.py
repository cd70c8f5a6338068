"""The AudioProcessingModule (AEC3) of the `livekit` package, which only PyPI has.

For rooms on Debian 12, where webrtcdsp is the older AEC.
"""

from __future__ import annotations

from typing import Any

from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ


class LivekitCanceller:
    """See the port `EchoCanceller`. Raises ImportError where the package is not installed."""

    def __init__(self, *, noise: bool = True) -> None:
        from livekit import rtc  # type: ignore[import-not-found,unused-ignore]

        self._frame: Any = rtc.AudioFrame
        self._module = rtc.AudioProcessingModule(
            echo_cancellation=True,
            noise_suppression=noise,
            high_pass_filter=True,
            auto_gain_control=True,
        )

    def cancel(self, reference: bytes, captured: bytes) -> bytes:
        self._module.process_reverse_stream(self._of(reference))
        frame = self._of(captured)
        self._module.process_stream(frame)
        return bytes(frame.data)

    def close(self) -> None:
        """It ends with the object."""

    def _of(self, period: bytes) -> Any:
        return self._frame(bytearray(period), SAMPLE_RATE_HZ, 1, PERIOD_FRAMES)
