"""Tells a live picture from a black, frozen, slow or missing one.

Pure: a driver feeds it samples of luma and the time, and passes on the statuses that come out.
"""

from __future__ import annotations

from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status

STALLED_SECONDS = 2.0
"""Without a picture for so long the camera is said to be stalled (failure row 2)."""

BLACK_SECONDS = 3.0
FROZEN_SECONDS = 5.0
"""Sensor noise changes some sample of any living picture, so equal ones mean a frozen camera."""

BLACK_LUMA = 24
"""Every sample at or below this (16 is black): a covered lens or a dark room."""

SAMPLE_INTERVAL_SECONDS = 0.5
"""How often a picture is looked at; a look costs some microseconds."""

SLOW_FRACTION = 0.6
"""Fewer pictures than this part of what the camera was opened with: slow."""

RATE_WINDOW_SECONDS = 2.0

PAUSE_SECONDS = 1.0
"""A camera that is silent for so long is about to be stalled, not slow: its rate is measured later."""


class PictureWatch:
    """One camera's picture. All times are monotonic seconds; `framerate` in pictures per second."""

    def __init__(self, framerate: float, now_seconds: float, *, required: bool) -> None:
        self._required = required
        self._sample = b""
        self._code = "ok"
        self.resume(framerate, now_seconds)

    def said(self, code: str) -> None:
        """The driver itself reported a status with this code; `change` goes on from there."""
        self._code = code

    def resume(self, framerate: float, now_seconds: float) -> None:
        """The camera was opened again, perhaps with another rate: measure from here on."""
        self._framerate = framerate
        self._seen = False
        self._last_picture = self._changed = self._lit = self._last_sample = now_seconds
        self._window_start, self._window_pictures, self._rate = now_seconds, 0, self._framerate

    def picture(self, now_seconds: float) -> None:
        """A picture came. After a stall the rate is measured anew."""
        if now_seconds - self._last_picture >= STALLED_SECONDS:
            self._window_start, self._window_pictures, self._rate = now_seconds, 0, self._framerate
        self._seen = True
        self._last_picture = now_seconds
        self._window_pictures += 1

    def sample_due(self, now_seconds: float) -> bool:
        """Whether the driver shall hand in a sample of this picture."""
        return now_seconds - self._last_sample >= SAMPLE_INTERVAL_SECONDS

    def sample(self, luma: bytes, now_seconds: float) -> None:
        """Some luma values, always from the same places of the picture."""
        self._last_sample = now_seconds
        if luma != self._sample:
            self._changed = now_seconds
        if max(luma) > BLACK_LUMA:
            self._lit = now_seconds
        self._sample = luma

    def change(self, now_seconds: float) -> DeviceStatus | None:
        """The new status if it is another than at the last call, else None. To be called often."""
        self._measure_rate(now_seconds)
        current = self._judge(now_seconds)
        if current.code == self._code or (current.code == "ok" and not self._seen):
            return None
        self._code = current.code
        return current

    def _measure_rate(self, now_seconds: float) -> None:
        elapsed = now_seconds - self._window_start
        silent = now_seconds - self._last_picture
        if elapsed >= RATE_WINDOW_SECONDS and silent < PAUSE_SECONDS:
            self._rate = self._window_pictures / elapsed
            self._window_start, self._window_pictures = now_seconds, 0

    def _judge(self, now_seconds: float) -> DeviceStatus:
        if now_seconds - self._last_picture >= STALLED_SECONDS:
            return status.failed(
                "stalled",
                f"Camera: no picture for {STALLED_SECONDS:g} s; check its cable and its power",
                required=self._required,
            )
        if self._sample and now_seconds - self._lit >= BLACK_SECONDS:
            return status.degraded(
                "black",
                "Camera: the picture is black; check the lens cover and the light",
                required=self._required,
            )
        if self._sample and now_seconds - self._changed >= FROZEN_SECONDS:
            return status.degraded(
                "frozen",
                f"Camera: the picture has not changed for {FROZEN_SECONDS:g} s; replug the camera",
                required=self._required,
            )
        if self._rate < SLOW_FRACTION * self._framerate:
            return status.degraded(
                "slow",
                f"Camera: {self._rate:.0f} of {self._framerate:g} pictures/s; check the light and the USB port",
                required=self._required,
                detail=DeviceDetail(measured_framerate=round(self._rate, 1)),
            )
        return status.ok("Camera: live", required=self._required)
