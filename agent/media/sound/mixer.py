"""What the sources say, mixed live for the loudspeaker, on the clock that all pipelines share.

Received sound comes in from the downlinks' pipelines without passing through Python.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from agent.media.gst import Gst
from agent.media.pipeline import Pipeline, SharedClock, level_dbfs
from agent.media.sound.slack import Slack

NANOSECONDS = 1_000_000_000
CHUNK_NANOSECONDS = 20_000_000
"""What is mixed at a time: an Opus packet..."""

CHUNK_BYTES = 1920
"""... of 48 kHz S16LE."""

LATENCY_NANOSECONDS = CHUNK_NANOSECONDS + 1_000_000
"""A chunk leaves so long after its first sample is due, whether all sources have sound for it or one
has stalled: for that one the mixer waits as long as a chunk.
"""

STRAY_NANOSECONDS = 10_000_000
"""A source whose sound is off its times by so much for a second is put right: that is heard, and
less is not seen on anybody's lips."""

BEGINNING_SECONDS = 2.0
MOVING_SECONDS = 0.5
BURST_SECONDS = 0.01
"""What a source has waiting when it begins, or is moved to an earlier time, is late and comes in one burst:
only its first buffer counts, then."""

LEVELS_A_SECOND = 2

RAW = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved"

MIX = f"""
 audiomixer name=mixer output-buffer-duration={CHUNK_NANOSECONDS} force-live=true
  alignment-threshold={STRAY_NANOSECONDS}
 ! {RAW} ! level name=level interval={NANOSECONDS // LEVELS_A_SECOND}
 ! appsink name=out sync=true max-buffers=4 drop=true"""


class Chunk(NamedTuple):
    """A piece of the mix: S16LE, and the running time in nanoseconds when it began to be due."""

    sound: bytes
    due: int


class Mixer:
    """From `play()` to `close()`."""

    def __init__(self, clock: SharedClock, on_error: Callable[[str], None]) -> None:
        self._pipeline = Pipeline(clock, MIX, on_error)
        self._pipeline.set_latency(LATENCY_NANOSECONDS)
        self._pipeline.on_message("level", self._on_level)
        self._pipeline.on_late(self._on_late)
        self._clock = clock
        self._inputs: dict[str, Input] = {}
        self._out = self._pipeline["out"]
        self.level_dbfs: float | None = None

    def play(self) -> None:
        self._pipeline.play()

    def close(self) -> None:
        self._pipeline.close()

    def next(self, wait_seconds: float) -> Chunk | None:
        """The next piece of the mix; None if there is none within that time.

        What nobody takes is dropped after 80 ms, since a late voice only disturbs.
        """
        sample = self._out.try_pull_sample(int(wait_seconds * Gst.SECOND))
        if sample is None:
            return None
        buffer = sample.get_buffer()
        return Chunk(buffer.extract_dup(0, CHUNK_BYTES), buffer.pts)

    def skip(self) -> None:
        """Leave out what waits to be taken: it is from before somebody listened."""
        while self.next(0):
            pass

    def attach(self) -> Input:
        """A place for one source, until it is given back."""
        made = Input(self._pipeline, self._clock)
        self._inputs[made.name] = made
        return made

    def detach(self, given: Input) -> None:
        """Take it back."""
        del self._inputs[given.name]
        given.detach()

    def _on_level(self, structure: Any) -> None:
        self.level_dbfs = level_dbfs(structure)
        for given in tuple(self._inputs.values()):
            given.tick()

    def _on_late(self, name: str, began: int) -> None:
        if given := self._inputs.get(name):
            given.was_late(began)


class Input:
    """One source's place in the mix; in the loop's thread but for what the mixer tells."""

    def __init__(self, pipeline: Pipeline, clock: SharedClock) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._slack = Slack()
        self._delay = 0
        self._settled_seconds = self._late_seconds = 0.0
        self._on_longer: Callable[[], None] = lambda: None
        self._source = Gst.ElementFactory.make("proxysrc")
        self._pad = self._source.get_static_pad("src")
        self._pad.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, _hide_latency)
        pipeline.bin.add(self._source)
        self._source.link(pipeline["mixer"])
        self._pad.get_peer().set_property("qos-messages", True)
        self.name: str = self._pad.get_peer().get_name()
        self._source.sync_state_with_parent()

    def play(self, sink: Any, delay_nanoseconds: int, on_longer: Callable[[], None]) -> None:
        """Take sound from this proxysink from now on, so long after its own time. `on_longer` is called,
        in another thread, when `least_delay` has grown: to be heeded at once.
        """
        self._source.set_property("proxysink", None)  # the one before lets go
        self._on_longer = on_longer
        self.settle()
        self.delay(delay_nanoseconds)
        self._source.set_property("proxysink", sink)

    def settle(self) -> None:
        """Its times are others from now on: a burst that comes too late does so for that."""
        self._settled_seconds = time.monotonic() + BEGINNING_SECONDS

    def delay(self, nanoseconds: int) -> None:
        """Between a sound's time and the moment when it leaves the mixer."""
        if nanoseconds < self._delay:
            settled = time.monotonic() + MOVING_SECONDS
            self._settled_seconds = max(self._settled_seconds, settled)
        self._delay = nanoseconds
        self._pad.set_offset(nanoseconds)

    def expect(self, nanoseconds: int) -> None:
        """Its sound will be late by so much, as that of others is."""
        self._slack.expect(nanoseconds, time.monotonic())

    @property
    def least_delay(self) -> int:
        """In nanoseconds: with a shorter one its sound was too late to be mixed, lately."""
        return self._slack.nanoseconds

    def was_late(self, began: int) -> None:
        """A buffer came too late whose first sample has this time, in the mixer's thread."""
        now, needed = time.monotonic(), self._clock.now() - began
        counts = now >= self._settled_seconds or now - self._late_seconds > BURST_SECONDS
        self._late_seconds = now
        if counts and needed > self._delay and self._slack.late(needed, now):
            self._on_longer()

    def tick(self) -> None:
        """Some times a second, in the thread of `was_late`."""
        self._slack.tick(time.monotonic())

    def detach(self) -> None:
        """The mixer lets go first, or the branch could not stop."""
        self._source.set_property("proxysink", None)
        peer = self._pad.get_peer()
        self._pad.unlink(peer)
        self._pipeline["mixer"].release_request_pad(peer)
        self._source.set_state(Gst.State.NULL)
        self._pipeline.bin.remove(self._source)


def _hide_latency(_pad: Any, info: Any) -> Any:
    """Each source is delayed by its own jitter buffer; one that waits long shall not hold up all."""
    latency = info.get_query().type == Gst.QueryType.LATENCY
    return Gst.PadProbeReturn.HANDLED if latency else Gst.PadProbeReturn.OK
