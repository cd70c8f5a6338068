"""A GStreamer pipeline of the media process: built from text, on the clock that all of them share.

With one clock and one base time a buffer's time means the same in every pipeline, so sound can be
mixed and echo cancelled across them.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from agent.media.gst import Gst
from agent.media.priority import put_after_sound

OnError = Callable[[str], None]
OnSample = Callable[[Any], None]
OnLate = Callable[[str, int], None]
_POLL_NANOSECONDS = 500_000_000


class SharedClock:
    """The system's monotonic clock, Python's and GStreamer's, and the moment that counts as zero; one
    a process.
    """

    def __init__(self) -> None:
        self.clock = Gst.SystemClock.obtain()
        self.base_time: int = self.clock.get_time()

    def now(self) -> int:
        """Running time in nanoseconds, the same in every pipeline."""
        return time.monotonic_ns() - self.base_time

    def at(self, monotonic_seconds: float) -> int:
        """The running time of an instant of that clock."""
        return max(0, int(monotonic_seconds * Gst.SECOND) - self.base_time)


class Pipeline:
    """Playing from `play()` to `close()`. `on_error` is called from a thread of this class."""

    def __init__(self, clock: SharedClock, description: str, on_error: OnError) -> None:
        self.bin = Gst.parse_launch(description)
        if not isinstance(self.bin, Gst.Pipeline):  # a lone element comes as itself
            lone, self.bin = self.bin, Gst.Pipeline.new(None)
            self.bin.add(lone)
        self.bin.use_clock(clock.clock)
        self.bin.set_start_time(Gst.CLOCK_TIME_NONE)
        self.bin.set_base_time(clock.base_time)
        self._on_error = on_error
        self._on_element: dict[str, OnSample] = {}
        self._on_error_in: list[tuple[Any, OnError]] = []
        self._on_late: OnLate = lambda source, timestamp: None
        self._handlers: list[tuple[Any, int]] = []
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="bus", daemon=True)

    def __getitem__(self, name: str) -> Any:
        return self.bin.get_by_name(name)

    def play(self) -> None:
        self._watcher.start()
        self.bin.set_state(Gst.State.PLAYING)

    def close(self) -> None:
        """May be called twice, but not from a streaming thread of this pipeline."""
        self._closed.set()
        self.bin.set_state(Gst.State.NULL)
        while self._handlers:  # they hold us, and we the elements: nobody else would free that
            element, handler = self._handlers.pop()
            element.disconnect(handler)
        self._on_error_in.clear()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def on_error_in(self, part: Any, call: OnError) -> None:
        """Give `call` what an element of this bin fails with, and not to `on_error`: the rest goes on."""
        self._on_error_in.append((part, call))

    def after_sound(self, part: Any) -> None:
        """The threads of this element or bin, begun from now on, work on pictures: they wait while sound has work."""
        bus = self.bin.get_bus()
        bus.enable_sync_message_emission()
        handler = bus.connect("sync-message::stream-status", put_after_sound(part))
        self._handlers.append((bus, handler))

    def set_latency(self, nanoseconds: int) -> None:
        """Sinks render a buffer so long after its time, whatever the elements add up to."""
        self.bin.set_latency(nanoseconds)
        self.bin.recalculate_latency()

    def on_message(self, element: str, call: OnSample) -> None:
        """Give `call` the structure of each element message from the element of this name."""
        self._on_element[element] = call

    def on_late(self, call: OnLate) -> None:
        """Give `call` the timestamp of each buffer that was left out since it came too late, and the name
        of what tells it, an element or pad with `qos-messages`.
        """
        self._on_late = call

    def on_sample(self, sink: str, call: OnSample) -> None:
        """Give `call` each sample of the appsink of this name, in the streaming thread."""
        self.on_sample_of(self[sink], call)

    def on_sample_of(self, element: Any, call: OnSample) -> None:
        """The same of an appsink that is at hand."""

        def pull(appsink: Any) -> Any:
            sample = appsink.pull_sample()
            if sample is not None and not self._closed.is_set():
                call(sample)
            return Gst.FlowReturn.OK

        element.set_property("emit-signals", True)
        self._handlers.append((element, element.connect("new-sample", pull)))

    def _watch(self) -> None:
        bus = self.bin.get_bus()
        kinds = Gst.MessageType.ERROR | Gst.MessageType.LATENCY | Gst.MessageType.ELEMENT
        kinds |= Gst.MessageType.QOS
        while not self._closed.is_set():
            message = bus.timed_pop_filtered(_POLL_NANOSECONDS, kinds)
            if message is None:
                continue
            if message.type == Gst.MessageType.LATENCY:
                self.bin.recalculate_latency()
            elif message.type == Gst.MessageType.QOS:
                self._on_late(message.src.get_name(), message.parse_qos()[3])
            elif message.type == Gst.MessageType.ERROR:
                self._tell(message)
            elif call := self._on_element.get(message.src.get_name()):
                call(message.get_structure())

    def _tell(self, message: Any) -> None:
        error, _debug = message.parse_error()
        if self._closed.is_set():
            return
        parts = (call for part, call in self._on_error_in if message.src.has_as_ancestor(part))
        next(parts, self._on_error)(f"{message.src.get_name()}: {error.message}")


class Tap:
    """Shows `call` each buffer that passes a pad, and its time in nanoseconds, in the streaming thread; off, it costs nothing.

    One without a time (GST_CLOCK_TIME_NONE, after a loss) has that of the one before it, and is not shown where none was.
    """

    def __init__(self, pad: Any, call: Callable[[Any, int], None]) -> None:
        self._pad = pad
        self._call = call
        self._probe = 0
        self._at: int | None = None

    def switch(self, on: bool) -> None:
        if on and not self._probe:
            self._probe = self._pad.add_probe(Gst.PadProbeType.BUFFER, weakly(self._pass))
        elif self._probe and not on:
            self._pad.remove_probe(self._probe)
            self._probe = 0

    def _pass(self, _pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        if buffer.pts != Gst.CLOCK_TIME_NONE:
            self._at = buffer.pts
        if self._at is not None:
            self._call(buffer, self._at)
        return Gst.PadProbeReturn.OK


class Gate:
    """Shut at first: nothing passes this pad until `open()`."""

    def __init__(self, pad: Any) -> None:
        self._pad = pad
        kinds = Gst.PadProbeType.BLOCK | Gst.PadProbeType.BUFFER
        self._probe = pad.add_probe(kinds, lambda _pad, _info: Gst.PadProbeReturn.OK)

    def open(self) -> None:
        """May be called twice."""
        if self._probe:
            self._pad.remove_probe(self._probe)
            self._probe = 0


def weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """A probe that calls this method while somebody else holds its owner, and is removed after that.

    A pad holds its probes, which Python's collector does not see: an owner that holds the pad as well, or a bin
    around it, would stay for ever.
    """
    found = weakref.WeakMethod(method)

    def probe(*arguments: Any) -> Any:
        call = found()
        return call(*arguments) if call else Gst.PadProbeReturn.REMOVE

    return probe


def at_first_buffer(pad: Any, call: Callable[[], None]) -> None:
    """Call once, in the streaming thread, when something has come this far."""

    def pass_first(_pad: Any, _info: Any) -> Any:
        call()
        return Gst.PadProbeReturn.REMOVE

    pad.add_probe(Gst.PadProbeType.BUFFER, pass_first)


def wrap(data: bytes, pts: int | None = None, delta: bool = False) -> Any:
    """A buffer of these bytes; `delta` for a picture that needs earlier ones."""
    buffer = Gst.Buffer.new_wrapped(data)
    if pts is not None:
        buffer.pts = pts
    if delta:
        buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
    return buffer


def level_dbfs(structure: Any) -> float:
    """The loudness in a message of the element `level`; -120 at the least."""
    return float(round(max(structure.get_value("rms")[0], -120.0), 1))


def unwrap(sample: Any) -> bytes:
    """A copy of the bytes in a sample."""
    buffer = sample.get_buffer()
    return bytes(buffer.extract_dup(0, buffer.get_size()))
