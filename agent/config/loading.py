"""From the file to the settings: read, convert, check the rules, and report all that is wrong."""

from __future__ import annotations

from pathlib import Path

from agent.config.credentials import Credentials
from agent.config.reading import Reading, read
from agent.config.rules import problems_between
from agent.errors import ConfigError
from agent.settings import Section, Settings

DEFAULT_PATH = Path("/etc/diemcau/agent.yaml")


def load(
    path: Path | str, credentials: Credentials | None = None, *, check_files: bool = True
) -> Settings:
    """The settings in the YAML file at `path`. Raises ConfigError with every problem.

    `credentials` finds the files that are given by a bare name, by default `Credentials.of(path)`.
    `check_files` False leaves out whether the files named can be read, for somebody who may not.
    """
    settings = load_reading(path, credentials, check_files=check_files).settings
    assert settings is not None  # a reading without problems has them
    return settings


def load_reading(
    path: Path | str, credentials: Credentials | None = None, *, check_files: bool = True
) -> Reading:
    """As `load`, with where each value stands in the file."""
    reading = read_file(path, credentials, check_files=check_files)
    if reading.problems:
        raise ConfigError([str(problem) for problem in sorted(reading.problems)])
    return reading


def read_file(
    path: Path | str,
    credentials: Credentials | None = None,
    *,
    check_files: bool = True,
    kind: type[Section] = Settings,
) -> Reading:
    """All that can be read, whatever is wrong with the rest; for diagnosing.

    `kind` is what the file is of: a room's settings, or another program's. Raises ConfigError if the
    file itself can't be read.
    """
    path = Path(path)
    reading = read(_text(path), path.name, credentials or Credentials.of(path), kind)
    reading.problems += [
        reading.located(finding.paths[0], finding.text)
        for finding in problems_between(reading.sections, check_files=check_files)
        if not reading.bad.intersection(finding.paths)
    ]
    return reading


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problem = "does not exist; make it with: sudo diemcau setup"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise ConfigError([f"{path}: {problem}"])
