"""The kernel structures written down in Python, against those of this machine's own headers."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.devices.camera import v4l2_structures as v4l2
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
    AT(v4l2_format, fmt.pix.quantization); SIZE(v4l2_format); AT(v4l2_format, fmt.pix_mp.plane_fmt);
    AT(v4l2_format, fmt.pix_mp.num_planes); SIZE(v4l2_plane_pix_format); SIZE(v4l2_plane);
    AT(v4l2_plane, m); AT(v4l2_plane, data_offset); SIZE(v4l2_control);
    NUMBER(VIDIOC_S_CTRL); NUMBER(V4L2_CID_MPEG_VIDEO_BITRATE);
    NUMBER(V4L2_CID_MPEG_VIDEO_HEADER_MODE); NUMBER(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER);
    NUMBER(V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME); NUMBER(V4L2_CID_MPEG_VIDEO_H264_I_PERIOD);
    NUMBER(V4L2_CID_MPEG_VIDEO_H264_LEVEL); NUMBER(V4L2_CID_MPEG_VIDEO_H264_PROFILE);
    NUMBER(V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE);
    NUMBER(V4L2_MPEG_VIDEO_H264_LEVEL_3_1); NUMBER(V4L2_MPEG_VIDEO_H264_LEVEL_4_2);
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
    ctypes.sizeof(v4l2.Description),
    v4l2.Description.pixelformat.offset,
    ctypes.sizeof(v4l2.Format),
    v4l2.Format.width.offset,
    v4l2.Format.bytesperline.offset,
    v4l2.Format.quantization.offset,
    ctypes.sizeof(v4l2.MultiplanarFormat),
    v4l2.MultiplanarFormat.planes.offset,
    v4l2.MultiplanarFormat.num_planes.offset,
    ctypes.sizeof(v4l2.PlaneFormat),
    ctypes.sizeof(v4l2.Plane),
    v4l2.Plane.offset.offset,
    v4l2.Plane.data_offset.offset,
    ctypes.sizeof(v4l2.Control),
    v4l2.S_CTRL,
    v4l2.BITRATE,
    v4l2.HEADER_MODE,
    v4l2.REPEAT_SEQUENCE_HEADER,
    v4l2.FORCE_KEY_FRAME,
    v4l2.H264_I_PERIOD,
    v4l2.H264_LEVEL,
    v4l2.H264_PROFILE,
    v4l2.CONSTRAINED_BASELINE,
    v4l2.LEVEL_NUMBERS[31],
    v4l2.LEVEL_NUMBERS[42],
    ctypes.sizeof(v4l2.Parameters),
    v4l2.Parameters.numerator.offset,
    ctypes.sizeof(v4l2.Buffers),
    ctypes.sizeof(v4l2.Buffer),
    v4l2.Buffer.seconds.offset,
    v4l2.Buffer.offset.offset,
    v4l2.Buffer.length.offset,
    v4l2.S_FMT,
    v4l2.S_PARM,
    v4l2.REQBUFS,
    v4l2.QUERYBUF,
    v4l2.QBUF,
    v4l2.DQBUF,
    v4l2.ENUM_FMT,
    v4l2.STREAMON,
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
