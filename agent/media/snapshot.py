"""A picture of the meeting as a PNG file, made by GStreamer from what was sent or received."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from agent.errors import MediaError
from agent.media.gst import Gst
from agent.media.pipeline import wrap
from agent.ports import AccessUnit

DEADLINE_SECONDS = 5

ACCESS_UNITS = "video/x-h264,stream-format=byte-stream,alignment=au"
DECODE = "h264parse ! avdec_h264 ! "


def write_png(caps: Any, buffer: Any, path: str) -> None:
    """Write one picture (raw or an H.264 keyframe) to `path`, whole or not at all.

    Blocks, 5 s at the most. Raises MediaError when it cannot be decoded or written.
    """
    partial = Path(f"{path}.{os.getpid()}.part")
    decode = DECODE if caps.get_structure(0).get_name() == "video/x-h264" else ""
    pipeline = Gst.parse_launch(
        f"appsrc name=in format=time ! {decode}videoconvert ! pngenc snapshot=true ! "
        "filesink name=out"
    )
    pipeline.get_by_name("out").set_property("location", str(partial))
    source = pipeline.get_by_name("in")
    source.set_property("caps", caps)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        source.emit("push-buffer", buffer)
        source.emit("end-of-stream")
        _await_end(pipeline)
        partial.replace(path)
    except OSError as error:
        raise MediaError("snapshot", f"cannot write {path}: {error.strerror}") from error
    finally:
        pipeline.set_state(Gst.State.NULL)
        partial.unlink(missing_ok=True)


def _await_end(pipeline: Any) -> None:
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(DEADLINE_SECONDS * Gst.SECOND, kinds)
    if message is None:
        raise MediaError("snapshot", f"no picture within {DEADLINE_SECONDS} s")
    if message.type == Gst.MessageType.ERROR:
        raise MediaError("snapshot", message.parse_error()[0].message)


class SentPicture:
    """Remembers what the camera encodes, for whoever wants to see what is sent."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._keyframe: AccessUnit | None = None

    def take(self, unit: AccessUnit) -> None:
        """From the camera's thread."""
        if unit.keyframe:
            with self._news:
                self._keyframe = unit
                self._news.notify_all()

    def next_keyframe(self) -> tuple[Any, Any]:
        """Caps and buffer of the next keyframe. Raises MediaError if the camera sends none."""
        with self._news:
            seen = self._keyframe
            if not self._news.wait_for(lambda: self._keyframe is not seen, DEADLINE_SECONDS):
                raise MediaError("snapshot", "the camera sends no picture")
            assert self._keyframe is not None
            return Gst.Caps.from_string(ACCESS_UNITS), wrap(self._keyframe.data)
