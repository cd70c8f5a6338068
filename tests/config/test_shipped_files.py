"""config/agent.yaml is the documentation of the settings: it must load, and say the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import NODEFAULT

from agent.config import entries, load
from agent.config.credentials import Credentials
from agent.config.reading import read
from agent.config.schema import all_keys, default_of, section_of
from agent.settings import Settings

NONE = Credentials(None, Path("/nowhere"))
CONFIG = Path(__file__).parents[2] / "config"
CHOICES = {"devices.panel.on_air_lamp", "devices.panel.mute_button"}
"""Optional, but shown live: a panel with neither makes no sense."""


@pytest.fixture
def uncommented() -> str:
    return re.sub(r"^( *)#(?=\w)", r"\1", (CONFIG / "agent.yaml").read_text(), flags=re.MULTILINE)


def test_the_commented_original_loads() -> None:
    settings = load(CONFIG / "agent.yaml", check_files=False)
    assert settings.devices.microphone is not None
    assert settings.devices.display.relay is not None


def test_it_names_every_key_and_loads_with_all_of_them(uncommented: str, tmp_path: Path) -> None:
    reading = read(uncommented, "agent.yaml", NONE)
    assert reading.problems == []
    assert set(all_keys(Settings)) - set(reading.lines) == set()
    (tmp_path / "agent.yaml").write_text(uncommented)
    load(tmp_path / "agent.yaml", check_files=False)


def test_a_live_key_shows_its_default_and_a_commented_one_has_none() -> None:
    text = (CONFIG / "agent.yaml").read_text()
    live = {entry.key: entry for entry in entries(CONFIG / "agent.yaml")}
    written = read(text, "agent.yaml", NONE).lines
    for key, field in all_keys(Settings).items():
        default = default_of(field)
        if section_of(field.type) or default is NODEFAULT or key.endswith("output.driver"):
            continue
        if default is None:
            assert key not in written or key in CHOICES, f"{key} has no value by default"
        elif key in written:
            assert live[key].value == default, key
        else:
            assert default == [], f"{key} is not shown live"


def test_the_comment_above_a_key_names_its_range(uncommented: str) -> None:
    """Ranges in comments go stale when the schema changes: each limit must stand near its key."""
    lines = uncommented.splitlines()
    for key, field in all_keys(Settings).items():
        limits = re.findall(r"\b[gl]e=(\d+)", str(field.type))
        line = read(uncommented, "agent.yaml", NONE).lines[key]
        nearby = "\n".join(lines[max(0, line - 6) : line])
        for limit in limits:
            assert re.search(rf"\b{limit}\b", nearby) or limit == "0", f"{key}: {limit} not named"


def test_the_demo_room_loads_and_is_light() -> None:
    settings = load(CONFIG / "demo.yaml")
    assert settings.devices.camera is not None
    assert settings.devices.camera.driver == "simulated"
    assert settings.devices.camera.width * settings.devices.camera.height <= 640 * 360
