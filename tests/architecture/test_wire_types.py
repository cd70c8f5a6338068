"""What goes over a wire (MQTT, the control sockets, the line to the media process) is typed to the last field."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from tests.architecture.source import modules

WIRE = (
    "agent.core.model",
    "agent.ipc",
    "agent.conductor.core.model",
    "agent.conductor.requests",
    "agent.diagnostics.bench.protocol",
)
"""Every struct of these packages and modules may be written to a wire, or be a part of what is."""


def test_no_struct_of_the_wire_has_a_field_without_a_type() -> None:
    kinds = structs()
    names = {kind.__name__ for kind in kinds}
    known = {
        "Ack",
        "HealthDocument",
        "Measured",
        "Configure",
        "RoomStatus",
        "SnapshotQuery",
        "Join",
    }
    assert known <= names
    assert [path for kind in kinds for path in untyped(kind)] == []


def test_no_dictionary_is_made_for_a_wire() -> None:
    """`encode({...})` writes what no struct declares, and no list of the contract can be compared with."""
    found = {
        f"{module.name}:{call.lineno}"
        for module in modules()
        if module.name not in KEYS
        for call in module.nodes
        if isinstance(call, ast.Call) and is_encoder(call) and is_made_here(call)
    }
    assert found == set()


def test_what_was_read_from_a_wire_is_json_until_a_struct_has_judged_it() -> None:
    """`Any` and `object` say of a value that nobody knows; of JSON it is known what it can be (`json_values`)."""
    found = {
        f"{module.name}:{line}"
        for module in modules()
        if module.name.startswith(TALKING)
        for line in loose_lines(module.tree)
    }
    assert found == set()


TALKING = tuple(
    f"agent/{package}/"
    for package in ("conductor", "core/model", "diagnostics", "hub", "ipc", "runtime", "store")
)
"""At the ends of our own wires; GStreamer's replies (media) and YAML (config, cli) are others'."""

KEYS = {"agent/cli/signing.py", "agent/conductor/tokens.py"}
"""They write keys as RFC 7517 has them: members by the key's kind, which joserfc names."""


class Loose(msgspec.Struct):
    whatever: Any


class Sample(msgspec.Struct):
    fine: dict[str, int]
    bare: dict
    figures: dict[str, Any]
    things: list[Loose | None]


def test_the_rule_finds_what_it_forbids() -> None:
    assert list(untyped(Sample)) == ["Sample.bare", "Sample.figures", "Sample.things.whatever"]


@pytest.mark.parametrize("line", ["msgspec.json.encode({'type': 'x'})", "_encode(a | {'b': 1})"])
def test_the_rule_finds_a_dictionary_that_is_written(line: str) -> None:
    (call,) = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    assert is_encoder(call)
    assert is_made_here(call)


@pytest.mark.parametrize("kind", ["dict[str, Any]", "Mapping[str, object]", "dict[str, list[Any]]"])
def test_the_rule_finds_a_dictionary_of_anything(kind: str) -> None:
    assert list(loose_lines(ast.parse(f"def take(fields: {kind}) -> None: ..."))) == [1]
    assert list(loose_lines(ast.parse(f"fields: {kind} = x"))) == [1]


LOOSE = re.compile(r"(dict|Mapping)\[str, (list\[)?(Any|object)\]+")


def loose_lines(tree: ast.AST) -> Iterator[int]:
    """Where a mapping's values may be anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and LOOSE.fullmatch(ast.unparse(node)):
            yield node.lineno


def structs() -> list[type[msgspec.Struct]]:
    """Those that are written in the packages of the wire, by name."""
    found = {}
    for name in WIRE:
        module = importlib.import_module(name)
        inner = pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}.")
        for one in (module, *(importlib.import_module(info.name) for info in inner)):
            for kind in vars(one).values():
                if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                    found[f"{kind.__module__}.{kind.__name__}"] = kind
    return [found[name] for name in sorted(found)]


def untyped(kind: type[msgspec.Struct]) -> Iterator[str]:
    """Paths of fields, nested ones too, that take anything."""
    yield from _untyped(kind, kind.__name__, frozenset())


def _untyped(hint: Any, path: str, above: frozenset[Any]) -> Iterator[str]:
    if hint in (Any, object, dict, list, set, tuple):
        yield path
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in above:
            for name, inner in get_type_hints(hint).items():
                yield from _untyped(inner, f"{path}.{name}", above | {hint})
    elif get_origin(hint) is not Literal:
        for inner in get_args(hint):
            yield from _untyped(inner, path, above)


def is_encoder(call: ast.Call) -> bool:
    """`msgspec.json.encode(...)`, or a function made of it."""
    return ast.unparse(call.func) in ("msgspec.json.encode", "json.dumps", "_encode")


def is_made_here(call: ast.Call) -> bool:
    """A dictionary display stands in what is written."""
    return any(isinstance(node, ast.Dict | ast.DictComp) for node in ast.walk(call))
