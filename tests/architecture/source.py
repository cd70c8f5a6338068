"""The agent's source as the architecture tests see it: modules and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Import(NamedTuple):
    """One import: the dotted module (`agent.core.model.events`, `paho.mqtt.client`) and its line."""

    module: str
    line: int
    lazy: bool
    """Inside a function, or for the type checker only."""

    @property
    def library(self) -> str:
        """The top-level package that it is from."""
        return self.module.partition(".")[0]


class Module:
    """One file of agent/."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(ROOT))

    @property
    def package(self) -> str:
        """`core` for agent/core/room.py, `ports` for agent/ports.py."""
        return self.path.relative_to(ROOT / "agent").parts[0].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All of the tree, walked once for all rules."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[Import]:
        return list(_imports(self.tree, lazy=False))

    def __str__(self) -> str:
        return self.name


@cache
def modules() -> tuple[Module, ...]:
    """All files of agent/, each read and parsed once: not to be changed."""
    return tuple(Module(path) for path in sorted((ROOT / "agent").rglob("*.py")))


def instead_of(name: str, source: str) -> Module:
    """A module of this name with other source, for a rule that shall bite."""
    module = Module(ROOT / name)
    module.tree = ast.parse(source)
    return module


def _imports(node: ast.AST, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, lazy)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or ""
            if module == "agent":  # `from agent import settings` is agent.settings
                for alias in child.names:
                    yield Import(f"agent.{alias.name}", child.lineno, lazy)
            else:
                yield Import(module, child.lineno, lazy)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, lazy or inside or _is_for_the_type_checker(child))


def _is_for_the_type_checker(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
