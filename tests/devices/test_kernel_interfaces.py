"""The kernel structures written down in Python, against those of this machine's own headers."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.devices.camera import v4l2_capture as v4l2
from agent.devices.gpio import chips

PROGRAM = """
#include <linux/gpio.h>
#include <linux/videodev2.h>
#include <stddef.h>
#include <stdio.h>
#define SIZE(type) printf("%zu\\n", sizeof(struct type))
#define AT(type, field) printf("%zu\\n", offsetof(struct type, field))
#define NUMBER(request) printf("%lu\\n", (unsigned long)(request))
int main(void) {
    SIZE(v4l2_fmtdesc); AT(v4l2_fmtdesc, pixelformat);
    SIZE(v4l2_format); AT(v4l2_format, fmt.pix.width); AT(v4l2_format, fmt.pix.bytesperline);
    SIZE(v4l2_streamparm); AT(v4l2_streamparm, parm.capture.timeperframe);
    SIZE(v4l2_requestbuffers);
    SIZE(v4l2_buffer); AT(v4l2_buffer, timestamp); AT(v4l2_buffer, m); AT(v4l2_buffer, length);
    NUMBER(VIDIOC_S_FMT); NUMBER(VIDIOC_S_PARM); NUMBER(VIDIOC_REQBUFS); NUMBER(VIDIOC_QUERYBUF);
    NUMBER(VIDIOC_QBUF); NUMBER(VIDIOC_DQBUF); NUMBER(VIDIOC_ENUM_FMT); NUMBER(VIDIOC_STREAMON);
    SIZE(gpiochip_info); SIZE(gpio_v2_line_info); SIZE(gpio_v2_line_request);
    SIZE(gpio_v2_line_values);
    NUMBER(GPIO_GET_CHIPINFO_IOCTL); NUMBER(GPIO_V2_GET_LINEINFO_IOCTL);
    NUMBER(GPIO_V2_GET_LINE_IOCTL); NUMBER(GPIO_V2_LINE_GET_VALUES_IOCTL);
    return 0;
}
"""

WRITTEN = [
    ctypes.sizeof(v4l2._Description),
    v4l2._Description.pixelformat.offset,
    ctypes.sizeof(v4l2._Format),
    v4l2._Format.width.offset,
    v4l2._Format.bytesperline.offset,
    ctypes.sizeof(v4l2._Parameters),
    v4l2._Parameters.numerator.offset,
    ctypes.sizeof(v4l2._Buffers),
    ctypes.sizeof(v4l2._Buffer),
    v4l2._Buffer.seconds.offset,
    v4l2._Buffer.offset.offset,
    v4l2._Buffer.length.offset,
    v4l2._S_FMT,
    v4l2._S_PARM,
    v4l2._REQBUFS,
    v4l2._QUERYBUF,
    v4l2._QBUF,
    v4l2._DQBUF,
    v4l2._ENUM_FMT,
    v4l2._STREAMON,
    chips._CHIP_INFO.size,
    chips._LINE_INFO.size,
    chips._LINE_REQUEST.size,
    chips._LINE_VALUES.size,
    chips._GET_CHIP_INFO,
    chips._GET_LINE_INFO,
    chips._GET_LINE,
    chips._GET_VALUES,
]


def test_sizes_places_and_numbers_are_the_kernels(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc: the kernel's headers cannot be asked")
    source, program = tmp_path / "sizes.c", tmp_path / "sizes"
    source.write_text(PROGRAM)
    subprocess.run([compiler, "-o", program, source], check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert [int(line) for line in printed.split()] == WRITTEN
