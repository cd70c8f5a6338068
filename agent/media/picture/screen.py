"""The room's screen: the sources side by side, on KMS, in a window, or nowhere.

With no output snapshots show what would be seen. A screen that breaks (no display, held by somebody else) is opened again while the meeting lasts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from agent.core.model.documents import DeviceStatus, Status
from agent.errors import MediaError
from agent.media.gst import Gst
from agent.media.loop import Loop, Timer
from agent.media.picture.kms import Card, open_card
from agent.media.picture.layout import arrange
from agent.media.picture.scene import branch, canvas, place
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.reporting import DeviceReporter
from agent.settings import Output

WINDOW_SINK = "videoconvert ! ximagesink name=out sync=false"
"""Not autovideosink: on Debian 13 it tries kmssink first, which takes nine seconds to find no card."""
RETRY_SECONDS = 3.0
PROVEN_SECONDS = 1.0

LIVE_NANOSECONDS = 20_000_000
"""From `show` to the light: some 3 ms to the sink (measured), then two half refreshes at 60 Hz."""


@dataclass
class Shown:
    """One source on the screen: its name, its newest picture, its place in the live pipeline."""

    label: str
    newest: Callable[[], Any | None]
    branch: Any = None


class Screen:
    """From `start()` to `close()`; all but the pictures in the loop's thread."""

    def __init__(
        self, loop: Loop, clock: SharedClock, output: Output, reporter: DeviceReporter
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._output = output
        self._reporter = reporter
        self._lock = threading.Lock()
        self._sources: dict[str, Shown] = {}
        self._pipeline: Pipeline | None = None
        self._card: Card | None = None
        self._retry: Timer | None = None
        self._words = ""
        self._head = ""
        self._title = self._announced = ""
        self.on_lit: Callable[[], None] = lambda: None
        """Told when the screen has proven to work, also after it was broken."""

    # --- life

    def start(self) -> None:
        """Light the screen; without an output there is nothing to light."""
        if self._output.driver == "none":
            return
        try:
            text = f"{canvas(self._output, live=True)} ! {self._sink()}"
            self._pipeline = Pipeline(self._clock, text, self._on_error)
        except Exception as error:  # MediaError; GLib.Error: the sink is not installed
            self._fail(f"the screen cannot be made: {error}")
            return
        for source in self._sources.values():
            self._add_branch(source)
        self._arrange()
        self._write()
        self._pipeline.play()
        self._loop.later(PROVEN_SECONDS, partial(self._prove, self._pipeline))

    def _sink(self) -> str:
        if self._output.driver == "window":
            return WINDOW_SINK
        self._card = open_card(self._output.connector)
        return self._card.sink

    def _put_out(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline:
            pipeline.close()
        card, self._card = self._card, None
        if card:
            os.close(card.descriptor)

    def _prove(self, pipeline: Pipeline) -> None:
        """Say that it works once it has done so for a moment, or faults would come and go."""
        if pipeline is self._pipeline:
            text = f"Display: shown by {self._output.driver}"
            self._reporter.opened(DeviceStatus(Status.OK, "ok", text, required=False))
            self.on_lit()

    def close(self) -> None:
        """The screen belongs to somebody else again."""
        if self._retry:
            self._retry.cancel()
        if self._pipeline:
            self._put_out()
            self._reporter.closed()

    def _on_error(self, text: str) -> None:
        self._loop.post(lambda: self._fail(text))

    def _fail(self, text: str) -> None:
        self._put_out()
        for source in self._sources.values():
            source.branch = None
        hint = "check the display's cable and that nothing else uses the screen"
        self._reporter.failed(MediaError("no-screen", f"Display: {text}; {hint}"))
        self._retry = self._loop.later(RETRY_SECONDS, self.start)

    # --- what is on it

    def say(self, words: str) -> None:
        """The line of words; empty for none."""
        self._words = words
        self._write()

    def head(self, text: str) -> None:
        """What stands before the time of the day: the meeting's title."""
        self._head = text
        self._write()

    def entitle(self, title: str) -> None:
        """Large words in the middle of an otherwise empty screen."""
        self._title = title
        self._write()

    def announce(self, text: str) -> None:
        """Words for everybody in the room; empty for none: large on an empty screen, in place of the
        title, else in a band across the pictures."""
        self._announced = text
        self._write()

    @property
    def lit(self) -> bool:
        """Whether what is written is seen, as far as one knows."""
        return self._pipeline is not None

    @property
    def live(self) -> bool:
        """Whether there is an output that wants each picture."""
        return self._output.driver != "none"

    @property
    def delay_nanoseconds(self) -> int:
        """From the moment when a picture is due to when it is seen."""
        own = self._output.delay_milliseconds * int(Gst.MSECOND)
        return own + (LIVE_NANOSECONDS if self.live else 0)

    def attach(self, key: str, label: str, newest: Callable[[], Any | None]) -> None:
        """A place for one source, whose newest picture can be asked for at any time."""
        source = Shown(label, newest)
        with self._lock:
            self._sources[key] = source
        if self._pipeline:
            self._add_branch(source)
        self._arrange()

    def show(self, key: str, sample: Any) -> None:
        """A picture that is due now, from any thread."""
        with self._lock:
            source = self._sources.get(key)
            entry = source.branch.get_by_name("in") if source and source.branch else None
        if entry is not None:
            entry.push_sample(restamped(sample))

    def detach(self, key: str) -> None:
        """The source's place is given to the others."""
        with self._lock:
            source = self._sources.pop(key)
            gone, source.branch = source.branch, None
        if gone and self._pipeline:
            self._remove_branch(self._pipeline, gone)
        self._arrange()

    def _write(self) -> None:
        if self._pipeline:
            self._pipeline["words"].set_property("text", self._words)
            self._pipeline["clock"].set_property("text", self._head)
            large = self._announced or self._title
            self._pipeline["title"].set_property("text", "" if self._sources else large)
            self._pipeline["band"].set_property("text", self._announced if self._sources else "")

    # --- the live pipeline's branches

    def _add_branch(self, source: Shown) -> None:
        assert self._pipeline is not None
        added = branch(live=True)
        added.get_by_name("label").set_property("text", source.label)
        self._pipeline.bin.add(added)
        added.link_pads("src", self._pipeline["mix"], "sink_%u")
        added.sync_state_with_parent()
        with self._lock:
            source.branch = added

    def _remove_branch(self, pipeline: Pipeline, gone: Any) -> None:
        pad = gone.get_static_pad("src")
        peer = pad.get_peer()
        gone.set_state(Gst.State.NULL)
        if peer:
            pad.unlink(peer)
            pipeline["mix"].release_request_pad(peer)
        pipeline.bin.remove(gone)

    def _arrange(self) -> None:
        if self._pipeline is None:
            return
        output, shown = self._output, list(self._sources.values())
        tiles = arrange(len(shown), output.width, output.height, output.layout)
        for source, tile in zip(shown, tiles, strict=True):
            place(source.branch.get_static_pad("src").get_peer(), tile)
        self._write()

    # --- for whoever wants to see it

    def scene(self) -> tuple[list[tuple[str, Any]], str, str]:
        """Label and newest picture of each source (None: nothing came yet), the words, the band."""
        with self._lock:
            shown = list(self._sources.values())
        return [(source.label, source.newest()) for source in shown], self._words, self._announced


def restamped(sample: Any) -> Any:
    """The picture without its time: it has come at its time, so now is its time."""
    buffer = sample.get_buffer().copy()
    buffer.pts = buffer.dts = Gst.CLOCK_TIME_NONE
    return Gst.Sample.new(buffer, sample.get_caps(), None, None)
