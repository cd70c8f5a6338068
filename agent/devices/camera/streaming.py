"""A camera made of a source of raw pictures and our own H.264 encoder.

One thread reads, encodes and hands on; another watches it, and reopens what went away or hangs until
it is back. The sources are in v4l2.py, picamera2.py and simulated.py.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.camera.encoder import Encoder, Shape, best
from agent.devices.camera.sized_encoder import SizedEncoder
from agent.devices.camera.source import PictureSource, SourceFormat
from agent.devices.camera.watch import PictureWatch
from agent.errors import AgentError, DeviceError
from agent.ports import AccessUnit, CameraFormat

if TYPE_CHECKING:
    import av

REOPEN_SECONDS = 1.0
"""Between attempts to open a camera that went away."""

HUNG_SECONDS = 5.0
"""Without a picture or an access unit for so long the camera is closed and opened again; a camera
front end and the Pi's encoder both come back that way (failure rows 2 and 5)."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for the watching thread."""

STOP_SECONDS = 1.0
"""How long that waits for the one with the pictures, which looks up every 200 ms if nothing hangs."""

WATCH_SECONDS = 0.1

ENCODER_FAULT = "encoder"
"""The code of an error that is the encoder's own."""

UNANSWERED_PICTURES = 4
"""An encoder that has given nothing for so many hangs."""

SAMPLE_COLUMNS, SAMPLE_ROWS = 32, 18


class StreamingCamera:
    """The port `Camera` over a picture source.

    `bitrate` in bit/s is the ceiling. With `hardware` its encoder is taken if there is one; one that
    hangs or fails is not taken a second time. Whoever watches never waits for source or encoder.
    """

    def __init__(
        self,
        source: PictureSource,
        bitrate: int,
        *,
        required: bool,
        hardware: bool = True,
        choose: Callable[..., Encoder] = best,
    ) -> None:
        self._source = source
        self._ceiling = self._bitrate = bitrate
        self._required = required
        self._hardware = hardware
        self._choose = choose
        self._small = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._take: Take | None = None
        self._watch = PictureWatch(1, time.monotonic(), required=required)
        self._on_unit: Callable[[AccessUnit], None] = _unheard
        self._on_status: Callable[[DeviceStatus], None] = _unheard

    def start(
        self, on_unit: Callable[[AccessUnit], None], on_status: Callable[[DeviceStatus], None]
    ) -> CameraFormat:
        """See the port."""
        self._on_unit, self._on_status = on_unit, on_status
        self._take = self._open()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()
        return self._take.format

    @property
    def format(self) -> CameraFormat | None:
        """See the port."""
        return self._take.format if self._take else None

    def request_keyframe(self) -> None:
        """See the port."""
        if self._take is not None:
            self._take.encoder.request_keyframe()

    def set_bitrate(self, bits_per_second: int) -> None:
        """See the port."""
        self._bitrate = bits_per_second
        if self._take is not None:
            self._take.encoder.set_bitrate(bits_per_second)

    def set_small(self, small: bool) -> None:
        """See the port."""
        self._small = small
        if self._take is not None:
            self._take.encoder.want_small(small)

    def close(self) -> None:
        """See the port."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS)

    def _open(self) -> Take:
        """The source and an encoder for its pictures, at work. Raises as `Camera.start`."""
        try:
            opened = self._source.open()
        except AgentError:
            raise
        except Exception as error:  # of a library or sysfs, while a camera comes or goes
            self._source.close()
            raise DeviceError("failed", f"Camera: {error!r}") from error
        shape = Shape(opened.width, opened.height, opened.framerate, self._ceiling)
        try:
            encoder = SizedEncoder(
                shape,
                self._choose,
                hardware=self._hardware,
                small=self._small,
                bitrate=self._bitrate,
            )
        except DeviceError:
            self._source.close()
            raise
        self._watch.resume(opened.framerate, time.monotonic())
        taken = Take(self._source, opened, encoder, self._watch, self._on_unit)
        taken.start()
        return taken

    def _run(self) -> None:
        taken = self._take
        while taken is not None:
            try:
                self._attend(taken)
            except DeviceError as error:
                self._end(taken)
                if error.code == ENCODER_FAULT or taken.encoder_hangs:
                    self._hardware = False
                taken = self._recover(error)
            else:
                self._end(taken)
                return

    def _attend(self, taken: Take) -> None:
        """Watch until the camera is closed. Raises DeviceError when pictures stop coming."""
        while not self._stopping.is_set():
            if taken.ended.wait(WATCH_SECONDS):
                raise taken.error or DeviceError("failed", "Camera: its thread ended")
            if change := self._watch.change(time.monotonic()):
                self._on_status(change)
            if taken.silent_seconds() > HUNG_SECONDS:
                raise DeviceError("stalled", f"Camera: no encoded picture for {HUNG_SECONDS:g} s")

    def _end(self, taken: Take) -> None:
        """Its thread is left behind if it hangs in the encoder, which then may not be touched any more."""
        if taken.stop():
            taken.encoder.close()
        self._source.close()

    def _recover(self, error: DeviceError) -> Take | None:
        """Say what happened, then try until the camera is back; None if it is closed meanwhile."""
        said = status.of_error(error, required=self._required)
        self._watch.said(said.code)
        self._on_status(said)
        while not self._stopping.wait(REOPEN_SECONDS):
            with contextlib.suppress(DeviceError):
                self._take = self._open()
                return self._take
        return None


class Take:
    """From one opening of the camera to its end: a thread that reads, encodes and hands on."""

    def __init__(
        self,
        source: PictureSource,
        opened: SourceFormat,
        encoder: SizedEncoder,
        watch: PictureWatch,
        on_unit: Callable[[AccessUnit], None],
    ) -> None:
        self.encoder = encoder
        self.ended = threading.Event()
        self.error: DeviceError | None = None
        """Why it ended by itself."""
        self._inside_encoder = False
        self._unanswered = 0
        self._source = source
        self._watch = watch
        self._on_unit = on_unit
        self._stopping = threading.Event()
        self._last_unit_seconds = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="camera-pictures", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def format(self) -> CameraFormat:
        """What is delivered now."""
        width, height, framerate, _ = self.encoder.shape
        return CameraFormat(width, height, framerate, self.encoder.name, self.encoder.hardware)

    @property
    def encoder_hangs(self) -> bool:
        """Whether a silence is the encoder's doing, not the camera's."""
        return self._inside_encoder or self._unanswered > UNANSWERED_PICTURES

    def silent_seconds(self) -> float:
        """Since the last access unit."""
        return time.monotonic() - self._last_unit_seconds

    def stop(self) -> bool:
        """No unit is handed on when this returns. Whether its thread has ended, too."""
        self._stopping.set()
        return self.ended.wait(STOP_SECONDS)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                captured = self._source.read()
                if captured is not None:
                    self._pass_on(*captured)
        except DeviceError as error:
            self.error = error
        except Exception as error:  # a thread that died of it would be a silent camera
            self.error = DeviceError("failed", f"Camera: {error!r}")
        self.ended.set()

    def _pass_on(self, picture: av.VideoFrame, captured_seconds: float) -> None:
        now = time.monotonic()
        self._watch.picture(now)
        if self._watch.sample_due(now):
            self._watch.sample(luma_sample(picture), now)
        if not self.encoder.takes(captured_seconds):
            return
        self._unanswered += 1
        self._inside_encoder = True
        for unit in self.encoder.encode(picture, captured_seconds):
            if self._stopping.is_set():
                return
            self._unanswered = 0
            self._last_unit_seconds = time.monotonic()
            self._on_unit(unit)
        self._inside_encoder = False


def _unheard(_: object) -> None:
    """Who listens before the camera is started."""


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
