"""What is wrong with a command's field, in words: where, what is expected, what came.

msgspec says "Expected `int` <= 100 - at `$.speaker`"; whoever sent it reads "speaker: expected
int <= 100, got 300".
"""

from __future__ import annotations

import re

import msgspec

from agent.core.model.commands import COMMAND_ID, MEETING_ID, TOKEN, URL, WORDS
from agent.core.model.json_values import Fields, Json

SHOWN_CHARACTERS = 60
SECRETS = {"token"}
"""Fields whose values never stand in a text."""

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_PLAIN_WORDS = {
    f"str matching regex {TOKEN!r}": "a token of visible ASCII letters, without spaces and line ends",
    f"str matching regex {URL!r}": "an http:// or https:// URL",
    f"str matching regex {COMMAND_ID!r}": "1 to 64 letters, digits or '-'",
    f"str matching regex {MEETING_ID!r}": "1 to 64 letters, digits, '.', '_' or '-'",
    f"str matching regex {WORDS!r}": "words to read on one line, without control characters",
    "datetime with a timezone component": "a time with its offset, like 2026-11-22T07:15:00+07:00",
}


def explain(
    error: msgspec.ValidationError, fields: Fields, type: str, kind: type[msgspec.Struct]
) -> str:
    """One line that names the field of `kind` (or its `type`, if it is about all of it)."""
    what, _, where = str(error).partition(" - at ")
    path = where.strip("`").removeprefix("$")
    what = what.replace("`", "").replace("Object missing", "missing")
    what = what[0].lower() + what[1:]
    for pattern, words in _PLAIN_WORDS.items():
        what = what.replace(pattern, words)
    if what.startswith("invalid enum value"):
        what = f"expected {' or '.join(_choices(path, kind))}"
    if not what.startswith("missing"):
        what = _with_value(what, path, fields)
    return f"{path.removeprefix('.') or type}: {what}"


def _with_value(what: str, path: str, fields: Fields) -> str:
    """The text with the culprit's value instead of its type."""
    value: Json = fields
    name = ""
    for key, index in _STEP.findall(path):
        name = key or name
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list):
            value = value[int(index)]
    if name in SECRETS or isinstance(value, dict | list):
        return what
    shown = msgspec.json.encode(value).decode()
    if len(shown) > SHOWN_CHARACTERS:
        shown = shown[:SHOWN_CHARACTERS] + "…"
    return f"{what.partition(', got ')[0]}, got {shown}"


def _choices(path: str, kind: type) -> list[str]:
    """The values that the field at this path may have."""
    from msgspec import inspect  # seldom needed, and not small

    found = [inspect.type_info(kind)]
    for name, _ in _STEP.findall(path):
        for one in found:
            if isinstance(one, inspect.StructType) and name:
                found = [field.type for field in one.fields if field.encode_name == name]
            elif isinstance(one, inspect.ListType) and not name:
                found = [one.item_type]
        found = [inner for one in found for inner in getattr(one, "types", (one,))]
    return [str(value) for one in found for value in getattr(one, "values", ())]
