"""Whatever is wrong with whichever setting is said in Vietnamese to the last word: texts put together at run time
are what a look at the source can't judge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agent import locale
from agent.config import load
from agent.config.schema import all_keys
from agent.errors import ConfigError
from agent.settings import Settings
from tests.config.english import left_in_english

BAD = (
    "",
    "''",
    "[]",
    "{}",
    "true",
    "-1",
    "99999999",
    "x y",
    "'12'",
    "1.5",
    "[[1]]",
    "1e400",
    "!secret x",
)
MINIMAL = {
    "room": {"id": "r1"},
    "hub": {"host": "localhost"},
    "devices": {
        "camera": {"driver": "simulated"},
        "microphone": {"driver": "simulated"},
        "speaker": {"driver": "simulated"},
        "panel": {"driver": "simulated"},
        "display": {"relay": {"driver": "simulated"}, "output": {"driver": "none"}},
    },
}


@pytest.fixture(autouse=True)
def vietnamese() -> Iterator[None]:
    locale.use("vi")
    yield
    locale.use("en")


def problems(path: Path, key: str, value: str) -> list[str]:
    """Of the smallest settings with this one value, which stands as it is written."""
    contents = msgspec.json.decode(msgspec.json.encode(MINIMAL))
    section = contents
    *way, name = key.split(".")
    for step in way:
        section = section.setdefault(step, {})
    section[name] = "@@"
    path.write_text(msgspec.json.encode(contents).decode().replace('"@@"', value or "null"))
    try:
        load(path, check_files=False)
    except ConfigError as error:
        return error.problems
    return []


@pytest.mark.parametrize("value", BAD)
def test_a_bad_value_of_any_key(tmp_path: Path, value: str) -> None:
    english = {}
    for key in all_keys(Settings):
        for problem in problems(tmp_path / "agent.yaml", key, value):
            said = locale.translate(problem)
            if left := left_in_english(re.sub(r"'[^']*'", "", said)):
                english[f"{key}: {said}"] = left
    assert not english


def test_several_at_once_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "room: {id: Xã Ba}\nhub: {host: '', port: 99999x, tsl: {}}\ndevices: {camera: {driver: simulatd}}\n"
    )
    for wanted in (path, tmp_path / "none.yaml"):
        with pytest.raises(ConfigError) as caught:
            load(wanted)
        assert not left_in_english(locale.translate(caught.value.text))


def test_what_one_types_is_never_translated(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "agent.yaml", "devices.display.self_view", "never")
    assert "cần một trong alone, always, off, " in locale.translate(problem)
