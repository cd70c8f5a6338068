"""What decodes pictures, a source's or the room's own: the best decoder of the machine, and another one when it fails.

A Pi's decoder is in hardware and fails at run time: no contiguous memory left, a resolution that it does not take,
a driver that takes everything and gives nothing. Then the next one takes over, in the same session; the sound,
which has a thread of its own, hears nothing of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from agent.media.gst import Gst, available
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, weakly

ELEMENTS = {
    "H264": ("v4l2h264dec", "v4l2slh264dec", "avdec_h264", "openh264dec"),
    "VP8": ("v4l2vp8dec", "v4l2slvp8dec", "vp8dec"),
    "VP9": ("v4l2vp9dec", "v4l2slvp9dec", "vp9dec"),
    "H265": ("v4l2h265dec", "v4l2slh265dec", "avdec_h265"),
}
"""Best first: hardware ones register only where there is a device."""


SHIELD = "errorignore name=shield ignore-error=true ignore-notnegotiated=true convert-to=ok"
"""What a decoder fails with stays with it: upstream is the session, and the sound."""

DECODER = """
 queue name=waiting leaky=upstream max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! {decoder} name=decoder ! capsfilter name=raw caps=video/x-raw ! {sink} name=picture sync=true async=false"""
"""In system memory, which all that come after can read: given the choice, v4l2h264dec takes DMABuf (since
1.26 as DMA_DRM), which a mixer and a text overlay cannot. Without QoS events, which go up through all of
webrtcbin at each picture: a decoder can leave out only pictures that no other needs, and a call has none
such. The queue is leaky, so that a decoder that hangs holds nothing up before it; the sink waits for no first picture
to be in the state that the pipeline has."""

HANG_SECONDS = 4.0
HANG_KEYFRAMES = 3
HANG_PICTURES = 90
"""A decoder that took so many keyframes in that time, or from a keyframe on so many pictures, and gave none gives none
any more. Keyframes are asked for twice a second, though not everybody heeds it, and no decoder holds more than a few
pictures back."""

AGAIN_SECONDS = 1.0
"""A decoder without another one to take its place is made anew after this."""


def decoders(codec: str) -> list[str]:
    """The elements that decode this picture on this machine, best first."""
    return [name for name in ELEMENTS[codec] if available(name)]


def in_hardware(decoder: str) -> bool:
    """Whether this element leaves the work to the board."""
    return decoder.startswith("v4l2")


class Decoders:
    """Which decoders are tried for one picture: not those that have failed, unless there is no other."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        """By the decoder's name, what it said."""

    def best(self, codec: str = "H264") -> str | None:
        """The element that decodes this picture best; None if there is none on this machine."""
        there = decoders(codec)
        left = [name for name in there if name not in self.failed]
        return next(iter(left or there[-1:]), None)

    def replaceable(self, codec: str, name: str) -> bool:
        """Whether there is another that has not failed."""
        return any(other not in self.failed for other in decoders(codec) if other != name)


class PictureDecoder:
    """Takes what `source`, a pad, brings of `codec`, from the first buffer to the end of `pipeline`.

    From `start` on, `on_sink` is called with each sink that pictures come out of, before the first of them: at once,
    and from any thread when another decoder takes over, for which `on_sink` asks for a keyframe.
    """

    def __init__(
        self, loop: Loop, pipeline: Pipeline, source: Any, codec: str, decoders: Decoders
    ) -> None:
        self._loop = loop
        self._pipeline = pipeline
        self._source = source
        self._codec = codec
        self._decoders = decoders
        self._on_sink: Callable[[Any], None] = lambda sink: None
        self._seen = True
        self._bin: Any = None
        self.name = ""
        """Of the element that decodes now."""
        self._fruitless_since: float | None = None
        self._keyframes = self._taken = 0
        self._counting = 0

    def start(self, on_sink: Callable[[Any], None], *, seen: bool) -> None:
        """Build it; `seen`: its sinks are appsinks. In the streaming thread, before data pass `source`."""
        self._on_sink, self._seen = on_sink, seen
        self._build()

    # --- a decoder and its end

    def _build(self) -> None:
        made, self.name = self._make()
        self._bin = made
        self._pipeline.on_error_in(made, lambda text: self._on_error(made, text))
        self._pipeline.after_sound(made)
        self._pipeline.bin.add(made)
        self._on_sink(made.get_by_name("picture"))
        made.set_state(Gst.State.PLAYING)
        self._source.link(made.get_static_pad("sink"))

    def _make(self) -> tuple[Any, str]:
        """With the first decoder that can be opened; a driver without memory says so there."""
        while True:
            name = self._decoders.best(self._codec)
            assert name, "only what this machine decodes comes here"
            made = Gst.parse_bin_from_description(_text(name, seen=self._seen), True)
            if name in self._decoders.failed:
                return made, name
            opened = made.get_by_name("decoder").set_state(Gst.State.READY)
            if opened != Gst.StateChangeReturn.FAILURE:
                return made, name
            made.set_state(Gst.State.NULL)
            self._decoders.failed[name] = "it could not be opened"

    def _on_error(self, broken: Any, why: str) -> None:
        """In the thread of the pipeline's messages."""
        self._loop.post(lambda: self._fail(broken, why))

    def _fail(self, broken: Any, why: str) -> None:
        """What this decoder said ended it; what an earlier one still says, doesn't."""
        if broken is not self._bin or self._pipeline.closed:
            return
        self._stop_counting()
        pause = 0.0 if self._decoders.replaceable(self._codec, self.name) else AGAIN_SECONDS
        self._decoders.failed[self.name] = why
        self._bin = None
        self._loop.later(pause, lambda: self._replace(broken))

    def _replace(self, broken: Any) -> None:
        """As soon as nothing passes: at once, or in the streaming thread."""
        if not self._pipeline.closed:
            self._source.add_probe(Gst.PadProbeType.IDLE, weakly(self._swap), broken)

    def _swap(self, _pad: Any, _info: Any, broken: Any) -> Any:
        self._source.unlink(broken.get_static_pad("sink"))
        self._pipeline.bin.remove(broken)
        # a driver that hangs holds nobody else up
        threading.Thread(target=lambda: broken.set_state(Gst.State.NULL), daemon=True).start()
        self._source.add_probe(Gst.PadProbeType.BUFFER, _from_keyframe)
        self._build()
        return Gst.PadProbeReturn.REMOVE

    # --- one that falls behind, or hangs

    @property
    def waiting_seconds(self) -> float:
        """How much picture waits to be decoded; as much as its sink waits for each, where the decoder keeps up."""
        if self._bin is None:
            return 0.0
        waiting: int = self._bin.get_by_name("waiting").get_property("current-level-time")
        return waiting / 1e9

    def watch(self, pictures: int) -> None:
        """So many pictures came out since the last call; to be told some times a second, in the loop's thread."""
        if not pictures:
            self._fruitless()
        elif self._fruitless_since is not None:
            self._stop_counting()

    def _fruitless(self) -> None:
        """A form of picture that a decoder does not take it may refuse without a word, which stops what feeds it."""
        if self._bin is None or not self._decoders.replaceable(self._codec, self.name):
            return
        now = time.monotonic()
        waiting = self._bin.get_by_name("waiting").get_static_pad("src")
        if waiting.get_task_state() == Gst.TaskState.PAUSED:
            self._fail(self._bin, "it does not take such pictures")
        elif self._fruitless_since is None:
            self._fruitless_since, self._keyframes, self._taken = now, 0, 0
            self._counting = self._source.add_probe(Gst.PadProbeType.BUFFER, weakly(self._count))
        elif now - self._fruitless_since >= HANG_SECONDS and self._had_enough():
            self._fail(self._bin, "it took pictures and gave none")

    def _had_enough(self) -> bool:
        return self._keyframes >= HANG_KEYFRAMES or self._taken >= HANG_PICTURES

    def _count(self, _pad: Any, info: Any) -> Any:
        # what passes of H.264 follows its keyframe without a gap (wait-for-keyframe)
        self._taken += self._codec == "H264" or self._keyframes > 0
        if not info.get_buffer().has_flags(Gst.BufferFlags.DELTA_UNIT):
            self._keyframes += 1
        return Gst.PadProbeReturn.OK

    def _stop_counting(self) -> None:
        self._fruitless_since = None
        if self._counting:
            self._source.remove_probe(self._counting)
            self._counting = 0


def _from_keyframe(_pad: Any, info: Any) -> Any:
    """Drop what the new decoder has no picture for."""
    if info.get_buffer().has_flags(Gst.BufferFlags.DELTA_UNIT):
        return Gst.PadProbeReturn.DROP
    return Gst.PadProbeReturn.REMOVE


def _text(name: str, *, seen: bool) -> str:
    """From encoded pictures to `picture`, an appsink if it is `seen`, by this element named `decoder`."""
    threads = (
        " max-threads=2 thread-type=slice output-corrupt=false" if name == "avdec_h264" else ""
    )
    sink = "appsink max-buffers=4 drop=true" if seen else "fakesink"
    return DECODER.format(decoder=f"{name}{threads}", sink=sink)
