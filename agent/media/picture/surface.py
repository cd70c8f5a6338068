"""The way to the light: a pipeline that takes finished pictures and gives them to the sink.

How long the sink holds a picture is measured once a second: one that waits for the display's refresh
is late by that, and lips with it.
"""

from __future__ import annotations

import time
from typing import Any

from agent.media.gst import Gst
from agent.media.picture.lettering import BASIS, Words, label_height, top_height
from agent.media.picture.scene import CLOCK, FIT, LABEL, WORDS, Fit, Fitter, say
from agent.media.pipeline import OnError, Pipeline, SharedClock
from agent.settings import Output

ENTRY = (
    "appsrc name=in format=time is-live=true do-timestamp=true max-buffers=2 leaky-type=downstream"
)

WAY_NANOSECONDS = 3_000_000
"""From `show` to the sink (measured)."""

SCAN_NANOSECONDS = 8_000_000
"""Half a picture at 60 Hz: from the sink's return to the light in the middle of the screen."""

SMOOTHING = 0.3
"""Of a new measurement; one of them alone may have met a busy moment."""

FIRST_GUESS_NANOSECONDS = 9_000_000

ROOM = 4
"""As many pictures as may be between `show` and the sink's return."""

NONE = Words()


class Surface:
    """Playing from `play` to `close`. A source that is shown alone has its words drawn here, beside it; one that is
    smaller than the output is scaled to it first. Without words it is left as it is, for the sink to scale.
    """

    def __init__(self, clock: SharedClock, output: Output, sink: str, on_error: OnError) -> None:
        """`sink`: GStreamer text whose last element is called `out`. GLib.Error: it is not installed."""
        drawn = f"{LABEL} ! {WORDS} ! {CLOCK}"
        self._pipeline = Pipeline(
            clock, f"{ENTRY} ! {FIT} ! {drawn} ! videoconvert name=last ! {sink}", on_error
        )
        self._pipeline.after_sound(self._pipeline.bin)
        self._output = output
        self._top = self._bottom = 0
        """Margins, of a picture 640 wide."""
        self._eased = False
        self._fitter = Fitter(self._pipeline.bin, self._fit)
        self.write()
        self._entry = self._pipeline["in"]
        self._out = self._pipeline["out"]
        self._began_ns = 0
        self.sink_nanoseconds = FIRST_GUESS_NANOSECONDS
        """How long the sink holds a picture now."""
        self._given = self._given_before = 0
        self._rendered_before = 0
        self._shown_seconds = time.monotonic()

    def play(self) -> None:
        self._pipeline.play()

    def close(self) -> None:
        self._pipeline.close()

    def write(self, label: str = "", words: Words = NONE) -> None:
        """Draw a source's name below the pictures that come, the clock and what stands beside it above: all of
        `words` but what is large. With none of them the pictures are left as they are."""
        worded = bool(label or words.head or words.lines)
        self._top = top_height(words) if worded else 0
        self._bottom = label_height() if label else 0
        self._fitter.update()
        say(self._pipeline["label"], label)
        say(self._pipeline["words"], words.lines)
        self._pipeline["clock"].set_property("text", words.head)
        self._pipeline["clock"].set_property("silent", not worded)

    def ease(self, on: bool) -> None:
        """Words beside pictures in their own size, though blurred, since this machine does not keep up."""
        self._eased = on
        self._fitter.update()

    def _fit(self, width: int, height: int) -> Fit:
        """Words are drawn beside a picture that is at least as wide as the output; no other is scaled."""
        if not (self._top or self._bottom):
            return Fit(width, height)
        across = width if self._eased else max(width, self._output.width)
        top, bottom = (round(high * across / BASIS) & ~1 for high in (self._top, self._bottom))
        return Fit(across & ~1, across * height // width & ~1, top, bottom)

    def show(self, sample: Any) -> bool:
        """From any thread. Whether it was taken."""
        taken = bool(self._entry.push_sample(sample) == Gst.FlowReturn.OK)
        self._given += taken
        return taken

    @property
    def rendered(self) -> int:
        """How many pictures the sink has shown."""
        return int(self._out.get_property("stats").get_value("rendered"))

    def still_seconds(self) -> float:
        """For how long pictures have been given and none was shown; to be asked some times a second."""
        rendered, now = self.rendered, time.monotonic()
        if rendered != self._rendered_before:
            self._rendered_before, self._given_before = rendered, self._given
        if self._given - self._given_before <= ROOM:
            self._shown_seconds = now
        return now - self._shown_seconds

    @property
    def delay_nanoseconds(self) -> int:
        """From `show` to the light."""
        return WAY_NANOSECONDS + self.sink_nanoseconds + SCAN_NANOSECONDS

    def measure(self) -> None:
        """Time the sink with the next picture."""
        self._out.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self._begin)

    def _begin(self, _pad: Any, _info: Any) -> Any:
        """In the streaming thread, inside the push: the pad before is idle again when the sink has
        returned.
        """
        self._began_ns = time.monotonic_ns()
        self._pipeline["last"].get_static_pad("src").add_probe(Gst.PadProbeType.IDLE, self._end)
        return Gst.PadProbeReturn.REMOVE

    def _end(self, _pad: Any, _info: Any) -> Any:
        took = time.monotonic_ns() - self._began_ns
        self.sink_nanoseconds += int(SMOOTHING * (took - self.sink_nanoseconds))
        return Gst.PadProbeReturn.REMOVE


def restamped(sample: Any) -> Any:
    """The picture without its time: it has come at its time, so now is its time."""
    buffer = sample.get_buffer().copy()
    buffer.pts = buffer.dts = Gst.CLOCK_TIME_NONE
    return Gst.Sample.new(buffer, sample.get_caps(), None, None)
