"""A camera made of a source of raw pictures and our own H.264 encoder.

One thread reads, encodes and hands on; it reopens a source that went away until it is back. The
sources are in v4l2.py and simulated.py.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.camera.encoder import SOFTWARE, H264Encoder
from agent.devices.camera.watch import PictureWatch
from agent.errors import DeviceError
from agent.ports import AccessUnit, CameraFormat

if TYPE_CHECKING:
    import av

REOPEN_SECONDS = 1.0
"""Between attempts to open a camera that went away."""

HUNG_SECONDS = 5.0
"""Without a picture or an access unit for so long the camera is closed and opened again; a camera
front end and the Pi's encoder both come back that way (failure rows 2 and 5)."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for the capture thread, which looks up every 200 ms."""

SAMPLE_COLUMNS, SAMPLE_ROWS = 32, 18


class SourceFormat(Struct, frozen=True):
    """What a source was really opened with; `picture` names its pixel or file format."""

    width: int
    height: int
    framerate: float
    picture: str


class PictureSource(Protocol):
    """Where raw pictures come from. Used by one thread at a time."""

    def open(self) -> SourceFormat:
        """Raises DeviceAbsent, DeviceBusy, DeviceTimeout, DeviceError."""
        ...

    def read(self) -> tuple[av.VideoFrame, float] | None:
        """The next yuv420p picture and its capture time (monotonic seconds).

        None when none came for 200 ms. Raises DeviceAbsent when the camera has gone.
        """
        ...

    def close(self) -> None:
        """May be called twice; does not raise."""
        ...


class StreamingCamera:
    """The port `Camera` over a picture source.

    `bitrate` in bit/s is the ceiling. Of `codecs`, FFmpeg's names, the first that works is taken.
    """

    def __init__(
        self,
        source: PictureSource,
        bitrate: int,
        *,
        required: bool,
        codecs: tuple[str, ...] = (SOFTWARE,),
    ) -> None:
        self._source = source
        self._ceiling = self._bitrate = bitrate
        self._required = required
        self._codecs = codecs
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_unit_seconds = 0.0

    def start(
        self, on_unit: Callable[[AccessUnit], None], on_status: Callable[[DeviceStatus], None]
    ) -> CameraFormat:
        """See the port."""
        opened = self._open()
        self._on_unit, self._on_status = on_unit, on_status
        self._watch = PictureWatch(opened.framerate, time.monotonic(), required=self._required)
        self._last_unit_seconds = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()
        return CameraFormat(
            opened.width,
            opened.height,
            opened.framerate,
            self._encoder.name,
            self._encoder.hardware,
        )

    def request_keyframe(self) -> None:
        """See the port."""
        if self._thread is not None:
            self._encoder.request_keyframe()

    def set_bitrate(self, bits_per_second: int) -> None:
        """See the port."""
        self._bitrate = bits_per_second
        if self._thread is not None:
            self._encoder.set_bitrate(bits_per_second)

    def close(self) -> None:
        """See the port."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS)

    def _open(self) -> SourceFormat:
        """The source and an encoder for its pictures. Raises as `Camera.start`."""
        opened = self._source.open()
        try:
            self._encoder = self._make_encoder(opened)
        except DeviceError:
            self._source.close()
            raise
        self._encoder.set_bitrate(self._bitrate)
        return opened

    def _make_encoder(self, opened: SourceFormat) -> H264Encoder:
        shape = opened.width, opened.height, opened.framerate, self._ceiling
        for codec in self._codecs[:-1]:
            with contextlib.suppress(DeviceError):
                return H264Encoder(*shape, codec)
        return H264Encoder(*shape, self._codecs[-1])

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._stream()
                except DeviceError as error:
                    self._recover(error)
                except Exception as error:  # a thread that died of it would be a silent camera
                    self._recover(DeviceError("failed", f"Camera: {error!r}"))
        finally:
            self._source.close()

    def _stream(self) -> None:
        """Hand on pictures until the camera is closed. Raises DeviceError when it fails."""
        while not self._stopping.is_set():
            captured = self._source.read()
            if captured is not None:
                self._pass_on(*captured)
            if change := self._watch.change(time.monotonic()):
                self._on_status(change)
            if time.monotonic() - self._last_unit_seconds > HUNG_SECONDS:
                raise DeviceError("stalled", f"Camera: no encoded picture for {HUNG_SECONDS:g} s")

    def _pass_on(self, picture: av.VideoFrame, captured_seconds: float) -> None:
        now = time.monotonic()
        self._watch.picture(now)
        if self._watch.sample_due(now):
            self._watch.sample(luma_sample(picture), now)
        for unit in self._encoder.encode(picture, captured_seconds):
            self._last_unit_seconds = now
            self._on_unit(unit)

    def _recover(self, error: DeviceError) -> None:
        """Say what happened, then try until the camera is back or closed."""
        self._source.close()
        said = status.of_error(error, required=self._required)
        self._watch.said(said.code)
        self._on_status(said)
        while not self._stopping.wait(REOPEN_SECONDS):
            with contextlib.suppress(DeviceError):
                opened = self._open()
                self._watch.resume(opened.framerate, time.monotonic())
                self._last_unit_seconds = time.monotonic()
                return


def luma_sample(picture: av.VideoFrame) -> bytes:
    """A coarse grid of the picture's luma, always from the same places."""
    plane = picture.planes[0]
    view = memoryview(plane)
    lines = range(picture.height // SAMPLE_ROWS // 2, picture.height, picture.height // SAMPLE_ROWS)
    step = picture.width // SAMPLE_COLUMNS
    return b"".join(
        bytes(view[line * plane.line_size : line * plane.line_size + picture.width][::step])
        for line in lines
    )
