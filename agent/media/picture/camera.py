"""The camera's share of the media process: it is opened, reported, and its pictures go to the uplink.

A camera that cannot be opened is tried again while the meeting lasts; it is never fatal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus, Status
from agent.errors import AgentError
from agent.media.loop import Loop
from agent.media.priority import after_sound
from agent.media.reporting import DeviceReporter
from agent.ports import AccessUnit, Camera, CameraFormat

RETRY_SECONDS = 3.0
KEYFRAME_SECONDS = 1.0
"""A keyframe is many times the size of other pictures: one a second at the most."""

CLOSE_SECONDS = 3.0


class CameraFeed:
    """Open from `start()` to `close()`. `on_unit` gets access units in the driver's thread."""

    def __init__(
        self,
        loop: Loop,
        make: Callable[[], Camera],
        on_unit: Callable[[AccessUnit], None],
        reporter: DeviceReporter,
    ) -> None:
        self._loop = loop
        self._make = make
        self._on_unit = on_unit
        self._reporter = reporter
        self._closing = threading.Event()
        self._camera: Camera | None = None
        self._bitrate: int | None = None
        self._small = False
        self._last_request = -KEYFRAME_SECONDS
        self._request_waits = False
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The camera is closed when this returns, unless its driver hangs for 3 s."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)

    @property
    def format(self) -> CameraFormat | None:
        """What the camera is open with now; None while it is not."""
        camera = self._camera
        return camera.format if camera else None

    def request_keyframe(self) -> None:
        """Now, or as soon as a second has passed since the last one. In the loop's thread."""
        wait = self._last_request + KEYFRAME_SECONDS - time.monotonic()
        if wait <= 0:
            self._request_now()
        elif not self._request_waits:
            self._request_waits = True
            self._loop.later(wait, self._request_now)

    def set_bitrate(self, bits_per_second: int) -> None:
        """The encoder's target from now on, also of a camera that is opened again."""
        self._bitrate = bits_per_second
        if self._camera:
            self._camera.set_bitrate(bits_per_second)

    def set_small(self, small: bool) -> None:
        """A thumbnail or the full picture from now on, also of a camera that is opened again."""
        self._small = small
        if self._camera:
            self._camera.set_small(small)

    def _request_now(self) -> None:
        self._request_waits = False
        self._last_request = time.monotonic()
        if self._camera:
            self._camera.request_keyframe()

    def _run(self) -> None:
        after_sound()
        while not self._closing.is_set():
            try:
                self._stream(self._make())
            except AgentError as error:
                self._reporter.failed(error)
                self._closing.wait(RETRY_SECONDS)

    def _stream(self, camera: Camera) -> None:
        try:
            camera.set_small(self._small)
            given = camera.start(self._on_unit, self._reporter.opened)
            self._camera = camera
            camera.set_small(self._small)  # it may have been changed meanwhile
            if self._bitrate:
                camera.set_bitrate(self._bitrate)
            self._reporter.opened(_opened(given))
            self._closing.wait()
        finally:
            self._camera = None
            camera.close()
        self._reporter.closed()


def _opened(form: CameraFormat) -> DeviceStatus:
    how = "in hardware" if form.hardware else "in software"
    text = f"Camera: {form.width}x{form.height} at {form.framerate:g}/s, {form.encoder} {how}"
    detail = DeviceDetail(
        width=form.width,
        height=form.height,
        framerate=form.framerate,
        encoder=form.encoder,
        hardware=form.hardware,
    )
    return DeviceStatus(Status.OK, "ok", text, detail=detail)
