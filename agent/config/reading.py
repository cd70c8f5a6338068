"""YAML into settings along the schema of `agent.settings`, collecting problems instead of stopping.

msgspec converts and judges each single value; this walk knows where the value stands in the file.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar, cast

import msgspec
import yaml
from msgspec.structs import FieldInfo

from agent.config import words
from agent.config.credentials import Credentials
from agent.config.schema import CREDENTIAL_KEYS, description_of, fields_of, is_optional, section_of
from agent.settings import Section, Settings

S = TypeVar("S", bound=Section)


MERGE = "tag:yaml.org,2002:merge"
MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 20
MAX_ALIASES = 20
"""A dozen aliases of aliases are a billion values (YAML 1.2, 3.2.2.2; "billion laughs")."""


UNREADABLE = (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError)
"""What PyYAML raises of a value that is none: a date, a tag or a key that means nothing to it."""


class Problem(NamedTuple):
    """One thing to put right; sorted by line."""

    line: int
    file: str
    path: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.text) if part)


class Sections(dict[type[Section], Section]):
    """The sections that could be read, by type (each occurs once in the schema)."""

    def of(self, kind: type[S]) -> S | None:
        return cast("S | None", self.get(kind))


class Reading:
    """What was found in one file: `whole` is None if a problem leaves no whole."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.whole: Section | None = None
        self.sections = Sections()
        self.lines: dict[str, int] = {}
        """Line of each key that the file has, from 1."""
        self.problems: list[Problem] = []
        self.bad: set[str] = set()
        """Keys with a problem of their own: rules about them would only confuse."""

    @property
    def settings(self) -> Settings | None:
        """The whole, where it is a room's."""
        return self.whole if isinstance(self.whole, Settings) else None

    def located(self, path: str, text: str) -> Problem:
        """A problem of the key at `path`; its line, or its nearest parent's that the file has."""
        parent = path.partition("[")[0]
        while parent and parent not in self.lines:
            parent = parent.rpartition(".")[0]
        return Problem(self.lines.get(parent, 0), self.file, path, text)

    def complain(self, path: str, text: str) -> None:
        self.bad.add(path)
        self.problems.append(self.located(path, text))


def parse_value(text: str) -> Any:
    """The YAML `text`'s value: a whole file's, or one as it would stand behind a key. Raises ValueError, also
    for what would take the time or the stack of whoever reads on."""
    if (problem := too_much(text)) is not None:
        raise ValueError(problem)
    try:
        return yaml.safe_load(text)
    except UNREADABLE as error:
        raise ValueError(str(error).replace("\n", " ")) from error


def read(text: str, file: str, credentials: Credentials, kind: type[Section] = Settings) -> Reading:
    """Read the YAML `text` of `file`, bare names of files by `credentials`. Never raises; look at `problems`."""
    reading = Reading(file)
    if (problem := too_much(text)) is not None:
        reading.problems.append(Problem(0, file, "", problem))
        return reading
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = f"not YAML: {error.problem}; check indentation, quotes and colons around here"
        reading.problems.append(Problem(line, file, "", problem))
        return reading
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"not YAML: a character that is no text (code {error.character}); delete it"
        reading.problems.append(Problem(line, file, "", problem))
        return reading
    if root is None:
        root = yaml.MappingNode("tag:yaml.org,2002:map", [])
    walk = _Walk(reading, loader, credentials)
    reading.whole = walk.section(root, kind, "")
    return reading


def too_much(text: str) -> str | None:
    """Why this is no settings file, before the parser spends its time and stack on it; None if it may be one."""
    if len(text) > MAX_CHARACTERS:
        return f"{len(text)} characters are no settings file; at most {MAX_CHARACTERS} are read"
    within: list[str | None] = []
    """The anchors of the collections that are open here."""
    aliases = 0
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                within.append(event.anchor)
            elif isinstance(event, yaml.CollectionEndEvent):
                within.pop()
            elif isinstance(event, yaml.AliasEvent):
                aliases += 1
                if event.anchor in within:
                    return f"*{event.anchor} stands within what it is to repeat; write it out"
            if len(within) > MAX_DEPTH:
                return f"nested more than {MAX_DEPTH} levels deep; settings have four"
            if aliases > MAX_ALIASES:
                return f"more than {MAX_ALIASES} aliases (*name); write the values out"
    except yaml.YAMLError:
        return None  # the reader says where
    return None


class _Walk:
    def __init__(self, reading: Reading, loader: yaml.SafeLoader, credentials: Credentials) -> None:
        self._reading = reading
        self._loader = loader
        self._credentials = credentials

    def section(self, node: yaml.Node, kind: type[S], path: str) -> S | None:
        """The section, bad values replaced by their defaults; None where they have none."""
        values = self._values(node, kind, path)
        if values is None:
            return None
        missing = [
            name for name, field in fields_of(kind).items() if field.required and name not in values
        ]
        for name in missing:
            key = _joined(path, name)
            if not any(bad == key or bad.startswith(f"{key}.") for bad in self._reading.bad):
                meaning = description_of(fields_of(kind)[name])
                self._reading.complain(key, f"is missing; it is {meaning}")
        if missing:
            return None
        section = kind(**values)
        self._reading.sections[kind] = section
        return section

    def _values(self, node: yaml.Node, kind: type[Section], path: str) -> dict[str, Any] | None:
        if _is_empty(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            keys = ", ".join(fields_of(kind))
            got = "a list" if isinstance(node, yaml.SequenceNode) else "one value"
            problem = f"expected a section with keys ({keys}), got {got}"
            self._reading.complain(path, words.foreign(node) or problem)
            return None
        self._merge(node, path)
        if any(not isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            self._reading.complain(path, words.no_key(node))
            return None
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            name, key = key_node.value, _joined(path, str(key_node.value))
            if key in self._reading.lines:
                text = f"stands twice, first in line {self._reading.lines[key]}; keep one"
                self._reading.problems.append(
                    Problem(key_node.start_mark.line + 1, self._reading.file, key, text)
                )
                continue
            self._reading.lines[key] = key_node.start_mark.line + 1
            field = fields_of(kind).get(name)
            if field is None:
                self._reading.complain(key, words.unknown_key(str(name), kind))
            else:
                self._value(value_node, field, key, values)
        return values

    def _merge(self, node: yaml.MappingNode, path: str) -> None:
        """Take in what `<<` names: of a key that stands here too, this one counts."""
        pairs = [pair for pair in node.value if pair[0].tag != MERGE]
        own = [key.value for key, _ in pairs]
        if len(own) == len(node.value):
            return
        try:
            self._loader.flatten_mapping(node)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            key, text = _joined(path, "<<"), "expected a section to take in, such as *name"
            self._reading.problems.append(Problem(line, self._reading.file, key, text))
            node.value = pairs
            return
        if any(not isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            return  # said by who reads on
        others = node.value[: -len(own)] if own else node.value
        merged = {key.value: (key, value) for key, value in others if key.value not in own}
        node.value = [*merged.values(), *node.value[len(others) :]]

    def _value(self, node: yaml.Node, field: FieldInfo, path: str, values: dict[str, Any]) -> None:
        kind = section_of(field.type)
        if kind is None:
            self._leaf(node, field, path, values)
        elif _is_empty(node) and is_optional(field.type):
            values[field.name] = None
        else:
            section = self.section(node, kind, path)
            if section is not None:
                values[field.name] = section

    def _leaf(self, node: yaml.Node, field: FieldInfo, path: str, values: dict[str, Any]) -> None:
        written = node.value if isinstance(node, yaml.ScalarNode) else None
        if problem := words.foreign(node) or words.ambiguous(node, field):
            self._reading.complain(path, problem)
            return
        try:
            raw = self._loader.construct_object(node, deep=True)
        except UNREADABLE:
            raw = written
        try:
            value = words.converted(raw, field)
        except msgspec.ValidationError:
            for part, text in words.bad_values(raw, written, field):
                self._reading.complain(path + part, text)
            self._reading.bad.add(path)
            return
        if path in CREDENTIAL_KEYS and value is not None and "/" not in value:
            value = self._credentials.path(value)
        values[field.name] = value


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
