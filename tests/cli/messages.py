"""Every text of the source that has to be in a language's catalog.

Marked ones (`_("...")`, a setting's description), the words of the command line's library, and what daemon,
drivers and settings' reader say in English, which is found again in the catalog (`agent.locale.sentences`).
`python -m tests.cli.messages vi` prints the entries that a catalog lacks, ready to be filled in.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from agent import locale
from agent.cli.library_words import KINDS_OF_VALUES
from agent.cli.library_words import WORDS as LIBRARY_WORDS
from agent.config.schema import all_keys, description_of
from agent.locale.po import read_catalog
from agent.locale.sentences import LEAST_LETTERS
from agent.settings import Settings

ROOT = Path(__file__).parents[2]
SPEAKING = ("cli", "diagnostics", "media/picture")
"""Packages of agent/ that speak to people: their texts are marked."""

HEARD = (
    *("agenda", "conductor"),
    *("core", "devices", "hub", "media", "store", "host", "config", "runtime", "ipc", "enrolment"),
    *("diagnostics", "cli"),
)
"""Packages whose English texts reach people by way of an error, an ack, health or an event."""

MARKERS = ("_", "gettext", "ngettext")
NOT_FOR_PEOPLE = (
    "Meta",
    "TypeVar",
    "execute",
    "parse_bin_from_description",
    "from_string",
    "Frozen",
)
LOG_LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")
NO_SENTENCES = {
    "agent/enrolment/acl.py",  # the broker's own language
    "agent/config/schema.py",
    "agent/diagnostics/bundle/contents.py",  # for the support, in English
    "agent/diagnostics/bundle/redaction.py",
    "agent/media/gst.py",
    "agent/media/picture/scene.py",  # GStreamer's pipelines
}
WORDS = tuple(
    (ROOT / "tests/cli/short_words.txt").read_text("utf-8").splitlines(),
)
"""Texts too short for `SENTENCE` that the daemon says, and what the libraries under it say."""

THE_PAGES_OWN = "agent/conductor/console/"
"""The hub's page has words of its own, in both languages."""

SENTENCE = re.compile(r"[A-Za-z'´]{2,}[,;:]? [a-z'(]{2,}")
ANSWERS = ("running", "succeed")
"""Functions of the core whose texts are answers to people, also those of one word."""

CODE = re.compile(
    r"^(sudo )?diemcau |^sudo |%[su]|rgb\(|^openssl |^default not|^bold |EdDSA|^host sample|^No entries|"
    r"topic write|^Made by|"
    r"!|=\w|\b(SELECT|INSERT|DELETE|UPDATE|PRAGMA|CREATE|WHERE|FROM)\b|^[a-z]+ [a-z]+=|</|\\\\"
)


def messages() -> dict[str, str | None]:
    """msgid -> msgid_plural or None."""
    found: dict[str, str | None] = {}
    for package in SPEAKING:
        for path in sorted((ROOT / "agent" / package).rglob("*.py")):
            found |= dict(_in_source(ast.parse(path.read_text("utf-8"))))
    found |= {description_of(field): None for field in all_keys(Settings).values()}
    return found | dict.fromkeys((*LIBRARY_WORDS, *KINDS_OF_VALUES, *sentences(), *WORDS))


def _in_source(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in MARKERS:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            texts = [text for text in texts if isinstance(text, str)]
            if texts:
                yield texts[0], texts[1] if len(texts) > 1 else None


def sentences() -> dict[str, str]:
    """Message -> where it stands, of all English sentences that are not marked."""
    found: dict[str, str] = {}
    for package in HEARD:
        for path in sorted((ROOT / "agent" / package).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            if place in NO_SENTENCES or place.startswith(THE_PAGES_OWN):
                continue
            for line, text in _sentences(ast.parse(path.read_text("utf-8"))):
                found.setdefault(text, f"{place}:{line}")
    return found


def _sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    left_out = {id(inner) for node in _not_for_people(tree) for inner in ast.walk(node)}
    answers = {id(text) for text in _answers(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values}  # but what its fields hold is looked at
        if id(node) in left_out:
            continue
        text = _message(node)
        if (
            id(node) in answers
            and sum(map(str.isalpha, re.sub(r"{\w+}", "", text))) >= LEAST_LETTERS
        ):
            yield node.lineno, text  # type: ignore[attr-defined]
        elif text and SENTENCE.search(re.sub(r"{\w+}", "", text)) and not CODE.search(text):
            letters = sum(map(str.isalpha, re.sub(r"{\w+}", "", text)))
            if letters >= LEAST_LETTERS:
                yield node.lineno, text  # type: ignore[attr-defined]


def _not_for_people(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, log lines, marked texts, types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            of_log = (
                name in LOG_LEVELS and getattr(getattr(node.func, "value", None), "id", "") == "log"
            )
            if of_log or name in (*MARKERS, *NOT_FOR_PEOPLE):
                yield node
        elif isinstance(node, ast.Assert | ast.arg | ast.AnnAssign):
            yield from (
                part
                for part in (getattr(node, "msg", None), getattr(node, "annotation", None))
                if part
            )


def _answers(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ANSWERS:
            yield from node.args[1:2]


def _message(node: ast.AST) -> str:
    """The text with its fields by name."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts: list[str] = []
    used: dict[str, str] = {}
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            parts.append("{" + _field(part.value, used) + "}")
        elif isinstance(part, ast.Constant):
            parts.append(str(part.value))
    return "".join(parts)


def _field(value: ast.expr, used: dict[str, str]) -> str:
    """A name for what stands there: its last word, with a number if another has it."""
    source = ast.unparse(value)
    words = [w.strip("_") for w in re.findall(r"[A-Za-z_]\w*", source) if not w[:1].isupper()]
    words = [
        w
        for w in words
        if w not in ("self", "str", "join", "capitalize", "sorted", "repr", "len", "f")
    ]
    name = words[-1] if words else "value"
    number = 2
    while used.get(name, source) != source:
        name = f"{name.rstrip('0123456789')}{number}"
        number += 1
    used[name] = source
    return name


def main(language: str) -> None:
    known = read_catalog(locale.path(language))
    where = sentences()
    for message, plural in messages().items():
        if message not in known:
            print(f"\n#: {where.get(message, '')}" if message in where else "")
            print(f"msgid {json.dumps(message, ensure_ascii=False)}")
            if plural:
                print(f"msgid_plural {json.dumps(plural, ensure_ascii=False)}")
            print("msgstr[0]" if plural else "msgstr", '""')


if __name__ == "__main__":
    main(sys.argv[1])
