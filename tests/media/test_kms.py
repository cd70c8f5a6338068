import os

import pytest

from agent.errors import MediaError
from agent.media.picture.kms import open_card


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
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri/card1").touch()
    return {"sysfs": tmp_path, "dev": tmp_path}


@pytest.mark.parametrize(
    ("wanted", "connector_id"), [(None, 41), ("HDMI-A-1", 32), ("HDMI-A-2", 41)]
)
def test_the_connector_that_is_meant(machine, wanted, connector_id):
    card = open_card(wanted, **machine)
    try:
        assert os.readlink(f"/proc/self/fd/{card.descriptor}").endswith("/dri/card1")
        assert f"connector-id={connector_id}" in card.sink
    finally:
        os.close(card.descriptor)


def test_a_connector_that_is_not_there_is_named_with_those_that_are(machine):
    with pytest.raises(MediaError, match=r"no connector DSI-1 \(found: HDMI-A-1, HDMI-A-2\)"):
        open_card("DSI-1", **machine)


def test_a_card_that_may_not_be_opened(machine):
    (machine["dev"] / "dri/card1").unlink()
    with pytest.raises(MediaError, match="card1: No such file"):
        open_card(None, **machine)
