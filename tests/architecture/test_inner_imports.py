"""Inside core and the media process imports have a direction too, and never go round in a circle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.architecture.source import Module, instead_of, modules

CORE: dict[str, set[str]] = {
    "model": set(),
    "devices": {"again", "audit", "context", "model", "throttle"},
    "meeting": {"again", "answers", "audit", "context", "devices", "model", "throttle"},
    "participation": {"audit", "context", "devices", "health", "meeting", "model"},
    "agenda": {"again", "context", "health", "meeting", "model", "participation"},
}
"""Room of agent/core -> other rooms of it that it may import; a file of core itself may import all."""

MEDIA: dict[str, set[str]] = {
    "gst": set(),
    "loop": set(),
    "reporting": set(),
    "decoder": {"gst", "loop", "pipeline"},
    "priority": {"gst"},
    "pipeline": {"gst", "priority"},
    "webrtc": {"gst", "loop", "pipeline"},
    "context": {"loop", "pipeline", "reporting", "webrtc"},
    "sound": {"context", "gst", "loop", "pipeline", "reporting"},
    "picture": {"context", "decoder", "gst", "loop", "pipeline", "priority", "reporting"},
    "recording": {"context", "gst", "pipeline", "reporting"},
    "sending": {"context", "gst", "loop", "pipeline", "webrtc"},
    "receiving": {
        "context",
        "decoder",
        "gst",
        "loop",
        "picture",
        "pipeline",
        "recording",
        "reporting",
        "sound",
        "webrtc",
    },
}
"""Room of agent/media -> other rooms of it that it may import; what puts the parts together (meeting,
figures, process) may import all."""

INNER_RULES = {"core": CORE, "media": MEDIA}


def inner(package: str) -> Iterator[tuple[Module, str, int, str]]:
    """Each import of one file of the package from another: who, its room, the line, what."""
    for module in modules():
        if module.package != package:
            continue
        room = module.name.split("/")[2].removesuffix(".py")
        for found in module.imports:
            if found.module.startswith(f"agent.{package}."):
                yield module, room, found.line, found.module


@pytest.mark.parametrize("package", INNER_RULES)
def test_rooms_import_only_what_they_may(package: str) -> None:
    rules = INNER_RULES[package]
    problems = [
        f"{module}:{line}: imports {target}: {room} may import {sorted(rules[room])}"
        for module, room, line, target in inner(package)
        if room in rules and target.split(".")[2] not in rules[room] | {room}
    ]
    assert problems == []


@pytest.mark.parametrize("package", INNER_RULES)
def test_no_file_imports_itself_by_way_of_others(package: str) -> None:
    edges: dict[str, set[str]] = {}
    for module, _room, _line, target in inner(package):
        name = module.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        edges.setdefault(name, set()).add(target)

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [*edges.get(start, ())]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += edges.get(name, ())
        return seen

    assert [name for name in edges if name in reach(name)] == []


@pytest.mark.parametrize(
    ("victim", "source"),
    [
        ("agent/core/model/events.py", "from agent.core.room import Room"),
        ("agent/media/webrtc/link.py", "from agent.media.sending.uplink import Uplink"),
        ("agent/media/sending/rate.py", "import agent.media.receiving.downlink"),
    ],
)
def test_the_inner_rules_bite(victim: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = instead_of(victim, source)
    monkeypatch.setattr(f"{__name__}.modules", lambda: [module])
    with pytest.raises(AssertionError, match=f"{victim}:1"):
        test_rooms_import_only_what_they_may(module.package)
