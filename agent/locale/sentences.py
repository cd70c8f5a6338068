"""What the daemon says in English for machines, found again in the catalog and said to people.

Each text on the wire is one of the catalog's messages with its {fields} filled in (docs/contract.md), so
the message and the fields can be read back from it: also from a journal of last month, and through
however many processes it came. A field may be such a text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

FIELD = re.compile(r"\{(\w+)[^{}]*\}")
LEAST_LETTERS = 4
"""A message with fewer letters of its own would fit anything."""

SEPARATORS = ("; ", ": ", ", ")
"""Where two texts were joined, the loosest joint first."""

TYPED = ("choices", "meant")
"""Fields that hold what one types: it is the same in every language, also where it is a word."""

SECTIONS = ("room", "hub", "health", "agenda", "devices", "media", "store", "control", "clock")
"""Of the settings, as they are typed; as a field or a part they are meant, not the word."""

MOST_WORDS_OF_A_SUBJECT = 4
LEAST_OF_A_PREDICATE = 10
"""Letters: a word alone ends many a text by chance."""

MOST_REMEMBERED = 2000


class Pattern:
    """A message with fields: how much of it is its own, where it fits, what it becomes."""

    def __init__(self, chunks: list[str], translated: str) -> None:
        self._chunks = chunks
        own = chunks[::2]
        self.own = sum(map(len, own))
        self.longest = max(own, key=len)
        self.has_lines = any("\n" in chunk for chunk in own)
        self.translated = translated

    @cached_property
    def shape(self) -> re.Pattern[str]:
        """Made for a text that has `longest` only: to make them all takes a slow board a second."""
        return _shape(self._chunks)


class Fit(NamedTuple):
    """How many letters of a text the catalog's messages explain, and what is said then."""

    own: int
    said: str


class Sentences:
    """The messages of one language, English to translated."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._messages = messages
        self._patterns = sorted(_patterns(messages), key=lambda one: -one.own)

        self._known: dict[str, Fit] = {}
        """What was said already: of joined texts the same parts come again and again."""

    def say(self, text: str) -> str:
        """The text in the catalog's language; what it has no message for stays as it is."""
        return self._fit(text).said

    def _fit(self, text: str) -> Fit:
        """How much of the text is explained, its fields and joined parts included."""
        if not text.strip() or text in SECTIONS:
            return Fit(0, text)
        if text not in self._known:
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            known = self._whole(text)
            fit = Fit(len(text), known) if known else self._lines(text) or self._best(text)
            self._known[text] = fit if fit.own else self._parts(text)
        return self._known[text]

    def _lines(self, text: str) -> Fit | None:
        """A line is a text of its own: many problems at once would else be looked at in all their parts."""
        lines = text.split("\n")
        if len(lines) == 1:
            return None
        filled = self._filled(text)
        return filled if filled.own else _joined("\n", map(self._fit, lines))

    def _best(self, text: str) -> Fit:
        """What explains most of it: a message for the whole, or one for its end, where texts were joined."""
        best = self._filled(text)
        for separator in SEPARATORS:
            parts = text.split(separator)
            for place in range(1, len(parts)):
                left, right = separator.join(parts[:place]), separator.join(parts[place:])
                known = self._whole(right)
                end = Fit(len(right), known) if known else self._filled(right)
                if end.own and end.own + len(left) > best.own:
                    fit = _joined(separator, (self._fit(left), end))
                    best = fit if fit.own > best.own else best
        return best

    def _parts(self, text: str) -> Fit:
        """Joined texts of which some are known."""
        for separator in SEPARATORS:
            parts = text.split(separator)
            if len(parts) > 1:
                fit = _joined(separator, map(self._fit, parts))
                if fit.said != text:
                    return fit
        return self._predicate(text)

    def _predicate(self, text: str) -> Fit:
        """What is said of something by a message of its own, as "was not there" of a file."""
        words = text.split(" ")
        for place in range(1, min(len(words), MOST_WORDS_OF_A_SUBJECT + 1)):
            subject, rest = " ".join(words[:place]), " ".join(words[place:])
            known = self._whole(rest)
            fit = Fit(len(rest), known) if known else self._filled(rest)
            if fit.own >= LEAST_OF_A_PREDICATE:
                return _joined(" ", (self._fit(subject), fit))
        return Fit(0, text)

    def _whole(self, text: str) -> str | None:
        """A text without fields; capital and small first letters are the same."""
        if not text or (known := self._messages.get(text)):
            return known if text else None
        turned = text[0].swapcase() + text[1:]
        known = self._messages.get(turned)
        if not known:
            return None
        return (known[0].upper() if text[0].isupper() else known[0].lower()) + known[1:]

    def _filled(self, text: str) -> Fit:
        for pattern in self._patterns:
            if "\n" in text and not pattern.has_lines:
                continue  # its fields would take whole lines
            if pattern.longest in text and (found := pattern.shape.fullmatch(text)):
                given = found.groupdict().items()
                fits = {k: Fit(len(v), v) if k in TYPED else self._fit(v) for k, v in given}
                said = FIELD.sub(lambda m, f=fits: f[m[1]].said, pattern.translated)  # type: ignore[misc]
                return Fit(pattern.own + sum(fit.own for fit in fits.values()), said)
        return Fit(0, text)


def _joined(separator: str, fits: Iterable[Fit]) -> Fit:
    parts = list(fits)
    return Fit(sum(part.own for part in parts), separator.join(part.said for part in parts))


def _patterns(messages: Mapping[str, str]) -> Iterator[Pattern]:
    for message, translated in messages.items():
        chunks = FIELD.split(message)
        own = "".join(chunks[::2])
        if len(chunks) > 1 and sum(map(str.isalpha, own)) >= LEAST_LETTERS:
            yield Pattern(chunks, translated)


def _shape(chunks: list[str]) -> re.Pattern[str]:
    """Own words and names of fields in turn; a field that comes again is the same."""
    parts, seen = [], set()
    for place, chunk in enumerate(chunks):
        if place % 2 == 0:
            parts.append(re.escape(chunk))
        else:
            parts.append(f"(?P={chunk})" if chunk in seen else f"(?P<{chunk}>.*?)")
            seen.add(chunk)
    return re.compile("".join(parts), re.DOTALL)
