"""A USB camera through Video4Linux2: its MJPEG or YUYV pictures, encoded by us.

A camera's own H.264 is not used: UVC cameras take no request for a keyframe and no new bitrate
while they stream, and a meeting over a narrow link needs both.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.bounded import call_within
from agent.devices.camera import v4l2_nodes
from agent.devices.camera.planes import fill, in_limited_range
from agent.devices.camera.source import SourceFormat
from agent.errors import DeviceAbsent, DeviceError

if TYPE_CHECKING:
    import av

    from agent.devices.camera.streaming import StreamingCamera
    from agent.devices.camera.v4l2_capture import Capture, CaptureFormat

PREFERRED = ("MJPG", "YUYV")
"""Raw 720p30 does not fit through USB 2, so the compressed one comes first."""

OPEN_SECONDS = 5.0
WAIT_SECONDS = 0.2


def create(wanted: settings.Camera, simulation: settings.Simulation) -> StreamingCamera:
    """The port `Camera`."""
    from agent.devices.camera.streaming import StreamingCamera  # not for who only looks

    return StreamingCamera(V4l2Pictures(wanted), wanted.bitrate, required=wanted.required)


def probe(
    wanted: settings.Camera, simulation: settings.Simulation, sysfs: Path = v4l2_nodes.SYSFS
) -> DeviceStatus:
    """Whether the camera is there, from sysfs alone."""
    try:
        node = v4l2_nodes.find(wanted.device, sysfs)
    except DeviceError as error:
        return status.of_error(error, required=wanted.required)
    return status.ok(
        f"Camera: {node.card}", required=wanted.required, detail=DeviceDetail(device=str(node.path))
    )


class V4l2Pictures:
    """The picture source of a USB camera."""

    def __init__(self, wanted: settings.Camera, sysfs: Path = v4l2_nodes.SYSFS) -> None:
        self._wanted = wanted
        self._sysfs = sysfs
        self._capture: Capture | None = None
        self._decoder: av.VideoCodecContext | None = None

    def open(self) -> SourceFormat:
        """See PictureSource."""
        import av

        from agent.devices.camera.v4l2_capture import Capture

        wanted = self._wanted
        node = v4l2_nodes.find(wanted.device, self._sysfs)
        self._capture = call_within(
            OPEN_SECONDS,
            lambda: Capture(node, PREFERRED, wanted.width, wanted.height, wanted.framerate),
            f"Camera: opening '{node.card}'",
            lambda capture: capture.close(),
        )
        decoder = av.CodecContext.create("mjpeg", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        self._decoder = decoder
        given = self._capture.format
        return SourceFormat(given.width, given.height, given.framerate, given.pixels)

    def read(self) -> tuple[av.VideoFrame, float] | None:
        """See PictureSource."""
        if self._capture is None:
            raise DeviceAbsent("absent", "Camera: not open")
        captured = self._capture.read(WAIT_SECONDS)
        if captured is None:
            return None
        data, seconds = captured
        picture = self._decode(data, self._capture.format)
        return (picture, seconds) if picture is not None else None

    def close(self) -> None:
        """See PictureSource."""
        capture, self._capture = self._capture, None
        if capture is not None:
            with contextlib.suppress(DeviceError):
                call_within(WAIT_SECONDS * 5, capture.close, "Camera: closing")

    def _decode(self, data: bytes, given: CaptureFormat) -> av.VideoFrame | None:
        """The picture as yuv420p in limited range, which H.264 without a flag means; None for a damaged
        one, which USB delivers now and then.
        """
        import av

        if given.pixels == "YUYV":
            raw = av.VideoFrame(given.width, given.height, "yuyv422")
            fill(raw.planes[0], data, 2 * given.width, given.bytes_per_line)
            return in_limited_range(raw, full=given.full_range)
        assert self._decoder is not None
        try:
            pictures = self._decoder.decode(av.Packet(data))
        except av.FFmpegError:
            return None
        return in_limited_range(pictures[0], full=given.full_range) if pictures else None
