"""What the code runs and loads, against what the package's Depends bring: nothing is taken for granted.

A program, library or GStreamer element that is new in agent/ has to be given a package here, and the package has to be
in scripts/deb/control, or a reason why a room without it is whole.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import ROOT, Module, modules

PROGRAMS = {
    "amixer": "alsa-utils",
    "openssl": "openssl",
}
"""Program -> the package that brings it."""

ESSENTIAL = {"df", "dmesg", "ps", "systemctl", "journalctl", "timedatectl"}
"""On every Debian with systemd; where systemd is not (a container), the code says so."""

OPTIONAL = {
    "gst-launch-1.0": "the technician's test picture says that it is not installed",
    "gst-inspect-1.0": "a line of the support bundle",
    "ip": "a line of the support bundle",
    "lsusb": "a line of the support bundle",
    "rpicam-hello": "a line of the support bundle",
    "v4l2-ctl": "a line of the support bundle",
    "vcgencmd": "Raspberry Pi OS has it; without, nothing is known of the power supply",
}

SHARED_LIBRARIES = {
    "libspeexdsp.so.1": "libspeexdsp1",
    "libgobject-2.0.so.0": "python3-gi",  # through libglib2.0-0
}

ELEMENTS = {
    "gstreamer1.0-plugins-base": """appsink appsrc audioconvert audioresample compositor
        opusdec opusenc overlaycomposition videoconvert videoconvertscale videorate videoscale
        videotestsrc audiotestsrc volume playbin audiomixer theoradec""",
    "gstreamer1.0-plugins-good": """level rtph264depay rtph264pay rtpopusdepay rtpopuspay rtpbin
        rtpvp8depay rtpvp9depay rtppcmudepay rtppcmadepay rtpjitterbuffer rtprtxreceive rtprtxsend rtprtxqueue vp8dec
        vp9dec mulawdec alawdec videocrop videobox v4l2h264dec v4l2h264enc imagefreeze alpha v4l2src""",
    "gstreamer1.0-plugins-bad": """webrtcbin errorignore h264parse webrtcdsp webrtcechoprobe proxysrc proxysink
        kmssink openh264dec dtlssrtpdec av1parse h265parse""",
    "gstreamer1.0-libav": "avdec_h264 avdec_h265 avdec_vp8 avdec_vp9 avdec_av1",
    "gstreamer1.0-x": "ximagesink textoverlay",
    "gstreamer1.0-nice": "nicesrc nicesink",
    "gstreamer1.0-alsa": "alsasink alsasrc",
}


def depends() -> set[str]:
    """The packages in the agent's Depends."""
    text = (ROOT / "scripts/deb/control").read_text("utf-8")
    ours = text.split("Package: diemcau-agent\n")[1].split("\n\n")[0]
    field = re.search(r"^Depends:(.*(?:\n .*)*)", ours, re.MULTILINE)
    assert field
    return {re.split(r"[ (]", part.strip())[0] for part in field[1].split(",")}


def programs(module: Module) -> Iterator[str]:
    """First words of the commands that this module runs or looks for."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func)
        first = node.args[0]
        if isinstance(first, ast.List) and first.elts and name.startswith("subprocess."):
            first = first.elts[0]
        elif name not in {"shutil.which", "which", "run", "shlex.split"}:
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value.split()[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "command":
            value = node.value
            first = value.elts[0] if isinstance(value, ast.List) and value.elts else value
            if isinstance(first, ast.BinOp):
                first = first.left
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value.split()[0]


def test_every_program_comes_with_a_package_or_is_not_needed() -> None:
    known = set(PROGRAMS) | ESSENTIAL | set(OPTIONAL)
    found = {program for module in modules() for program in programs(module)}
    assert {"openssl", "systemctl"} <= found, "the search finds what is there"
    assert found - known == set()
    assert set(PROGRAMS.values()) <= depends()


def test_every_shared_library_comes_with_a_package() -> None:
    found = {
        match
        for module in modules()
        for match in re.findall(r'"(lib[\w.+-]+\.so[.\d]*)"', module.path.read_text("utf-8"))
    }
    assert found - set(SHARED_LIBRARIES) == set()
    assert {SHARED_LIBRARIES[name] for name in found} <= depends()


def test_https_servers_are_trusted_out_of_the_box() -> None:
    assert "ca-certificates" in depends()


def elements() -> dict[str, str]:
    """GStreamer element -> package, as the table above has it."""
    return {name: package for package, names in ELEMENTS.items() for name in names.split()}


@pytest.mark.parametrize("package", ELEMENTS)
def test_gstreamer_packages_are_depended_on(package: str) -> None:
    assert package in depends()


def test_every_gstreamer_element_comes_with_a_package() -> None:
    """Elements named in pipeline texts (`! name`) and made by name."""
    core = {
        "queue",
        "capsfilter",
        "fakesink",
        "filesink",
        "filesrc",
        "identity",
        "tee",
        "valve",
        "fakesrc",
        "multiqueue",
    }
    pattern = re.compile(
        r"(?:! ?|make\(\"|launch\(\"|\bf?\")([a-z][a-z0-9_]{3,}(?:src|sink|enc|dec|pay|bin|parse|convert|scale|probe|dsp))\b"
    )
    found = {
        name
        for module in modules()
        if module.package == "media"
        for name in pattern.findall(module.path.read_text("utf-8"))
    }
    assert "webrtcbin" in found
    assert found - core - set(elements()) == set()


def test_the_table_of_elements_is_right_where_gstreamer_is() -> None:
    """Each element that is installed here belongs to the Debian package that the table says."""
    gst = gst_or_skip()
    factories = {name: gst.ElementFactory.find(name) for name in elements()}
    files = {
        name: Path(one.get_plugin().get_filename() or "") for name, one in factories.items() if one
    }
    # /lib may be /usr/lib, and dpkg knows one of them: files are found by their names
    shown = subprocess.run(
        ["dpkg", "-S", *{f"*/{file.name}" for file in files.values() if file.name}],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    owners = {line.rpartition("/")[2]: line.partition(":")[0] for line in shown.splitlines()}
    found = {name: owners[file.name] for name, file in files.items() if file.name}
    assert "webrtcbin" in found
    assert found == {name: elements()[name] for name in found}


def gst_or_skip() -> Any:
    gi = pytest.importorskip("gi")
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    Gst.init(None)
    return Gst
