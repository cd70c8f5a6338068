"""What the daemon says in English for machines, found again in the catalog and said to people.

Each text on the wire is one of the catalog's messages with its {fields} filled in (docs/contract.md), so
the message and the fields can be read back from it: also from a journal of last month, and through
however many processes it came. A field may be such a text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

FIELD = re.compile(r"\{(\w+)[^{}]*\}")
LEAST_LETTERS = 4
"""A message with fewer letters of its own would fit anything."""

SEPARATORS = ("; ", ": ", ", ")
"""Where two texts were joined, the loosest joint first."""

TYPED = ("choices",)
"""Fields that hold what one types: it is the same in every language, also where it is a word."""

MOST_REMEMBERED = 2000


class Pattern(NamedTuple):
    """A message with fields: how much of it is its own, where it fits, what it becomes."""

    own: int
    longest: str
    shape: re.Pattern[str]
    translated: str


class Fit(NamedTuple):
    """How much of a text a message explains, and what is said then; nothing without one."""

    own: int
    said: str


class Sentences:
    """The messages of one language, English to translated."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._messages = messages
        self._patterns = sorted(_patterns(messages), key=lambda one: -one.own)

        self._said: dict[str, str] = {}
        """What was said already: of joined texts the same parts come again and again."""

    def say(self, text: str) -> str:
        """The text in the catalog's language; what it has no message for stays as it is."""
        if not text.strip():
            return text
        if text not in self._said:
            if len(self._said) > MOST_REMEMBERED:
                self._said.clear()
            known = self._whole(text) or self._lines(text)
            known = known or self._best(text).said or self._parts(text)
            self._said[text] = known or text
        return self._said[text]

    def _lines(self, text: str) -> str | None:
        """A line is a text of its own: many problems at once would else be looked at in all their parts."""
        lines = text.split("\n")
        if len(lines) == 1:
            return None
        return self._filled(text).said or "\n".join(map(self.say, lines))

    def _best(self, text: str) -> Fit:
        """The message that explains most of it: of the whole, or of its end, where texts were joined."""
        fits = [self._filled(text)]
        for separator in SEPARATORS:
            parts = text.split(separator)
            for place in range(1, len(parts)):
                left, right = separator.join(parts[:place]), separator.join(parts[place:])
                known = self._whole(right)
                fit = Fit(len(right), known) if known else self._filled(right)
                if fit.own > fits[0].own:
                    fits.insert(0, Fit(fit.own, self.say(left) + separator + fit.said))
        return fits[0]

    def _parts(self, text: str) -> str | None:
        """Joined texts of which some are known."""
        for separator in SEPARATORS:
            parts = text.split(separator)
            said = [self.say(part) for part in parts] if len(parts) > 1 else parts
            if said != parts:
                return separator.join(said)
        return None

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
            if "\n" in text and "\n" not in pattern.shape.pattern:
                continue  # its fields would take whole lines
            if pattern.longest in text and (found := pattern.shape.fullmatch(text)):
                fields = {k: v if k in TYPED else self.say(v) for k, v in found.groupdict().items()}
                said = FIELD.sub(lambda m, f=fields: f[m[1]], pattern.translated)  # type: ignore[misc]
                return Fit(pattern.own, said)
        return Fit(0, "")


def _patterns(messages: Mapping[str, str]) -> Iterator[Pattern]:
    for message, translated in messages.items():
        chunks = FIELD.split(message)
        own = "".join(chunks[::2])
        if len(chunks) > 1 and sum(map(str.isalpha, own)) >= LEAST_LETTERS:
            longest = max(chunks[::2], key=len)
            yield Pattern(len(own), longest, _shape(chunks), translated)


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
