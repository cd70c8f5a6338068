"""The picture on the screen as GStreamer text: sources in their tiles, labels, the line of words.

The live screen and a snapshot are built from the same pieces, so a snapshot shows what people see.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from agent.media.gst import Gst
from agent.media.picture.layout import Tile
from agent.media.picture.lettering import (
    BAND_POINTS,
    BAND_SHARE,
    BASIS,
    CLOCK_POINTS,
    LABEL_POINTS,
    TITLE_POINTS,
    TITLE_SHARE,
    WORDS_POINTS,
    Words,
    fitted,
    label_height,
)
from agent.settings import Output

FONT = "DejaVu Sans"
"""Has every Vietnamese letter (fonts-dejavu-core)."""

LABEL = f'textoverlay name=label font-desc="{FONT} {LABEL_POINTS}" halignment=left valignment=bottom ypad=4'
"""Drawn on the margin that `Margins` has put beneath the picture."""

CLOCK = (
    f'clockoverlay name=clock font-desc="{FONT} {CLOCK_POINTS}" ypad=8 valignment=top halignment=left '
    'time-format="%H:%M"'
)

RESAMPLER = "GstVideoConverter,GstVideoConverter.resampler-method=(GstVideoResamplerMethod)linear"
"""How a mixer's input scales: with the default, cubic, four sources cost three times as much."""


class Scene(NamedTuple):
    """What the screen shows: label and newest picture of each source (None: nothing came yet), the words, and
    the room's own picture if it is in the corner."""

    pictures: list[tuple[str, Any]]
    words: Words = Words()
    own: Any = None


def say(overlay: Any, text: str) -> None:
    """Set a text; without one the overlay lets pictures pass untouched."""
    overlay.set_property("text", text)
    overlay.set_property("silent", not text)


def canvas(output: Output, *, live: bool) -> str:
    """Everything behind the sources: the mixer `mix`, the lines `words`, the title `title`, the `clock`, the `band`."""
    pace = "force-live=true latency=20000000 ignore-inactive-pads=true" if live else ""
    size = f"width={output.width},height={output.height},framerate={output.framerate}/1"
    size += ",pixel-aspect-ratio=1/1"
    return (
        f"compositor name=mix background=black {pace} ! video/x-raw,format=I420,{size} "
        f"! textoverlay name=title valignment=center halignment=center "
        f'! textoverlay name=words font-desc="{FONT} {WORDS_POINTS}" valignment=top halignment=right ypad=8 '
        f"line-alignment=right ! {CLOCK} "
        f"! textoverlay name=band valignment=bottom halignment=center ypad=8 ! videoconvert"
    )


def write(pipeline: Any, output: Output, words: Words) -> None:
    """Put these words on a `canvas`, as large as they fit."""
    height = output.height * BASIS / output.width
    pipeline.get_by_name("clock").set_property("text", words.head)
    say(pipeline.get_by_name("words"), words.lines)
    for name, text, sizes, share in (
        ("title", words.title, TITLE_POINTS, TITLE_SHARE),
        ("band", words.band, BAND_POINTS, BAND_SHARE),
    ):
        block = fitted(text, sizes, height * share)
        pipeline.get_by_name(name).set_property("font-desc", f"{FONT} {block.points}")
        say(pipeline.get_by_name(name), block.text)


class Margins:
    """Black above and below the pictures that pass an element `videobox`, for words that shall not cover them."""

    def __init__(self, box: Any) -> None:
        self._box = box
        self._lock = threading.Lock()
        self._width = 0
        self._top = self._bottom = 0
        box.get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._look)

    def set(self, top: int, bottom: int) -> None:
        """So much, of a picture that is 640 wide. From any thread."""
        with self._lock:
            self._top, self._bottom = top, bottom
            self._apply()

    def _look(self, _pad: Any, info: Any) -> Any:
        event = info.get_event()
        if event.type == Gst.EventType.CAPS:
            with self._lock:
                self._width = event.parse_caps().get_structure(0).get_value("width")
                self._apply()
        return Gst.PadProbeReturn.OK

    def _apply(self) -> None:
        for side, height in (("top", self._top), ("bottom", self._bottom)):
            self._box.set_property(side, -(round(height * self._width / BASIS) & ~1))


class Branch:
    """One source on its way to a canvas: `bin` has the pad `src`, and its element `in` takes the pictures."""

    def __init__(self, label: str, *, live: bool) -> None:
        pace = "is-live=true do-timestamp=true max-buffers=2 leaky-type=downstream" if live else ""
        leaky = "leaky=downstream" if live else ""
        # ghost pads are made by hand: a ghosted text pad would have the label wait for a text
        self.bin = Gst.parse_bin_from_description(
            f"appsrc name=in format=time {pace} ! videoconvert ! videobox name=box ! {LABEL} "
            f"! queue name=end max-size-buffers=2 {leaky}",
            False,
        )
        self.bin.add_pad(Gst.GhostPad.new("src", self["end"].get_static_pad("src")))
        self._margins = Margins(self["box"])
        self._label = label

    def __getitem__(self, name: str) -> Any:
        return self.bin.get_by_name(name)

    def place(self, output: Output, tile: Tile) -> None:
        """Have the mixer, to which it is linked, put it there: in its shape, its name beneath it, as large as
        on any other."""
        pad = self.bin.get_static_pad("src").get_peer()
        for name, value in zip(("xpos", "ypos", "width", "height"), tile, strict=True):
            pad.set_property(name, value)
        pad.set_property("sizing-policy", 1)
        pad.set_property("converter-config", Gst.Structure.new_from_string(RESAMPLER))
        across = min(tile.width, tile.height * output.width // output.height)
        points = round(LABEL_POINTS * output.width / max(across, output.width // 4))
        self._margins.set(0, label_height(points) if self._label else 0)
        self["label"].set_property("font-desc", f"{FONT} {points}")
        say(self["label"], self._label)
