"""As much of picamera2 as the driver uses, delivering grey pictures: there is no libcamera here.

It follows picamera2's own source (Picamera2, CompletedRequest, MappedArray), so that the driver's
code runs; only a Raspberry Pi shows whether libcamera agrees.
"""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

STRIDE_ALIGNMENT = 64


class MappedArray:
    """The main picture of a request, as YUV420 with padded lines."""

    def __init__(self, request: Any, stream: str, reshape: bool = True, write: bool = True) -> None:
        picture = request.buffers[stream]
        self.array = picture if reshape else picture.reshape(-1)

    def __enter__(self) -> MappedArray:
        return self

    def __exit__(self, *exc: object) -> None:
        return None


class Picamera2:
    """One imx708 at number 0."""

    cameras: ClassVar[list[dict[str, Any]]] = [
        {"Num": 0, "Model": "imx708", "Id": "/base/soc/i2c0mux"}
    ]
    camera_controls: ClassVar[dict[str, Any]] = {
        "FrameDurationLimits": (33333, 120000, None),
        "AfMode": (0, 2, 0),
        "LensPosition": (0.0, 32.0, 1.0),
    }
    sensor_modes: ClassVar[list[dict[str, Any]]] = [
        {"size": (1536, 864), "bit_depth": 10, "crop_limits": (768, 432, 3072, 1728), "fps": 120.1},
        {"size": (2304, 1296), "bit_depth": 10, "crop_limits": (0, 0, 4608, 2592), "fps": 56.0},
        {"size": (4608, 2592), "bit_depth": 10, "crop_limits": (0, 0, 4608, 2592), "fps": 14.4},
    ]
    """An imx708's: the first sees the middle only, the last is too slow."""
    opened: ClassVar[dict[str, Any]] = {}
    number: ClassVar[int] = -1
    """Of the camera that was opened last."""
    in_use = False

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return cls.cameras

    def __init__(self, camera_num: int = 0) -> None:
        if Picamera2.in_use:
            cause = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from cause
        Picamera2.in_use, Picamera2.number = True, camera_num
        self.pre_callback: Any = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._deliver, daemon=True)

    def create_video_configuration(
        self, main: dict[str, Any], controls: dict[str, Any], **rest: Any
    ) -> dict[str, Any]:
        for name in controls:
            assert name in self.camera_controls or name == "FrameRate", f"no control {name}"
        stride = -(-main["size"][0] // STRIDE_ALIGNMENT) * STRIDE_ALIGNMENT
        return {"main": {**main, "stride": stride}, "controls": controls, **rest}

    def configure(self, configuration: dict[str, Any]) -> None:
        self._configuration = configuration
        Picamera2.opened = configuration

    def camera_configuration(self) -> dict[str, Any]:
        return self._configuration

    def start(self) -> None:
        self._running.set()
        self._thread.start()

    def close(self) -> None:
        self._running.clear()
        if self._thread.is_alive():
            self._thread.join()
        Picamera2.in_use = False

    def _deliver(self) -> None:
        main = self._configuration["main"]
        height, stride = main["size"][1], main["stride"]
        noise = np.random.default_rng(1)
        while self._running.is_set():
            time.sleep(1 / self._configuration["controls"]["FrameRate"])
            picture = np.full((height * 3 // 2, stride), 128, dtype=np.uint8)
            picture[:height] = noise.integers(90, 110, (height, stride), dtype=np.uint8)
            metadata = {"SensorTimestamp": time.monotonic_ns()}
            self.pre_callback(
                SimpleNamespace(
                    buffers={"main": picture},
                    config={"main": main},
                    get_metadata=lambda metadata=metadata: metadata,
                )
            )
