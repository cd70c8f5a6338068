"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast

from tests.architecture.source import modules

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_FUNCTION_STATEMENTS = 30
"""A table or a call with many arguments takes lines, but is read at a glance."""


def test_files_are_short() -> None:
    lengths = {module.name: len(module.path.read_text().splitlines()) for module in modules()}
    assert {name for name, lines in lengths.items() if lines > MAX_FILE_LINES} == set()


def test_functions_are_short() -> None:
    long = {
        f"{module}:{node.lineno} {node.name}": (_lines(node), _statements(node))
        for module in modules()
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (_lines(node) > MAX_FUNCTION_LINES or _statements(node) > MAX_FUNCTION_STATEMENTS)
    }
    assert long == {}


def test_modules_say_what_they_are_for() -> None:
    silent = [
        module.name
        for module in modules()
        if module.tree.body and not ast.get_docstring(module.tree)
    ]
    assert silent == []


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without the docstring and without functions defined inside."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = first.end_lineno if documented else node.lineno
    inner = sum(
        (child.end_lineno or 0) - child.lineno + 1
        for child in node.body
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return (node.end_lineno or 0) - (start or 0) - inner


def _statements(node: ast.AST) -> int:
    """Statements below the node, without those of functions defined inside."""
    return sum(
        isinstance(child, ast.stmt) + _statements(child)
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
    )
