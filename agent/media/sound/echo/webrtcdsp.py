"""GStreamer's webrtcdsp as a canceller: two pads that are pushed into, one that is pulled from.

Debian 12 builds it on webrtc-audio-processing 0.3 (AEC), Debian 13 on 1.3 (AEC3).
"""

from __future__ import annotations

from itertools import count
from typing import Any

from agent.media.gst import Gst, available
from agent.media.pipeline import unwrap, wrap
from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ

CAPS = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved"
PROBE = "webrtcechoprobe name={probe} ! fakesink async=false sync=false "
DSP = """webrtcdsp name=dsp probe={probe} echo-cancel={echo} echo-suppression-level=moderate
 noise-suppression={noise} gain-control=true high-pass-filter=true
 ! appsink name=out async=false sync=false"""

PERIOD_NANOSECONDS = Gst.SECOND * PERIOD_FRAMES // SAMPLE_RATE_HZ
_numbers = count()


class WebrtcDsp:
    """See the port `EchoCanceller`. Raises ImportError where GStreamer has no webrtcdsp."""

    def __init__(self, *, echo: bool = True, noise: bool = True) -> None:
        if available("webrtcdsp") is None:
            raise ImportError("GStreamer has no element webrtcdsp (gstreamer1.0-plugins-bad)")
        probe = f"loudspeaker{next(_numbers)}"  # dsp and probe find each other by name
        text = (PROBE if echo else "") + DSP
        switched = {"echo": str(echo).lower(), "noise": str(noise).lower()}
        self._pipeline = Gst.parse_launch(text.format(probe=probe, **switched))
        self._pipeline.set_state(Gst.State.PLAYING)
        self._out = self._pipeline.get_by_name("out")
        self._captured = _feed(self._pipeline.get_by_name("dsp"))
        self._reference = _feed(self._pipeline.get_by_name(probe)) if echo else None
        self._periods = 0

    def cancel(self, reference: bytes, captured: bytes) -> bytes:
        """Both get the same time, by which webrtcdsp finds in the probe what belongs together."""
        at = self._periods * PERIOD_NANOSECONDS
        self._periods += 1
        if self._reference:
            self._reference.push(wrap(reference, at))
        self._captured.push(wrap(captured, at))
        return unwrap(self._out.try_pull_sample(0))

    def close(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)


def _feed(element: Any) -> Any:
    """A pad whose `push` runs the element in the caller's thread."""
    pad = Gst.Pad.new("feed", Gst.PadDirection.SRC)
    pad.link(element.get_static_pad("sink"))
    pad.set_active(True)
    segment = Gst.Segment()
    segment.init(Gst.Format.TIME)
    pad.push_event(Gst.Event.new_stream_start(element.get_name()))
    pad.push_event(Gst.Event.new_caps(Gst.Caps.from_string(CAPS)))
    pad.push_event(Gst.Event.new_segment(segment))
    # a probe gives nothing before it knows its latency
    element.get_static_pad("src").send_event(Gst.Event.new_latency(0))
    return pad
