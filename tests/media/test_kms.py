import os
import re

import pytest

from agent.errors import MediaError
from agent.media.gst import Gst
from agent.media.picture.kms import open_card
from agent.media.picture.surface import Surface
from agent.media.pipeline import SharedClock
from agent.settings import Output
from tests.support.waiting import wait_for

HD = Output(driver="kms", width=1280, height=720)


@pytest.fixture
def machine(tmp_path):
    """A Pi 4: card0 renders only, card1 has two sockets, a display is in the second."""
    for place, status, number in (
        ("card1-HDMI-A-1", "disconnected", 32),
        ("card1-HDMI-A-2", "connected", 41),
        ("card1-Writeback-1", "unknown", 50),
    ):
        folder = tmp_path / "class/drm" / place
        folder.mkdir(parents=True)
        (folder / "status").write_text(status + "\n")
        (folder / "connector_id").write_text(f"{number}\n")
        (folder / "enabled").write_text("enabled\n")
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri/card1").touch()
    return {"sysfs": tmp_path, "dev": tmp_path}


@pytest.mark.parametrize(
    ("wanted", "connector_id"), [(None, 41), ("HDMI-A-1", 32), ("HDMI-A-2", 41)]
)
def test_the_connector_that_is_meant(machine, wanted, connector_id):
    card = open_card(wanted, HD, **machine)
    try:
        assert os.readlink(f"/proc/self/fd/{card.descriptor}").endswith("/dri/card1")
        assert f"connector-id={connector_id}" in card.sink
        assert "skip-vsync=true" in card.sink, "the driver waits itself"
    finally:
        os.close(card.descriptor)


@pytest.mark.parametrize("panel", ["DSI-1", "Composite-1"])
@pytest.mark.parametrize("television", ["connected", "disconnected"])
def test_a_television_goes_before_a_panel_that_is_always_there(machine, panel, television):
    """Whether composite video is connected nobody knows; it took the picture of a television that was off."""
    (machine["sysfs"] / "class/drm/card1-HDMI-A-2/status").write_text(f"{television}\n")
    folder = machine["sysfs"] / f"class/drm/card1-{panel}"
    folder.mkdir()
    (folder / "status").write_text("unknown\n")
    (folder / "connector_id").write_text("60\n")
    card = open_card(None, HD, **machine)
    os.close(card.descriptor)
    assert card.connector_id == (41 if television == "connected" else 32)
    (folder / "status").write_text("connected\n")
    card = open_card(None, HD, **machine)
    os.close(card.descriptor)
    assert card.connector_id == (41 if television == "connected" else 60)


def test_a_connector_that_is_not_there_is_named_with_those_that_are(machine):
    with pytest.raises(MediaError, match=r"no connector DSI-1 \(found: HDMI-A-1, HDMI-A-2\)"):
        open_card("DSI-1", HD, **machine)


def test_a_card_that_may_not_be_opened(machine):
    (machine["dev"] / "dri/card1").unlink()
    with pytest.raises(MediaError, match="card1: No such file"):
        open_card(None, HD, **machine)


def without_a_mode(machine, *modes: str) -> None:
    """Nothing has lit the display that is in the second socket."""
    folder = machine["sysfs"] / "class/drm/card1-HDMI-A-2"
    (folder / "enabled").write_text("disabled\n")
    (folder / "modes").write_text("".join(f"{mode}\n" for mode in modes))


@pytest.mark.parametrize(
    ("modes", "size"),
    [
        (["1920x1080", "1920x1080i", "1280x720", "720x576"], (1280, 720)),
        (["1920x1080", "1024x768"], (1920, 1080)),
        (["1920x1080i", "1024x768"], (1024, 768)),
    ],
)
def test_a_display_that_nobody_has_lit_is_given_pictures_of_a_mode_and_turns_the_page(
    machine, modes, size
):
    """Then kmssink sets the mode: it takes pictures of its size only, and shows the next one in its wait for the refresh,
    or with `skip-vsync` never, and counts it all the same."""
    without_a_mode(machine, *modes)
    card = open_card(None, HD, **machine)
    os.close(card.descriptor)
    assert "skip-vsync" not in card.sink
    takes = ";".join(
        "video/x-raw,width={},height={}".format(*mode.split("x"))
        for mode in modes
        if mode[-1] != "i"
    )
    sink, replaced = re.subn(
        r"kmssink name=out sync=false fd=\d+ connector-id=41$",
        f'capsfilter caps="{takes}" ! fakesink name=out sync=false',
        card.sink,
    )
    assert replaced == 1
    errors: list[str] = []
    surface = Surface(SharedClock(), HD, sink, errors.append)
    surface.play()
    caps = Gst.Caps.from_string("video/x-raw,format=I420,width=320,height=180,framerate=30/1")
    surface.show(
        Gst.Sample.new(Gst.Buffer.new_wrapped(bytes(320 * 180 * 3 // 2)), caps, None, None)
    )
    wait_for(lambda: errors or surface.rendered, 40, "the picture")
    given = surface._out.get_static_pad("sink").get_current_caps().get_structure(0)
    assert (given.get_value("width"), given.get_value("height")) == size
    assert errors == []
    surface.close()


def test_a_display_that_nobody_has_lit_and_that_has_no_mode_is_not_there(machine):
    without_a_mode(machine)
    with pytest.raises(MediaError, match="nothing is connected to HDMI-A-2"):
        open_card(None, HD, **machine)
