"""A few seconds of the camera: does it deliver, how does the picture look, does it move?

Runs in the test process, on the same driver as a meeting.
"""

from __future__ import annotations

import queue
import time
from pathlib import Path

from agent.core.model.documents import DeviceStatus, Status
from agent.devices import registry
from agent.diagnostics.bench.film import Film, luma, write_png
from agent.diagnostics.bench.protocol import CameraResult, Request
from agent.diagnostics.picture import difference, judge
from agent.errors import DeviceAbsent, DeviceTimeout
from agent.ipc.patience import patience
from agent.ports import AccessUnit, CameraFormat

FIRST_PICTURE_SECONDS = 6.0
"""Longer than any camera needs from opened to its first picture, on a Pi 4; opening has a limit of its own."""

STILL_DIFFERENCE = 0.3
"""Luma steps; below it the scene stands still, or the camera is frozen."""

FROZEN_SECONDS = 6.0
"""Watched for so long, a still picture gets the driver's verdict (it looks at raw samples)."""


def try_camera(request: Request) -> CameraResult:
    """Raises DeviceError."""
    wanted = request.devices.camera
    if wanted is None:
        raise DeviceAbsent("absent", "devices.camera: not in the settings")
    units: queue.SimpleQueue[AccessUnit] = queue.SimpleQueue()
    said = [DeviceStatus(Status.OK, "ok", "", wanted.required)]
    camera = registry.camera(wanted, request.devices.simulation)
    opened = camera.start(units.put, said.append)
    try:
        return _watch(request, units, said, opened)
    finally:
        camera.close()


def _watch(
    request: Request,
    units: queue.SimpleQueue[AccessUnit],
    said: list[DeviceStatus],
    opened: CameraFormat,
) -> CameraResult:
    film = Film()
    _await_first(film, units, patience(FIRST_PICTURE_SECONDS))
    first = time.monotonic()
    _take(film, units, first + request.seconds)
    assert film.latest is not None
    still = _stands_still(film)
    if still and said[-1].status is Status.OK and not judge(luma(film.latest)).black:
        _take(film, units, first + FROZEN_SECONDS)
        still = _stands_still(film)
    if request.file:
        write_png(film.latest, Path(request.file))
    return CameraResult(
        width=opened.width,
        height=opened.height,
        framerate=opened.framerate,
        encoder=opened.encoder,
        pictures=film.pictures,
        seconds=time.monotonic() - first,
        figures=judge(luma(film.latest)),
        still=still,
        status=said[-1],
    )


def _await_first(film: Film, units: queue.SimpleQueue[AccessUnit], seconds: float) -> None:
    began = time.monotonic()
    while film.first is None:
        remaining = began + seconds - time.monotonic()
        try:
            film.feed(units.get(timeout=max(0.0, remaining)).data)
        except queue.Empty:
            raise DeviceTimeout("stalled", f"Camera: no picture within {seconds:.0f} s") from None


def _take(film: Film, units: queue.SimpleQueue[AccessUnit], until: float) -> None:
    while (remaining := until - time.monotonic()) > 0:
        try:
            film.feed(units.get(timeout=remaining).data)
        except queue.Empty:
            return


def _stands_still(film: Film) -> bool:
    assert film.first is not None
    assert film.latest is not None
    return difference(film.first, luma(film.latest)) < STILL_DIFFERENCE
