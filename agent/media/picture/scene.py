"""The picture on the screen as GStreamer text: sources in their tiles, labels, the line of words.

The live screen and a snapshot are built from the same pieces, so a snapshot shows what people see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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
from agent.media.pipeline import weakly
from agent.settings import Output

FONT = "DejaVu Sans"
"""Has every Vietnamese letter (fonts-dejavu-core)."""

LABEL = f'textoverlay name=label font-desc="{FONT} {LABEL_POINTS}" halignment=left valignment=bottom ypad=4'
"""Drawn on the margin that a `Fitter` has put beneath the picture."""

CLOCK = (
    f'clockoverlay name=clock font-desc="{FONT} {CLOCK_POINTS}" ypad=8 valignment=top halignment=left '
    'time-format="%H:%M"'
)

WORDS = (
    f'textoverlay name=words font-desc="{FONT} {WORDS_POINTS}" valignment=top halignment=right ypad=8 '
    "line-alignment=right"
)

FIT = (
    "videoconvertscale name=fit method=bilinear add-borders=true ! capsfilter name=size "
    "! videocrop name=crop"
)
"""What a `Fitter` sets. Two taps a side: with GStreamer's cubic ones four sources cost three times as much."""


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
        f"! {WORDS} ! {CLOCK} "
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


class Fit(NamedTuple):
    """A picture's size, and black above and below it for words that shall not cover it; in pixels, all even."""

    width: int
    height: int
    top: int = 0
    bottom: int = 0


class Fitter:
    """Gives the pictures that pass `FIT` the size and the margins that `choose` names for their own width and height,
    as long as somebody holds it.

    The scaler draws margins in the same pass (a `videobox` took five times as long), as large below as above: what is
    too much is cropped, which copies nothing.
    """

    def __init__(self, pipeline: Any, choose: Callable[[int, int], Fit]) -> None:
        self._size = pipeline.get_by_name("size")
        self._crop = pipeline.get_by_name("crop")
        self._choose = choose
        self._lock = threading.Lock()
        self._of: tuple[int, int] | None = None
        self._set: Fit | None = None
        entry = pipeline.get_by_name("fit").get_static_pad("sink")
        entry.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, weakly(self._on_caps))

    def update(self) -> None:
        """What `choose` goes by has changed. From any thread."""
        with self._lock:
            if self._of:
                self._apply(self._choose(*self._of))

    def _on_caps(self, _pad: Any, info: Any) -> Any:
        event = info.get_event()
        if event.type == Gst.EventType.CAPS:
            form = event.parse_caps().get_structure(0)
            with self._lock:
                self._of = form.get_value("width"), form.get_value("height")
                self._apply(self._choose(*self._of))
        return Gst.PadProbeReturn.OK

    def _apply(self, fit: Fit) -> None:
        if (
            fit == self._set
        ):  # caps that are set have the source try again, for ever with a picture that is refused
            return
        self._set = fit
        margin = max(fit.top, fit.bottom)
        size = f"width={fit.width},height={fit.height + 2 * margin}"
        caps = Gst.Caps.from_string(f"video/x-raw,{size},pixel-aspect-ratio=1/1")
        self._size.set_property("caps", caps)
        self._crop.set_property("top", margin - fit.top)
        self._crop.set_property("bottom", margin - fit.bottom)


class Branch:
    """One source on its way to a canvas: `bin` has the pad `src`, and its element `in` takes the pictures. It is scaled
    to its place before its name is drawn: letters that are scaled with a picture are blurred. To be held as long as
    pictures come.
    """

    def __init__(self, label: str, *, live: bool) -> None:
        pace = "is-live=true do-timestamp=true max-buffers=2 leaky-type=downstream" if live else ""
        leaky = "leaky=downstream" if live else ""
        # ghost pads are made by hand: a ghosted text pad would have the label wait for a text
        self.bin = Gst.parse_bin_from_description(
            f"appsrc name=in format=time {pace} ! {FIT} ! {LABEL} "
            f"! queue name=end max-size-buffers=2 {leaky}",
            False,
        )
        self.bin.add_pad(Gst.GhostPad.new("src", self["end"].get_static_pad("src")))
        self._fitter = Fitter(self.bin, self._fit)
        self._label = label
        self._output: Output | None = None
        self._tile = Tile(0, 0, 0, 0)

    def __getitem__(self, name: str) -> Any:
        return self.bin.get_by_name(name)

    def place(self, output: Output, tile: Tile) -> None:
        """Have the mixer, to which it is linked, put it there: in its shape, its name beneath it, as large as
        on any other."""
        self._output, self._tile = output, tile
        self._fitter.update()

    def _fit(self, width: int, height: int) -> Fit:
        """As large as the tile lets it be with its name beneath it, and the mixer's pad told where that is."""
        output, tile = self._output, self._tile
        if output is None:
            return Fit(width, height)
        across, tall, margin, points = tile.width, tile.height, 0, LABEL_POINTS
        for _ in range(2 if self._label else 1):  # a name takes height, and with it width
            across = min(tile.width, tall * width // height) & ~1 or 2
            points = round(LABEL_POINTS * output.width / max(across, output.width // 4))
            margin = round(label_height(points) * across / BASIS) & ~1 if self._label else 0
            tall = max(tile.height - margin, 2)
        tall = min(tall, across * height // width) & ~1 or 2
        self["label"].set_property("font-desc", f"{FONT} {points}")
        say(self["label"], self._label)
        x, y = tile.x + (tile.width - across) // 2, tile.y + (tile.height - tall - margin) // 2
        place = {"xpos": x, "ypos": y, "width": across, "height": tall + margin}
        pad = self.bin.get_static_pad("src").get_peer()
        for name, value in place.items() if pad else ():
            pad.set_property(name, value)
        return Fit(across, tall, bottom=margin)
