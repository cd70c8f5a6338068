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
        self._code = "ok"
        self._seen = _Seen(framerate, now_seconds)

    def said(self, code: str) -> None:
        """The driver itself reported a status with this code; `change` goes on from there."""
        self._code = code

    def resume(self, framerate: float, now_seconds: float) -> None:
        """The camera was opened again, perhaps with another rate: measure from here on."""
        self._seen = _Seen(framerate, now_seconds)

    def picture(self, now_seconds: float) -> None:
        """A picture came. After a stall the rate is measured anew."""
        seen = self._seen
        if now_seconds - seen.last_picture >= STALLED_SECONDS:
            seen.rate = _Rate(seen.framerate, now_seconds)
        seen.any = True
        seen.last_picture = now_seconds
        seen.rate.pictures += 1

    def sample_due(self, now_seconds: float) -> bool:
        """Whether the driver shall hand in a sample of this picture."""
        return now_seconds - self._seen.last_sample >= SAMPLE_INTERVAL_SECONDS

    def sample(self, luma: bytes, now_seconds: float) -> None:
        """Some luma values, always from the same places of the picture."""
        seen = self._seen
        seen.last_sample = now_seconds
        if luma != seen.sample:
            seen.changed = now_seconds
        if max(luma) > BLACK_LUMA:
            seen.lit = now_seconds
        seen.sample = luma

    def change(self, now_seconds: float) -> DeviceStatus | None:
        """The new status if it is another than at the last call, else None. To be called often."""
        if now_seconds - self._seen.last_picture < PAUSE_SECONDS:
            self._seen.rate.measure(now_seconds)
        current = self._judge(now_seconds)
        if current.code == self._code or (current.code == "ok" and not self._seen.any):
            return None
        self._code = current.code
        return current

    def _judge(self, now_seconds: float) -> DeviceStatus:
        seen, rate = self._seen, self._seen.rate.per_second
        if now_seconds - seen.last_picture >= STALLED_SECONDS:
            return status.failed(
                "stalled",
                f"Camera: no picture for {STALLED_SECONDS:g} s; check its cable and its power",
                required=self._required,
            )
        if seen.sample and now_seconds - seen.lit >= BLACK_SECONDS:
            return status.degraded(
                "black",
                "Camera: the picture is black; check the lens cover and the light",
                required=self._required,
            )
        if seen.sample and now_seconds - seen.changed >= FROZEN_SECONDS:
            return status.degraded(
                "frozen",
                f"Camera: the picture has not changed for {FROZEN_SECONDS:g} s; replug the camera",
                required=self._required,
            )
        if rate < SLOW_FRACTION * seen.framerate:
            return status.degraded(
                "slow",
                f"Camera: {rate:.0f} of {seen.framerate:g} pictures/s; check the light and the USB port",
                required=self._required,
                detail=DeviceDetail(measured_framerate=round(rate, 1)),
            )
        return status.ok("Camera: live", required=self._required)


class _Seen:
    """What came since the camera was opened; times as PictureWatch's."""

    def __init__(self, framerate: float, now_seconds: float) -> None:
        self.framerate = framerate
        self.rate = _Rate(framerate, now_seconds)
        self.any = False
        self.sample = b""
        self.last_picture = self.last_sample = now_seconds
        self.changed = now_seconds
        """When a sample was last another than the one before."""
        self.lit = now_seconds
        """When a sample was last brighter than black."""


class _Rate:
    """Pictures per second over RATE_WINDOW_SECONDS; until one has passed, the rate that is expected."""

    def __init__(self, expected: float, now_seconds: float) -> None:
        self.per_second = expected
        self.pictures = 0
        """Since the window began."""
        self._start = now_seconds

    def measure(self, now_seconds: float) -> None:
        """Ends the window if its time is over."""
        elapsed = now_seconds - self._start
        if elapsed >= RATE_WINDOW_SECONDS:
            self.per_second = self.pictures / elapsed
            self._start, self.pictures = now_seconds, 0
