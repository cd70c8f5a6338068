"""A picture of the meeting as a PNG file, made by GStreamer from what was sent or received."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from agent.errors import MediaError
from agent.ipc.patience import patience
from agent.media.gst import Gst
from agent.media.picture.layout import Tile, places
from agent.media.picture.scene import Branch, Scene, canvas, write
from agent.media.pipeline import wrap
from agent.ports import AccessUnit
from agent.settings import Output

DEADLINE_SECONDS = 5.0
"""For one picture on a Pi 4; a slower board has more."""

ACCESS_UNITS = "video/x-h264,stream-format=byte-stream,alignment=au"
DECODE = "h264parse ! avdec_h264"
TO_FILE = "pngenc snapshot=true ! filesink name=out"


def write_keyframe(caps: Any, buffer: Any, path: str) -> None:
    """Write one H.264 keyframe to `path` as PNG, whole or not at all.

    Blocks, `DEADLINE_SECONDS` at the most. Raises MediaError when it cannot be decoded or written.
    """
    pipeline = Gst.parse_launch(f"appsrc name=in format=time ! {DECODE} ! videoconvert ! {TO_FILE}")
    source = pipeline.get_by_name("in")
    source.set_property("caps", caps)
    _write(pipeline, [(source, buffer)], path)


def write_scene(output: Output, scene: Scene, path: str) -> None:
    """Write it to `path` as PNG.

    Blocks, `DEADLINE_SECONDS` at the most. Raises MediaError when there is no picture yet, or none can be written.
    """
    found = places(output, len(scene.pictures), scene.words, own=scene.own is not None)
    shown = [(*named, tile) for named, tile in zip(scene.pictures, found.sources, strict=True)]
    shown.append(("", scene.own, found.own))
    if not any(sample for _, sample, _ in shown):
        raise MediaError("snapshot", "no picture has been received yet")
    pipeline = Gst.parse_launch(f"{canvas(output, live=False)} ! {TO_FILE}")
    write(pipeline, output, scene.words)
    fed = _feeds(pipeline, output, shown)
    _write(pipeline, [(branch["in"], buffer) for branch, buffer in fed], path)


def _feeds(
    pipeline: Any, output: Output, shown: list[tuple[str, Any, Tile]]
) -> list[tuple[Branch, Any]]:
    """A branch for each picture that there is, with the buffer that it gets."""
    feeds = []
    for label, sample, tile in shown:
        if sample is None:
            continue
        source = Branch(label, live=False)
        pipeline.add(source.bin)
        source.bin.link_pads("src", pipeline.get_by_name("mix"), "sink_%u")
        source.place(output, tile)
        entry = source["in"]
        entry.set_property("caps", sample.get_caps())
        buffer = sample.get_buffer().copy()
        buffer.pts, buffer.duration = 0, Gst.SECOND // output.framerate
        feeds.append((source, buffer))
    return feeds


def _write(pipeline: Any, feeds: list[tuple[Any, Any]], path: str) -> None:
    """Give each source its one picture and wait for the file."""
    partial = Path(f"{path}.{os.getpid()}.part")
    pipeline.get_by_name("out").set_property("location", str(partial))
    try:
        partial.unlink(missing_ok=True)
        os.close(
            os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        )  # no link of somebody's
        pipeline.set_state(Gst.State.PLAYING)
        for source, buffer in feeds:
            source.push_buffer(buffer)
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
    seconds = patience(DEADLINE_SECONDS)
    message = pipeline.get_bus().timed_pop_filtered(int(seconds * Gst.SECOND), kinds)
    if message is None:
        raise MediaError("snapshot", f"no picture within {seconds:.0f} s")
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
            if not self._news.wait_for(
                lambda: self._keyframe is not seen, patience(DEADLINE_SECONDS)
            ):
                raise MediaError("snapshot", "the camera sends no picture")
            assert self._keyframe is not None
            return Gst.Caps.from_string(ACCESS_UNITS), wrap(self._keyframe.data)
