"""Every key with its value and where that is from, secrets masked: for the CLI and support bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from agent.config.loading import load_reading
from agent.config.schema import description_of, fields_of
from agent.core.model.urls import shown
from agent.settings import Section


class Entry(NamedTuple):
    """One key: `origin` is `agent.yaml:12` or `default`; `value` is masked."""

    key: str
    value: Any
    origin: str
    description: str


def entries(path: Path | str, *, check_files: bool = False) -> list[Entry]:
    """All keys of the settings in the file at `path`, in the order of the schema.

    Raises ConfigError as `load` does.
    """
    reading = load_reading(path, check_files=check_files)
    assert reading.settings is not None
    origins = {key: f"{reading.file}:{line}" for key, line in reading.lines.items()}
    return list(_entries(reading.settings, "", origins))


def _entries(section: Section, path: str, origins: dict[str, str]) -> list[Entry]:
    found: list[Entry] = []
    for name, field in fields_of(type(section)).items():
        key = f"{path}.{name}" if path else name
        value = getattr(section, name)
        if isinstance(value, Section):
            found += _entries(value, key, origins)
        else:
            origin = origins.get(key, "default")
            found.append(Entry(key, masked(value), origin, description_of(field)))
    return found


def masked(value: Any) -> Any:
    """The value without user names, passwords and query strings in URLs."""
    if isinstance(value, list):
        return [masked(item) for item in value]
    return shown(value) if isinstance(value, str) and "://" in value else value
