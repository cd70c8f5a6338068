"""What calls back from a pad goes with whoever wanted it: Python's collector does not see what a pad holds."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from agent.media.gst import Gst
from agent.media.picture.layout import Tile
from agent.media.picture.scene import Branch
from agent.media.pipeline import Tap
from agent.media.sending.pacing import Pacer
from agent.settings import Output


def tap(pad: Any) -> Tap:
    made = Tap(pad, lambda buffer, at: None)
    made.switch(True)
    return made


def pacer(pad: Any) -> Pacer:
    made = Pacer(pad)
    made.follow(100_000)
    return made


def branch(_pad: Any) -> Branch:
    made = Branch("a", live=False)
    made.place(Output(driver="window"), Tile(0, 0, 320, 180))
    return made


@pytest.mark.parametrize("make", [tap, pacer, branch])
def test_who_is_called_by_a_pad_is_freed(make: Callable[[Any], object]) -> None:
    element = Gst.ElementFactory.make("identity")
    gone = weakref.ref(make(element.get_static_pad("src")))
    gc.collect()
    assert gone() is None
    assert element.get_static_pad("src").get_property("direction") == Gst.PadDirection.SRC


def test_a_buffer_without_a_time_is_tapped_with_that_of_the_one_before() -> None:
    """2**64 - 1 nanoseconds ended a recording, and would have moved a handover by six hundred years."""
    pad = Gst.Pad.new("src", Gst.PadDirection.SRC)
    pad.set_active(True)
    pad.push_event(Gst.Event.new_stream_start("units"))
    segment = Gst.Segment()
    segment.init(Gst.Format.TIME)
    pad.push_event(Gst.Event.new_segment(segment))
    seen: list[int] = []
    made = Tap(pad, lambda buffer, at: seen.append(at))
    made.switch(True)
    for time in (Gst.CLOCK_TIME_NONE, 40, Gst.CLOCK_TIME_NONE, 80):
        buffer = Gst.Buffer.new_wrapped(b"x")
        buffer.pts = time
        pad.push(buffer)
    assert seen == [40, 40, 80]
