"""The picture on the screen as GStreamer text: sources in their tiles, labels, the line of words.

The live screen and a snapshot are built from the same pieces, so a snapshot shows what people see.
"""

from __future__ import annotations

from typing import Any

from agent.media.gst import Gst
from agent.media.picture.layout import Tile
from agent.settings import Output

FONT = "DejaVu Sans"
"""Has every Vietnamese letter (fonts-dejavu-core)."""

# Points are for a picture 640 wide: GStreamer's overlays grow with the picture. Title and time on the left and
# the words on the right have the first lines of the screen for themselves, above the heads.
LABEL = (
    f'textoverlay name=label font-desc="{FONT} 16" halignment=left valignment=bottom '
    "shaded-background=true"
)

CLOCK = (
    f'clockoverlay name=clock font-desc="{FONT} 11" ypad=12 valignment=top halignment=left '
    'shaded-background=true time-format="%H:%M"'
)

RESAMPLER = "GstVideoConverter,GstVideoConverter.resampler-method=(GstVideoResamplerMethod)linear"
"""How a mixer's input scales: with the default, cubic, four sources cost three times as much."""


def say(overlay: Any, text: str) -> None:
    """Set a text; without one the overlay lets pictures pass untouched."""
    overlay.set_property("text", text)
    overlay.set_property("silent", not text)


def canvas(output: Output, *, live: bool) -> str:
    """Everything behind the sources: the mixer `mix`, the line `words`, the title `title`, the `clock`."""
    pace = "force-live=true latency=20000000 ignore-inactive-pads=true" if live else ""
    size = f"width={output.width},height={output.height},framerate={output.framerate}/1"
    size += ",pixel-aspect-ratio=1/1"
    clock = f"! {CLOCK} " if live else ""
    return (
        f"compositor name=mix background=black {pace} ! video/x-raw,format=I420,{size} "
        f'! textoverlay name=title font-desc="{FONT} 40" valignment=center halignment=center '
        f'! textoverlay name=words font-desc="{FONT} 12" valignment=top halignment=right ypad=12 line-alignment=right '
        f"shaded-background=true {clock}"
        f'! textoverlay name=band font-desc="{FONT} 28" valignment=bottom '
        "halignment=center shaded-background=true ! videoconvert"
    )


def branch(*, live: bool) -> Any:
    """One source as a bin with the pad `src`: `in` takes its pictures, `label` its name."""
    pace = "is-live=true do-timestamp=true max-buffers=2 leaky-type=downstream" if live else ""
    leaky = "leaky=downstream" if live else ""
    # ghost pads are made by hand: a ghosted text pad would have the label wait for a text
    made = Gst.parse_bin_from_description(
        f"appsrc name=in format=time {pace} ! videoconvert ! {LABEL} "
        f"! queue name=end max-size-buffers=2 {leaky}",
        False,
    )
    made.add_pad(Gst.GhostPad.new("src", made.get_by_name("end").get_static_pad("src")))
    return made


def place(pad: Any, tile: Tile) -> None:
    """Put the mixer's input there; the picture keeps its shape."""
    for name, value in zip(("xpos", "ypos", "width", "height"), tile, strict=True):
        pad.set_property(name, value)
    pad.set_property("sizing-policy", 1)
    pad.set_property("converter-config", Gst.Structure.new_from_string(RESAMPLER))
