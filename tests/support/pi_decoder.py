"""A decoder that negotiates as a Pi 4's does in GStreamer 1.26 (gstv4l2videodec.c): DMABuf wherever it may.

It is a bin around FFmpeg's: asked by its peer it would rather give `memory:DMABuf`, and gives system
memory only to a peer that takes nothing else.
"""

from __future__ import annotations

from typing import Any

from agent.media.gst import Gst

DMABUF = "memory:DMABuf"


class PiDecoder(Gst.Bin):
    """Registered by `register`."""

    __gstmetadata__ = ("Pi decoder", "Codec/Decoder/Video", "as v4l2h264dec", "diemcau")
    __gsttemplates__ = (
        Gst.PadTemplate.new(
            "sink",
            Gst.PadDirection.SINK,
            Gst.PadPresence.ALWAYS,
            Gst.Caps.from_string("video/x-h264"),
        ),
        Gst.PadTemplate.new(
            "src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        decoder = Gst.ElementFactory.make("avdec_h264")
        self.add(decoder)
        self.add_pad(Gst.GhostPad.new("sink", decoder.get_static_pad("sink")))
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


def register(name: str = "pidecoder") -> str:
    """The element's name."""
    Gst.Element.register(None, name, 0, PiDecoder)
    return name
