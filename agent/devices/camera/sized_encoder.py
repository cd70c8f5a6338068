"""The one encoder of a camera, exchanged for another when a thumbnail is wanted, or the full picture again.

A thumbnail is always encoded in software: it costs next to nothing, and the Pi's encoder hangs at so low a bitrate
(failure row 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import structs

from agent.devices.camera.encoder import Encoder, Shape
from agent.ports import THUMBNAIL, AccessUnit

if TYPE_CHECKING:
    import av


class SizedEncoder:
    """One thread encodes and closes, any may ask. Raises DeviceError when no encoder opens."""

    def __init__(
        self,
        full: Shape,
        choose: Callable[..., Encoder],
        *,
        hardware: bool,
        small: bool,
        bitrate: int,
    ) -> None:
        """`choose(shape, hardware=...)` makes the encoders, `bitrate` is the full picture's in bit/s."""
        self._full = full
        self._choose = choose
        self._hardware = hardware
        self._wanted_small = self._small = small
        self._bitrate = bitrate
        self._due_seconds = 0.0
        self._encoder = self._open()

    @property
    def shape(self) -> Shape:
        """What is encoded now."""
        return thumbnail(self._full) if self._small else self._full

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def hardware(self) -> bool:
        return self._encoder.hardware

    def takes(self, captured_seconds: float) -> bool:
        """Whether the picture captured then is to be encoded: a thumbnail leaves most of them out."""
        if not self._wanted_small:
            return True
        if captured_seconds + 0.5 / self._full.framerate < self._due_seconds:
            return False
        interval = 1 / thumbnail(self._full).framerate
        self._due_seconds = max(self._due_seconds, captured_seconds - interval) + interval
        return True

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        """See Encoder."""
        if self._wanted_small != self._small:
            self._exchange()
        if not self._small:
            yield from self._encoder.encode(picture, captured_seconds)
            return
        width, height, *_ = self.shape
        for unit in self._encoder.encode(picture.reformat(width, height), captured_seconds):
            yield structs.replace(unit, small=True)

    def want_small(self, small: bool) -> None:
        """From the next picture on."""
        self._wanted_small = small

    def request_keyframe(self) -> None:
        """See Encoder."""
        self._encoder.request_keyframe()

    def set_bitrate(self, bits_per_second: int) -> None:
        """See Encoder; each holds it within its own limits."""
        self._bitrate = bits_per_second
        self._encoder.set_bitrate(bits_per_second)

    def close(self) -> None:
        """See Encoder."""
        self._encoder.close()

    def _exchange(self) -> None:
        """The old one first: a board has one encoder in hardware."""
        self._encoder.close()
        self._small = self._wanted_small
        self._encoder = self._open()

    def _open(self) -> Encoder:
        encoder = self._choose(self.shape, hardware=self._hardware and not self._small)
        encoder.set_bitrate(self._bitrate)
        return encoder


def thumbnail(full: Shape) -> Shape:
    """As large as `THUMBNAIL` allows, of the same shape and never larger than the picture itself."""
    scale = min(THUMBNAIL.width / full.width, THUMBNAIL.height / full.height, 1.0)
    return Shape(
        _even(full.width * scale),
        _even(full.height * scale),
        min(THUMBNAIL.pictures_per_second, full.framerate),
        min(THUMBNAIL.bits_per_second, full.bitrate),
    )


def _even(pixels: float) -> int:
    """The chroma has half the size."""
    return max(2, round(pixels / 2) * 2)
