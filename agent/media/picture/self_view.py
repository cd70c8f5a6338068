"""The room's own picture in a corner of its screen: what the others get, decoded again.

Only while the camera is live for the meeting, on a screen that there is, and as `devices.display.self_view` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from agent.media.context import Context
from agent.media.gst import available
from agent.media.loop import Timer
from agent.media.picture.layout import OWN
from agent.media.picture.screen import Screen
from agent.media.picture.snapshot import ACCESS_UNITS
from agent.media.pipeline import Pipeline, wrap
from agent.ports import AccessUnit

LOOK_SECONDS = 0.5

STALE_SECONDS = 2.0
"""A camera that has sent nothing for so long is closed or hangs; a thumbnail comes five times a second."""

DECODERS = ("v4l2h264dec", "v4l2slh264dec", "avdec_h264", "openh264dec")


class SelfView:
    """From `start()` to `close()`, in the loop's thread; `take` is for the camera's."""

    def __init__(
        self, context: Context, screen: Screen, request_keyframe: Callable[[], None]
    ) -> None:
        self._context = context
        self._screen = screen
        self._request_keyframe = request_keyframe
        self._mode = context.devices.display.self_view
        self._timer: Timer | None = None
        self._pipeline: Pipeline | None = None
        self._newest: Any = None
        self._last_unit_seconds = -STALE_SECONDS

    def start(self) -> None:
        """Nothing is seen, or decoded, before there is a picture to be shown."""
        if self._mode != "off" and self._screen.live:
            self._timer = self._context.loop.every(LOOK_SECONDS, self._look)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._hide()

    def take(self, unit: AccessUnit) -> None:
        """What the camera has encoded."""
        self._last_unit_seconds = time.monotonic()
        if pipeline := self._pipeline:
            pipeline["in"].push_buffer(wrap(unit.data, delta=not unit.keyframe))

    def _look(self) -> None:
        sent = time.monotonic() - self._last_unit_seconds < STALE_SECONDS
        wanted = sent and (self._mode == "always" or self._screen.alone)
        if wanted and self._pipeline is None:
            self._show()
        elif not wanted:
            self._hide()

    def _show(self) -> None:
        made = Pipeline(
            self._context.clock,
            f"appsrc name=in caps={ACCESS_UNITS} format=time is-live=true do-timestamp=true "
            "max-buffers=30 leaky-type=downstream ! h264parse "
            f"! {available(*DECODERS)} ! video/x-raw ! appsink name=seen sync=false max-buffers=2 drop=true",
            self._failed,
        )
        made.on_sample("seen", self._seen)
        self._newest = None
        made.play()
        self._pipeline = made
        self._screen.attach(OWN, "", lambda: self._newest)
        self._request_keyframe()

    def _seen(self, sample: Any) -> None:
        self._newest = sample
        self._screen.show(OWN, sample)

    def _failed(self, _text: str) -> None:
        """It is tried again at the next look."""
        self._context.loop.post(self._hide)

    def _hide(self) -> None:
        gone, self._pipeline = self._pipeline, None
        if gone:
            gone.close()
            self._screen.detach(OWN)
