"""The room's own picture in a corner of its screen: what the others get, decoded again.

Only while the camera is live for the meeting, on a screen that there is, and as `devices.display.self_view` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from agent.media.context import Context
from agent.media.decoder import SHIELD, Decoders, PictureDecoder
from agent.media.loop import Timer
from agent.media.picture.layout import OWN
from agent.media.picture.screen import Screen
from agent.media.picture.snapshot import ACCESS_UNITS
from agent.media.pipeline import Pipeline, wrap
from agent.ports import AccessUnit

TICK_SECONDS = 0.5

STALE_SECONDS = 2.0
"""A camera that has sent nothing for so long is closed or hangs; a thumbnail comes five times a second."""


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
        self._decoders = Decoders()
        self._decoder: PictureDecoder | None = None
        self._pictures = 0
        self._newest: Any = None
        self._last_unit_seconds = -STALE_SECONDS

    def start(self) -> None:
        """Nothing is seen, or decoded, before there is a picture to be shown."""
        if self._mode != "off" and self._screen.live:
            self._timer = self._context.loop.every(TICK_SECONDS, self._tick)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._hide()

    def take(self, unit: AccessUnit) -> None:
        """What the camera has encoded."""
        self._last_unit_seconds = time.monotonic()
        if pipeline := self._pipeline:
            pipeline["in"].push_buffer(wrap(unit.data, delta=not unit.keyframe))

    def _tick(self) -> None:
        sent = time.monotonic() - self._last_unit_seconds < STALE_SECONDS
        wanted = sent and (self._mode == "always" or self._screen.alone)
        if wanted and self._pipeline is None:
            self._show()
        elif not wanted:
            self._hide()
        elif self._decoder:
            self._judge(self._decoder)

    def _judge(self, decoder: PictureDecoder) -> None:
        """A decoder that gives nothing is told by the keyframes that it takes, which cost the meeting's stream: they are
        asked for only where another one could take its place."""
        pictures, self._pictures = self._pictures, 0
        decoder.watch(pictures)
        if not pictures and self._decoders.replaceable("H264", decoder.name):
            self._request_keyframe()

    def _show(self) -> None:
        made = Pipeline(
            self._context.clock,
            f"appsrc name=in caps={ACCESS_UNITS} format=time is-live=true do-timestamp=true "
            f"max-buffers=30 leaky-type=downstream ! h264parse ! {SHIELD}",
            self._failed,
        )
        loop, units = self._context.loop, made["shield"].get_static_pad("src")
        self._decoder = PictureDecoder(loop, made, units, "H264", self._decoders)
        self._decoder.start(lambda sink: self._take_decoded(made, sink), seen=True)
        self._newest, self._pictures = None, 0
        made.play()
        self._pipeline = made
        self._screen.attach(OWN, "", lambda: self._newest)

    def _take_decoded(self, pipeline: Pipeline, sink: Any) -> None:
        """A decoder begins, which needs a keyframe."""
        pipeline.on_sample_of(sink, self._seen)
        self._context.loop.post(self._request_keyframe)

    def _seen(self, sample: Any) -> None:
        self._newest = sample
        self._pictures += 1
        self._screen.show(OWN, sample)

    def _failed(self, _text: str) -> None:
        """Not the decoder, which sees to itself. It is tried again at the next look."""
        self._context.loop.post(self._hide)

    def _hide(self) -> None:
        gone, self._pipeline = self._pipeline, None
        self._decoder = None
        if gone:
            gone.close()
            self._screen.detach(OWN)
