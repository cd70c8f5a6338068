"""The way to the light: a pipeline that takes finished pictures and gives them to the sink.

How long the sink holds a picture is measured once a second: one that waits for the display's refresh
is late by that, and lips with it.
"""

from __future__ import annotations

import time
from typing import Any

from agent.media.gst import Gst
from agent.media.picture.lettering import Words, label_height, top_height
from agent.media.picture.scene import CLOCK, LABEL, Margins, say
from agent.media.pipeline import OnError, Pipeline, SharedClock

ENTRY = (
    "appsrc name=in format=time is-live=true do-timestamp=true max-buffers=2 leaky-type=downstream"
)

MARGIN = "videoconvert ! videobox name=box"

WAY_NANOSECONDS = 3_000_000
"""From `show` to the sink (measured)."""

SCAN_NANOSECONDS = 8_000_000
"""Half a picture at 60 Hz: from the sink's return to the light in the middle of the screen."""

SMOOTHING = 0.3
"""Of a new measurement; one of them alone may have met a busy moment."""

FIRST_GUESS_NANOSECONDS = 9_000_000


class Surface:
    """Playing from `play` to `close`. A source that is shown alone has its label drawn here."""

    def __init__(self, clock: SharedClock, sink: str, on_error: OnError) -> None:
        """`sink`: GStreamer text whose last element is called `out`. GLib.Error: it is not installed."""
        self._pipeline = Pipeline(
            clock,
            f"{ENTRY} ! {MARGIN} ! {LABEL} ! {CLOCK} ! videoconvert name=last ! {sink}",
            on_error,
        )
        self._margins = Margins(self._pipeline["box"])
        self.uncaptioned()
        self._entry = self._pipeline["in"]
        self._out = self._pipeline["out"]
        self._began_ns = 0
        self.sink_nanoseconds = FIRST_GUESS_NANOSECONDS
        """How long the sink holds a picture now."""

    def play(self) -> None:
        self._pipeline.play()

    def close(self) -> None:
        self._pipeline.close()

    def caption(self, label: str, head: str) -> None:
        """Draw a source's name below, and the clock with what stands before it above, the pictures that come."""
        self._margins.set(top_height(Words(head)), label_height() if label else 0)
        say(self._pipeline["label"], label)
        self._pipeline["clock"].set_property("text", head)
        self._pipeline["clock"].set_property("silent", False)

    def uncaptioned(self) -> None:
        """Leave the pictures as they are: they are composed."""
        self._margins.set(0, 0)
        say(self._pipeline["label"], "")
        self._pipeline["clock"].set_property("silent", True)

    def show(self, sample: Any) -> bool:
        """From any thread. Whether it was taken."""
        return bool(self._entry.push_sample(sample) == Gst.FlowReturn.OK)

    @property
    def rendered(self) -> int:
        """How many pictures the sink has shown."""
        return int(self._out.get_property("stats").get_value("rendered"))

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
