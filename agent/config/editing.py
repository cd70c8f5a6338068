"""Single values of the settings file changed in its text, so that comments and order stay.

For `diemcau setup`; whether the result is right is `agent.config.load`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml


def with_value(text: str, path: str, value: Any) -> str:
    """The YAML `text` with `value` at the dotted `path`; sections on the way are made.

    Raises yaml.YAMLError if the text is no YAML, KeyError if a part of the path is no section.
    """
    section = yaml.compose(text, yaml.SafeLoader)
    begin = 0
    names = path.split(".")
    for depth, name in enumerate(names):
        if not isinstance(section, yaml.MappingNode):
            raise KeyError(".".join(names[:depth]))
        key, node = _entry(section, name)
        below = names[depth + 1 :]
        if not below or not isinstance(node, yaml.MappingNode):
            return _put(text, begin, section, name, _nested(below, value))
        section, begin = node, key.end_mark.index
    raise KeyError(path)


def _entry(section: yaml.MappingNode, name: str) -> tuple[Any, yaml.Node | None]:
    return next((pair for pair in section.value if pair[0].value == name), (None, None))


def _nested(names: list[str], value: Any) -> Any:
    for name in reversed(names):
        value = {name: value}
    return value


def _put(text: str, begin: int, section: yaml.MappingNode, name: str, value: Any) -> str:
    """Replace the value, or the commented-out line of that key, or add a line on top."""
    key, node = _entry(section, name)
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return _instead_of_block(text, key, node, value)
    if node is not None:
        space = "" if text[node.start_mark.index - 1].isspace() else " "
        return text[: node.start_mark.index] + space + _written(value) + text[_end(node) :]
    if section.flow_style:
        entry = f"{name}: {_written(value)}" + (", " if section.value else "")
        return text[: section.start_mark.index + 1] + entry + text[section.start_mark.index + 1 :]
    indentation = " " * section.start_mark.column
    entry = f"{indentation}{name}: {_written(value)}\n"
    for start, line in _lines(text, begin, section.end_mark.index):
        if line.startswith(f"{indentation}#{name}:"):
            return text[:start] + entry + text[start + len(line) :]
    top = section.start_mark.index - section.start_mark.column
    return text[:top] + entry + text[top:]


def _instead_of_block(text: str, key: yaml.Node, node: yaml.CollectionNode, value: Any) -> str:
    """Behind its key: in the lines below it, YAML takes a list without dashes for something else."""
    colon = text.index(":", key.end_mark.index) + 1
    lines = text.rindex("\n", 0, node.start_mark.index)
    return f"{text[:colon]} {_written(value)}{text[colon:lines]}{text[_end(node) :]}"


def _written(value: Any) -> str:
    """In one line, whatever it is."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return str(dumped).removesuffix("...\n").strip()


def _end(node: yaml.Node) -> int:
    """Where the node's last word ends: a block's own end mark lies behind the comments after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for line in text[start:end].splitlines(keepends=True):
        yield start, line
        start += len(line)
