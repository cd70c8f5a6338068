"""The room's own picture: its camera while that is live, and everybody who gets what it sees.

The camera is open exactly while it is live. Everything but the units runs in the loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import settings
from agent.media.loop import Loop
from agent.media.picture.camera import CameraFeed
from agent.media.reporting import DeviceReporter, Send
from agent.ports import AccessUnit, Camera, CameraFormat

RESIZE_SECONDS = 5.0
"""A camera that has delivered nothing for so long is broken, and opened anew (streaming.HUNG_SECONDS)."""

OnUnit = Callable[[AccessUnit], None]


class OwnPicture:
    """`on_unit` gets each access unit in the driver's thread; without `make` there is no camera."""

    def __init__(
        self,
        loop: Loop,
        wanted: settings.Camera | None,
        make: Callable[[], Camera] | None,
        on_unit: OnUnit,
        send: Send,
    ) -> None:
        self._loop = loop
        self._wanted = wanted
        self._make = make
        self._on_unit = on_unit
        self._send = send
        self._feed: CameraFeed | None = None
        self._small = False
        self._on_resized: list[Callable[[], None]] = []

    @property
    def live(self) -> bool:
        return self._feed is not None

    def set_live(self, live: bool) -> None:
        """Open the camera, or close it."""
        if live == self.live or not (self._make and self._wanted):
            return
        if live:
            reporter = DeviceReporter("camera", self._wanted.required, self._send)
            self._feed = CameraFeed(self._loop, self._make, self._take, reporter)
            self._feed.set_small(self._small)
            self._feed.start()
        else:
            self.close()

    def close(self) -> None:
        """The camera is closed when this returns, unless its driver hangs for 3 s."""
        feed, self._feed = self._feed, None
        if feed:
            feed.close()

    def resize(self, small: bool, then: Callable[[], None]) -> None:
        """A thumbnail or the full picture. `then` is called when the camera delivers it; or at once of a camera that
        is closed or not there, and after `RESIZE_SECONDS` of one that delivers nothing."""
        changes, self._small = small != self._small, small
        if self._feed is None or not changes or self._feed.format is None:
            if self._feed:
                self._feed.set_small(small)
            then()
            return
        self._on_resized.append(then)
        self._feed.set_small(small)
        self._loop.later(RESIZE_SECONDS, self._resized)

    def _take(self, unit: AccessUnit) -> None:
        self._on_unit(unit)
        if self._on_resized and unit.small == self._small:
            self._loop.post(self._resized)

    def _resized(self) -> None:
        waiting, self._on_resized = self._on_resized, []
        for then in waiting:
            then()

    def request_keyframe(self) -> None:
        if self._feed:
            self._feed.request_keyframe()

    def set_bitrate(self, bits_per_second: int) -> None:
        """The encoder's target."""
        if self._feed:
            self._feed.set_bitrate(bits_per_second)

    @property
    def format(self) -> CameraFormat | None:
        """What the camera was opened with; None while it is closed."""
        return self._feed.format if self._feed else None
