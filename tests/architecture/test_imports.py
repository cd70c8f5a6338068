"""Imports point inwards, and each third-party library lives in one package of ours."""

from __future__ import annotations

import sys

import pytest

from tests.architecture.source import Import, Module, instead_of, modules

INNER = {"core", "errors", "files", "ports", "settings"}
"""What every outer package may use."""

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "core": {"errors"},
    "settings": {"core"},
    "agenda": {"core", "errors"},
    "ports": {"core"},
    "conductor": INNER | {"config", "hub", "locale", "runtime"},
    "config": INNER,
    "devices": INNER,
    "enrolment": INNER,
    "host": INNER,
    "hub": INNER,
    "ipc": INNER,
    "locale": set(),
    "media": INNER | {"ipc", "locale"},
    "runtime": INNER | {"ipc"},
    "store": INNER,
    "diagnostics": INNER | {"config", "devices", "host", "hub", "ipc", "locale", "store"},
    "cli": INNER
    | {
        "agenda",
        "conductor",
        "config",
        "devices",
        "diagnostics",
        "enrolment",
        "hub",
        "locale",
        "runtime",
        "store",
    },
    "__main__": {"cli"},
}
"""Package -> packages of ours that it may import, itself aside."""

EXCEPTIONS: dict[str, set[str]] = {
    # the composition root: the one place that knows all parts
    "agent/runtime/bootstrap.py": {"config", "devices", "host", "hub", "store"},
    # the media process's composition root
    "agent/media/process.py": {"devices"},
}

CORES = ("agent/core/", "agent/conductor/core/")
"""Folders of pure code; the second may use the first and itself."""

CORE_STANDARD_LIBRARY = {
    "__future__",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "difflib",
    "enum",
    "functools",
    "heapq",
    "ipaddress",
    "itertools",
    "math",
    "re",
    "typing",
    "urllib",
    "unicodedata",
    "zlib",
}
"""Modules that only compute: no I/O, no threads, no clock, no randomness."""

LIBRARIES: dict[str, set[str]] = {
    "alsaaudio": {"devices"},
    "av": {"devices", "media", "diagnostics"},  # encodes, records, judges pictures
    "cryptography": {"enrolment"},
    "gi": {"media"},
    "gpiozero": {"devices"},
    "lgpio": {"devices"},
    "libcamera": {"devices"},
    "msgspec": set(MAY_IMPORT),
    "numpy": {"devices", "media"},  # the volume, a recording's sound, an echo's delay
    "argon2": {"conductor"},
    "joserfc": {"hub", "conductor"},  # signed commands; media tokens
    "starlette": {"conductor"},
    "uvicorn": {"conductor"},
    "icalendar": {"agenda"},
    "livekit": {"media"},
    "paho": {"hub"},
    "picamera2": {"devices"},
    "recurring_ical_events": {"agenda"},
    "rich": {"cli"},
    "sqlite3": {"store", "conductor"},
    "systemd": {"runtime"},
    "typer": {"cli"},
    "click": {"cli"},
    "yaml": {"config"},
}
"""Third-party library (and sqlite3) -> the packages of ours that may import it."""

LAZY = {
    "alsaaudio",
    "av",
    "cryptography",
    "gi",
    "gpiozero",
    "icalendar",
    "joserfc",
    "lgpio",
    "libcamera",
    "livekit",
    "numpy",
    "picamera2",
    "recurring_ical_events",
    "systemd",
}
"""Libraries that a machine may lack: imported only when the part that needs them is used."""

LAZY_EXCEPTIONS = {
    "agent/conductor": "the hub's program, a process of its own; `diemcau` loads its words only",
    "agent/enrolment": "the hub operator's tool, loaded by agent.cli.hub's commands only",
    "agent/media": "the media process itself, loaded by agent.media.process only when it has begun",
    "agent/devices": "drivers, loaded by agent.devices.registry by name",
}
"""Folders whose modules are themselves loaded lazily; the next test shows that the daemon doesn't."""


def wrong(module: Module, found: Import, why: str) -> str:
    return f"{module}:{found.line}: imports {found.module}: {why}"


def test_imports_point_inwards() -> None:
    problems = []
    for module in modules():
        allowed = {module.package} | MAY_IMPORT.get(module.package, set())
        allowed |= EXCEPTIONS.get(module.name, set())
        for found in module.imports:
            if found.library == "agent" and found.module != "agent":
                target = found.module.split(".")[1]
                if target not in allowed and not target.startswith("__"):
                    problems.append(wrong(module, found, f"allowed are {sorted(allowed)}"))
    assert problems == []


def test_every_package_has_its_rule() -> None:
    assert {module.package for module in modules()} - set(MAY_IMPORT) - {"__init__"} == set()


def test_the_core_is_pure() -> None:
    problems = [
        wrong(module, found, "the core only computes")
        for module in modules()
        if module.package in {"core", "ports", "settings", "errors"}
        or module.name.startswith(CORES)
        for found in module.imports
        if found.library not in CORE_STANDARD_LIBRARY | {"agent", "msgspec"}
    ]
    assert problems == []


def test_the_conductors_core_knows_nothing_of_what_is_around_it() -> None:
    inner = ("agent.core.", "agent.errors.", "agent.conductor.core.")
    problems = [
        wrong(module, found, "the conductor's core uses the room's core and itself")
        for module in modules()
        if module.name.startswith("agent/conductor/core/")
        for found in module.imports
        if found.library == "agent" and not f"{found.module}.".startswith(inner)
    ]
    assert problems == []


def test_each_library_lives_in_one_package() -> None:
    problems = []
    for module in modules():
        for found in module.imports:
            standard = found.library in sys.stdlib_module_names and found.library != "sqlite3"
            if standard or found.library == "agent":
                continue
            if module.package not in LIBRARIES.get(found.library, set()):
                problems.append(wrong(module, found, "another package's library"))
    assert problems == []


def test_what_a_machine_may_lack_is_imported_lazily() -> None:
    problems = [
        wrong(module, found, "only inside the function that needs it")
        for module in modules()
        if not any(module.name.startswith(f"{folder}/") for folder in LAZY_EXCEPTIONS)
        for found in module.imports
        if found.library in LAZY and not found.lazy
    ]
    assert problems == []


@pytest.mark.parametrize("source", ["import sqlite3", "from agent.hub.link import Link"])
def test_the_rules_bite(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forbidden import in a module of the core is found by the tests above."""
    victim = instead_of("agent/core/room.py", source)
    monkeypatch.setattr(f"{__name__}.modules", lambda: [victim])
    with pytest.raises(AssertionError, match=r"agent/core/room\.py:1"):
        test_the_core_is_pure() if "sqlite3" in source else test_imports_point_inwards()
