"""A camera on the Pi's ribbon cable, through libcamera's picamera2; its pictures are encoded by us.

With one encoder for all cameras a keyframe and a bitrate can be asked for at any time, which
picamera2's own encoders offer on no Pi both: on a Pi 4 it's the hardware, on a Pi 5 libx264.
"""

from __future__ import annotations

import contextlib
import queue
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import settings
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.bounded import call_within
from agent.devices.camera.planes import fill
from agent.devices.camera.source import SourceFormat
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError

if TYPE_CHECKING:
    import av

    from agent.devices.camera.streaming import StreamingCamera

SYSFS = Path("/sys")

SENSOR_NAME = re.compile(r"^(arducam|(imx|ov|ar|gc|sc)\d)", re.IGNORECASE)
"""What the kernel calls the image sensors of Pi cameras: imx708, ov5647, arducam-pivariety."""

RGB_FORMATS = {"BGR888": "rgb24", "RGB888": "bgr24"}
"""libcamera names the bytes of a pixel from the last to the first, FFmpeg from the first."""

ON_USB = "/usb"
"""In the id that libcamera gives a camera by its place, as picamera2's own sorting knows it."""

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0
WAIT_SECONDS = 0.2

WAITING_PICTURES = 2
"""Pictures that may wait for the encoder; a newer one replaces the oldest."""


def create(wanted: settings.Camera, simulation: settings.Simulation) -> StreamingCamera:
    """The port `Camera`."""
    from agent.devices.camera.streaming import StreamingCamera  # not for who only looks

    return StreamingCamera(Picamera2Pictures(wanted), wanted.bitrate, required=wanted.required)


def probe(
    wanted: settings.Camera, simulation: settings.Simulation, sysfs: Path = SYSFS
) -> DeviceStatus:
    """Whether the kernel has found an image sensor; opens nothing, loads no library."""
    found = sensors(sysfs, wanted.device)
    try:
        sensor = found[_choose(wanted.device, found)]
    except DeviceAbsent as error:
        return status.of_error(error, required=wanted.required)
    return status.ok(
        f"Camera: {sensor}", required=wanted.required, detail=DeviceDetail(sensor=sensor)
    )


def sensors(sysfs: Path = SYSFS, wanted: str | None = None) -> list[str]:
    """The image sensors whose drivers run, such as `imx708`; of any kind if it is the wanted one."""
    subdevices = sorted((sysfs / "class" / "video4linux").glob("v4l-subdev*/name"))
    names = [path.read_text().split()[0] for path in subdevices]
    return [name for name in names if SENSOR_NAME.match(name) or _is_named(wanted, name)]


def _is_named(device: str | None, model: str) -> bool:
    """Whether the setting means this camera by its name; a number is a place in the list."""
    return device is not None and not device.isdigit() and device.lower() in model.lower()


class Picamera2Pictures:
    """The picture source of a ribbon camera. One configuration for ever (failure row 3)."""

    def __init__(self, wanted: settings.Camera) -> None:
        self._wanted = wanted
        self._camera: Any = None
        self._waiting: queue.Queue[tuple[av.VideoFrame, float]] = queue.Queue(WAITING_PICTURES)

    def open(self) -> SourceFormat:
        """See PictureSource."""
        try:
            # Outside of the deadline: on an old Pi this alone takes seconds, and cannot hang.
            from picamera2 import Picamera2
        except ImportError as error:
            text = "Camera: picamera2 is not installed; apt-get install python3-picamera2"
            raise DeviceError("not-installed", text) from error
        self._waiting = queue.Queue(WAITING_PICTURES)
        try:
            self._camera = call_within(
                OPEN_SECONDS,
                lambda: self._start(Picamera2),
                "Camera: opening",
                lambda camera: camera.close(),
            )
        except RuntimeError as error:
            raise _explain(error) from error
        main = self._camera.camera_configuration()["main"]
        width, height = main["size"]
        return SourceFormat(width, height, self._wanted.framerate, main["format"])

    def read(self) -> tuple[av.VideoFrame, float] | None:
        """See PictureSource. A ribbon camera that stops delivering is told by its silence."""
        try:
            return self._waiting.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            return None

    def close(self) -> None:
        """See PictureSource. A camera that does not stop in time is left to the process's end."""
        camera, self._camera = self._camera, None
        if camera is not None:
            with contextlib.suppress(DeviceError, RuntimeError):
                call_within(CLOSE_SECONDS, camera.close, "Camera: closing")

    def _start(self, driver: type[Any]) -> Any:
        wanted = self._wanted
        found = driver.global_camera_info()
        if wanted.device is None:  # libcamera lists USB cameras too; those are v4l2's
            found = [camera for camera in found if ON_USB not in camera["Id"]]
        chosen = found[_choose(wanted.device, [camera["Model"] for camera in found])]
        camera = driver(chosen["Num"])
        try:
            configuration = camera.create_video_configuration(
                main={"size": (wanted.width, wanted.height), "format": "YUV420"},
                controls=_controls(wanted, camera.camera_controls),
                **_mounting(wanted),
                **_full_view(camera, wanted),
            )
            camera.configure(configuration)
            camera.pre_callback = self._take
            camera.start()
        except BaseException:
            camera.close()
            raise
        return camera

    def _take(self, request: Any) -> None:
        """Called by picamera2's thread for every picture, which is only valid meanwhile."""
        from picamera2 import MappedArray

        with MappedArray(request, "main", reshape=False, write=False) as mapped:
            picture = _picture(memoryview(mapped.array), request.config["main"])
        nanoseconds = request.get_metadata().get("SensorTimestamp")
        seconds = nanoseconds / 1e9 if nanoseconds else time.monotonic()
        with contextlib.suppress(queue.Empty):
            while self._waiting.full():
                self._waiting.get_nowait()
        self._waiting.put_nowait((picture, seconds))


AUTOFOCUS_CONTINUOUS, AUTOFOCUS_MANUAL = 2, 0
"""libcamera's AfModeEnum."""


def _controls(wanted: settings.Camera, offered: Mapping[str, Any]) -> dict[str, Any]:
    """What is set at the start, of what this camera has: a Camera Module 3 is blurred until it is told to
    focus, others have no such control."""
    controls: dict[str, Any] = {}
    if "FrameDurationLimits" in offered:
        controls["FrameRate"] = wanted.framerate
    if "AfMode" in offered:
        fixed = wanted.lens_position
        controls["AfMode"] = AUTOFOCUS_CONTINUOUS if fixed is None else AUTOFOCUS_MANUAL
        if fixed is not None:
            controls["LensPosition"] = fixed
    return controls


def _mounting(wanted: settings.Camera) -> dict[str, Any]:
    if wanted.rotation == 0:
        return {}
    from libcamera import Transform

    return {"transform": Transform(hflip=1, vflip=1)}


def _full_view(camera: Any, wanted: settings.Camera) -> dict[str, Any]:
    """The smallest mode of the sensor that sees all of it, is fast enough and has the picture's pixels, or the largest of
    those that have fewer; nothing if it does not say.

    Left alone, libcamera takes a mode near the picture's size, which on some sensors sees the middle only.
    """
    modes = [mode for mode in camera.sensor_modes if mode.get("crop_limits")]
    if not modes:
        return {}
    widest = max(_area(mode["crop_limits"][2:]) for mode in modes)
    whole = [mode for mode in modes if _area(mode["crop_limits"][2:]) >= FULL_VIEW * widest]
    rate = wanted.framerate
    fast = [mode for mode in whole if mode.get("fps", rate) >= rate] or whole
    sharp = [mode for mode in fast if _holds(mode["size"], wanted)]
    near = min(sharp, key=_pixels) if sharp else max(fast, key=_pixels)
    alike = (mode for mode in fast if mode["size"] == near["size"])
    chosen = max(alike, key=lambda mode: int(mode["bit_depth"]))
    return {"sensor": {"output_size": chosen["size"], "bit_depth": chosen["bit_depth"]}}


FULL_VIEW = 0.95
"""Of the largest view: a mode that leaves out the rim still counts as the whole."""


def _holds(size: Sequence[int], wanted: settings.Camera) -> bool:
    return size[0] >= wanted.width and size[1] >= wanted.height


def _pixels(mode: Mapping[str, Any]) -> int:
    return _area(mode["size"])


def _area(size: Sequence[int]) -> int:
    return size[0] * size[1]


def _picture(data: memoryview, given: dict[str, Any]) -> av.VideoFrame:
    """The picture as yuv420p; a pipeline without YUV420 (libcamera's virtual one) gives RGB."""
    import av

    (width, height), stride = given["size"], given["stride"]
    if given["format"] in RGB_FORMATS:
        raw = av.VideoFrame(width, height, RGB_FORMATS[given["format"]])
        fill(raw.planes[0], data, 3 * width, stride)
        return raw.reformat(format="yuv420p")
    picture = av.VideoFrame(width, height, "yuv420p")
    luma, blue, red = picture.planes
    chroma = stride * height  # three planes after each other, the chroma with half the stride
    fill(luma, data, width, stride)
    fill(blue, data[chroma:], width // 2, stride // 2)
    fill(red, data[chroma + chroma // 4 :], width // 2, stride // 2)
    return picture


def _choose(device: str | None, models: list[str]) -> int:
    """The place in the list of the camera that a setting means. Raises DeviceAbsent."""
    for number, model in enumerate(models):
        if device is None or device == str(number):
            return number
        if _is_named(device, model):
            return number
    wanted = f"ribbon camera '{device}'" if device else "ribbon camera"
    found = ", ".join(models) or "none"
    text = f"Camera: no {wanted} found; check its cable at both ends, then power off and on (found: {found})"
    raise DeviceAbsent("absent", text)


def _explain(error: Exception) -> DeviceError:
    """picamera2 hides libcamera's own words behind a general sentence, as their consequence."""
    reason = error.__cause__ or error.__context__ or error
    if "busy" in str(reason).lower():
        return DeviceBusy("busy", "Camera: held by another program; see fuser -v /dev/media*")
    return DeviceError("failed", f"Camera: libcamera says: {reason}")
