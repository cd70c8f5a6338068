"""Decoders that behave as a Pi's do, and fail as they do.

`python -m tests.support.pi_decoder NAME ...` is the media process with this decoder before FFmpeg's.

Each is a bin around FFmpeg's. Asked by its peer it would rather give `memory:DMABuf` (as v4l2h264dec does in
GStreamer 1.26, gstv4l2videodec.c), and gives system memory only to a peer that takes nothing else.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import gi

from agent.media import process
from agent.media.decoder import ELEMENTS
from agent.media.gst import Gst

gi.require_version("GstBase", "1.0")
from gi.repository import GstBase  # noqa: E402

DMABUF = "memory:DMABuf"
ANY_H264 = Gst.Caps.from_string("video/x-h264")
SINK = Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, ANY_H264)
SRC = Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, ANY_H264)
GOOD_PICTURES = 15
"""What a decoder that fails does before."""


class Driver(GstBase.BaseTransform):
    """What stands before the decoding: it lets pictures pass."""

    def __init__(self) -> None:
        super().__init__()
        self.set_in_place(True)
        self.pictures = 0
        self.sizes: set[int] = set()
        self.going = threading.Event()

    def do_set_caps(self, caps: Any, _out: Any) -> bool:
        structure = caps.get_structure(0)
        known, width = structure.get_int("width")
        if known:
            self.sizes.add(width)
        return self.takes_size()

    def do_transform_ip(self, _buffer: Any) -> Any:
        self.pictures += 1
        return Gst.FlowReturn.OK if self.pictures <= GOOD_PICTURES else self.over()

    def do_stop(self) -> bool:
        self.going.set()
        return True

    def takes_size(self) -> bool:
        return True

    def over(self) -> Any:
        """What it answers to all pictures but the first ones."""
        return Gst.FlowReturn.OK


class OutOfMemory(Driver):
    """The contiguous memory is used up: an error, as in gst_v4l2_buffer_pool_process."""

    def over(self) -> Any:
        error = Gst.Message.new_error
        fault = gi.repository.GLib.Error.new_literal(
            Gst.ResourceError.quark(), "Failed to allocate required memory.", 13
        )
        self.post_message(error(self, fault, "no CMA left"))
        return Gst.FlowReturn.ERROR


class OneSize(Driver):
    """It doesn't take another resolution."""

    def takes_size(self) -> bool:
        return len(self.sizes) <= 1


class Silent(Driver):
    """It takes everything and gives nothing."""

    def over(self) -> Any:
        return Gst.FlowReturn.CUSTOM_SUCCESS  # base transforms: nothing comes out


class Stuck(Driver):
    """It does not return."""

    def over(self) -> Any:
        self.going.wait(60)
        return Gst.FlowReturn.FLUSHING


class PiDecoder(Gst.Bin):
    """Registered by `register`."""

    driver = "diemcaudriver"

    def __init__(self) -> None:
        super().__init__()
        driver = Gst.ElementFactory.make(self.driver)
        decoder = Gst.ElementFactory.make("avdec_h264")
        self.add(driver)
        self.add(decoder)
        driver.link(decoder)
        self.add_pad(Gst.GhostPad.new("sink", driver.get_static_pad("sink")))
        self._out = Gst.GhostPad.new("src", decoder.get_static_pad("src"))
        self.add_pad(self._out)
        self._out.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._negotiate)

    def _negotiate(self, pad: Any, info: Any) -> Any:
        event = info.get_event()
        if event.type != Gst.EventType.CAPS:
            return Gst.PadProbeReturn.OK
        caps = event.parse_caps()
        if caps.get_features(0).contains(DMABUF):
            return Gst.PadProbeReturn.OK
        better = caps.copy()
        better.set_features(0, Gst.CapsFeatures.from_string(DMABUF))
        if not pad.peer_query_accept_caps(better):
            return Gst.PadProbeReturn.OK
        pad.push_event(Gst.Event.new_caps(better))
        return Gst.PadProbeReturn.DROP


class Unopenable(PiDecoder):
    """Another process has the device, or there is no memory for it."""

    def do_change_state(self, transition: Any) -> Any:
        if transition == Gst.StateChange.NULL_TO_READY:
            return Gst.StateChangeReturn.FAILURE
        return Gst.Bin.do_change_state(self, transition)


FAILING = {
    "pinomemory": OutOfMemory,
    "pionesize": OneSize,
    "pisilent": Silent,
    "pistuck": Stuck,
    "piunopenable": None,
}
"""The elements that fail, each in its way."""


def register(name: str = "pidecoder") -> str:
    """The element's name: `pidecoder`, or one of `FAILING`."""
    if Gst.ElementFactory.find(name):
        return name
    drivers = f"{name}driver"
    driver: Any = type(drivers, (FAILING.get(name) or Driver,), {})
    driver.set_metadata("Driver", "Generic", "as the kernel's", "diemcau")
    driver.add_pad_template(SINK)
    driver.add_pad_template(SRC)
    Gst.Element.register(None, drivers, 0, driver)
    parent = Unopenable if name == "piunopenable" else PiDecoder
    kind: Any = type(f"{parent.__name__}_{name}", (parent,), {"driver": drivers})
    kind.set_metadata("Pi decoder", "Codec/Decoder/Video", "as v4l2h264dec", "diemcau")
    Gst.Element.register(None, name, 0, kind)
    return name


if __name__ == "__main__":
    decoders = (register(sys.argv.pop(1)), "avdec_h264")
    ELEMENTS["H264"] = decoders
    sys.exit(process.main())
