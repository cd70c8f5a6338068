"""What is wrong with a key or a value, in words for whoever has to put it right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import yaml
from msgspec import inspect
from msgspec.structs import FieldInfo

from agent.config.schema import all_keys, default_of, description_of, fields_of
from agent.core.model.commands import IDENTIFIER
from agent.settings import Section, Settings
from agent.settings.hub import TOPIC_ROOT

_PLAIN_PATTERNS = {
    IDENTIFIER: "1 to 63 of a-z, 0-9 and '-', the first no '-'",
    TOPIC_ROOT: "words with '/' between them, without '#', '+' and spaces",
}


_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%|\$\{\w+")
"""Of Jinja and its like, and of a shell."""

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_SIXTIES = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")


def ambiguous(node: yaml.Node, field: FieldInfo) -> str:
    """Why nobody can say which number this is; empty if it is one, or is none."""
    numeric = isinstance(
        _plain_type(inspect.type_info(field.type)), inspect.IntType | inspect.FloatType
    )
    if not (numeric and isinstance(node, yaml.ScalarNode)):
        return ""
    written = node.value[:20]
    if node.style is None and _SIXTIES.fullmatch(node.value):
        return (
            f"{written} is another number to YAML, which takes it for base sixty; write one number"
        )
    if not _LEADING_ZERO.fullmatch(node.value):
        return ""
    meant = int(written)
    return f"{written} is another number to YAML, which takes it for base eight; write {meant}"


def unknown_key(name: str, section: type[Section]) -> str:
    """For a key that the section does not have: the key that was meant, or where it belongs."""
    if name in ("password", "token"):
        return f"unknown key; secrets stand in files of their own: use {name}_file"
    meant = closest(name, fields_of(section))
    if meant:
        return f"unknown key; did you mean {meant}?"
    elsewhere = [key for key in all_keys(Settings) if key.rpartition(".")[2] == name]
    if elsewhere:
        return f"unknown key here; did you mean {' or '.join(elsewhere)}?"
    return f"unknown key; there are {', '.join(fields_of(section))}"


def bad_values(value: object, written: str | None, field: FieldInfo) -> Iterator[tuple[str, str]]:
    """For a value that does not fit, or each bad item of a list: where in it (`[1]`), and what.

    `written` is the scalar as it stands in the file.
    """
    kind = _plain_type(inspect.type_info(field.type))
    if isinstance(kind, inspect.ListType) and isinstance(value, list):
        for index, item in enumerate(value):
            if not _fits([item], field):
                yield f"[{index}]", _bad_value(item, str(item), _plain_type(kind.item_type), field)
    else:
        yield "", _bad_value(value, written, kind, field)


def _bad_value(value: object, written: str | None, kind: inspect.Type, field: FieldInfo) -> str:
    text = f"expected {expectation(kind)}, got {_shown(value)}"
    advice = _advice(value, written, kind, field)
    return f"{text}; {advice}" if advice else f"{text} (it is {description_of(field)})"


def foreign(node: yaml.Node) -> str:
    """Why this is what another program would fill in; empty if it is a value."""
    if isinstance(node, yaml.SequenceNode):
        return next(filter(None, map(foreign, node.value)), "")
    if (isinstance(node, yaml.ScalarNode) and _TEMPLATE.search(node.value)) or (
        isinstance(node, yaml.MappingNode)
        and any(not isinstance(key, yaml.ScalarNode) for key, _ in node.value)
    ):
        return "a template such as {{ name }} has to be filled in before: write the value itself"
    if node.tag.startswith("!"):
        return f"{node.tag[:40]} is for another program to fill in: write the value itself"
    return ""


def no_key(node: yaml.MappingNode) -> str:
    """Why what stands where a word belongs, before a colon, is none."""
    if any(isinstance(key, yaml.MappingNode) for key, _ in node.value):
        return foreign(node)
    return "expected keys, each one word before a colon; this one is a list"


def converted(value: object, field: FieldInfo) -> Any:
    """The value as the field has it; 40.0 is a whole number too. Raises msgspec.ValidationError."""
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        if isinstance(value, float) and value.is_integer():
            return msgspec.convert(int(value), field.type)
        raise


def expectation(kind: inspect.Type) -> str:
    """A type in words, such as `a whole number from 1 to 65535`."""
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            return _number(kind)
        case inspect.LiteralType():
            choices = ", ".join(str(value) for value in kind.values)
            return f"one of {choices}"
        case inspect.ListType():
            return f"a list, each {expectation(_plain_type(kind.item_type))}"
        case inspect.StrType():
            if kind.pattern:
                return _PLAIN_PATTERNS.get(kind.pattern, f"text like {kind.pattern}")
            most = kind.max_length
            return f"text of at most {most} characters" if most else "text"
        case _:
            return "something else"


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(candidates), n=1, cutoff=0.7)), None)


def _advice(value: object, written: str | None, kind: inspect.Type, field: FieldInfo) -> str:
    if value is None and field.required:
        return f"write {description_of(field)}"
    if value is None:
        return f"write a value or delete the line (the default is {_shown(default_of(field))})"
    if isinstance(kind, inspect.LiteralType) and written is not None:
        meant = closest(written, [str(choice) for choice in kind.values])
        return f"did you mean {meant}?" if meant else ""
    if isinstance(kind, inspect.StrType) and written is not None and not isinstance(value, str):
        return f'write it in quotes: "{written}"'
    numeric = isinstance(kind, inspect.IntType | inspect.FloatType | inspect.BoolType)
    if numeric and isinstance(value, str) and _fits(_unquoted(value), field):
        return "write it without quotes"
    return ""


def _unquoted(value: str) -> object:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return None


def _fits(value: object, field: FieldInfo) -> bool:
    try:
        msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        return False
    return True


def _plain_type(kind: inspect.Type) -> inspect.Type:
    """Without its metadata, and without None as an alternative."""
    if isinstance(kind, inspect.Metadata):
        return _plain_type(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _plain_type(
            next(part for part in kind.types if not isinstance(part, inspect.NoneType))
        )
    return kind


def _number(kind: inspect.IntType | inspect.FloatType) -> str:
    """Whole sentences, which a translation finds again."""
    least, most, whole = kind.ge, kind.le, isinstance(kind, inspect.IntType)
    if least is not None and most is not None:
        text = f"a whole number from {least} to {most}", f"a number from {least} to {most}"
    elif least is not None:
        text = f"a whole number of at least {least}", f"a number of at least {least}"
    else:
        text = "a whole number", "a number"
    return text[0] if whole else text[1]


def _shown(value: Any) -> str:
    """Short and harmless: what stands where a number belongs may be a misplaced secret."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a section" if isinstance(value, dict) else "a list"
    return repr(value)[:40]
