"""Classes are built whole, in few words, and two that a reader meets in one file have two names."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.architecture.source import instead_of, modules

MAX_PARAMETERS = 6
"""Of a constructor, `self` aside; what is needed everywhere comes as one context."""


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for module in modules():
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                yield f"{module} {node.name}", node


def constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    methods = (child for child in node.body if isinstance(child, ast.FunctionDef))
    return next((method for method in methods if method.name == "__init__"), None)


def own_attributes(node: ast.AST) -> Iterator[ast.Attribute]:
    """Those that are set or deleted."""
    for child in ast.walk(node):
        if (
            isinstance(child, ast.Attribute)
            and not isinstance(child.ctx, ast.Load)
            and isinstance(child.value, ast.Name)
            and child.value.id == "self"
        ):
            yield child


def test_constructors_take_few_parameters() -> None:
    long = {}
    for name, node in classes():
        if init := constructor(node):
            given = init.args.posonlyargs + init.args.args + init.args.kwonlyargs
            if len(given) - 1 > MAX_PARAMETERS:
                long[name] = len(given) - 1
    assert long == {}


def test_attributes_are_made_in_the_constructor_and_never_deleted() -> None:
    problems = []
    for name, node in classes():
        init = constructor(node)
        made = {one.attr for one in own_attributes(init)} if init else set()
        made |= {
            c.target.id
            for c in node.body
            if isinstance(c, ast.AnnAssign)
            if isinstance(c.target, ast.Name)
        }
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method is not init:
                problems += [
                    f"{name}.{method.name}: {one.attr}"
                    for one in own_attributes(method)
                    if isinstance(one.ctx, ast.Del) or one.attr not in made
                ]
    assert problems == []


def test_classes_met_in_one_file_have_names_of_their_own() -> None:
    """One that is written with its module (`settings.Camera`) can't be taken for the other."""
    defined: dict[str, set[str]] = defaultdict(set)
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                defined[node.name].add(module.name)
    problems = []
    for module in modules():
        met: dict[str, set[str]] = defaultdict(set)
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                met[node.name].add(str(module))
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("agent"):
                for alias in node.names:
                    if alias.name in defined:
                        met[alias.name].add(node.module or "")
        problems += [f"{module}: {name} of {sorted(of)}" for name, of in met.items() if len(of) > 1]
    assert problems == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        (
            "class A:\n def __init__(self, a, b, c, d, e, f, g): ...",
            test_constructors_take_few_parameters,
        ),
        (
            "class A:\n def begin(self): self.late = 1",
            test_attributes_are_made_in_the_constructor_and_never_deleted,
        ),
        (
            "from agent.media.loop import Loop\nclass Loop: ...",
            test_classes_met_in_one_file_have_names_of_their_own,
        ),
    ],
)
def test_the_rules_bite(source: str, rule: object, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = instead_of("agent/media/loop.py", source)
    monkeypatch.setattr(f"{__name__}.modules", lambda: [victim])
    assert callable(rule)
    with pytest.raises(AssertionError, match=r"agent/media/loop\.py"):
        rule()
