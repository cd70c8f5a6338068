"""Words in the reader's language: English stands in the code, Vietnamese in a gettext catalog.

The catalog is read as it is written (.po), so that a checkout, an editable install and a package
need no build step and can't hold a stale one.
"""

from __future__ import annotations

import gettext as standard
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path

from agent.locale.po import read_catalog
from agent.locale.sentences import Sentences

LANGUAGES = ("en", "vi")


class Catalog(standard.NullTranslations):
    """The messages of one language; what it lacks is said in English."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__()
        self._messages = messages

    @cached_property
    def sentences(self) -> Sentences:
        """Made only where the daemon's English has to be read."""
        return Sentences(self._messages)

    def gettext(self, message: str) -> str:
        return self._messages.get(message) or message

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self._messages.get(singular) or (singular if n == 1 else plural)


# One process speaks to one reader: the language is chosen once, before anything is said.
_catalog: standard.NullTranslations = standard.NullTranslations()


def gettext(message: str) -> str:
    """The message in the chosen language. Fill in its {names} afterwards with `format`."""
    return _catalog.gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form for `n` things."""
    return _catalog.ngettext(singular, plural, n)


def translate(text: str) -> str:
    """A text that the daemon, a driver or the settings' reader made in English, in the chosen language."""
    return _catalog.sentences.say(text) if isinstance(_catalog, Catalog) else text


def sayer(language: str) -> Callable[[str], str]:
    """`translate` for one reader of several, whatever language the process speaks; English for one that is not known."""
    if language == "en" or language not in LANGUAGES:
        return str
    return _sentences(language).say


@cache
def _sentences(language: str) -> Sentences:
    return Sentences(read_catalog(path(language)))


def choose(wanted: str | None, environment: Mapping[str, str]) -> str:
    """`wanted` (from --lang) if given, else by LC_ALL, LC_MESSAGES, LANG; English when in doubt."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    name = wanted or next((environment[n] for n in names if environment.get(n)), "en")
    language = name.replace("-", "_").split("_")[0].split(".")[0].lower()
    return language if language in LANGUAGES else "en"


def use(language: str) -> None:
    """Speak this language (one of LANGUAGES) from now on."""
    global _catalog  # noqa: PLW0603
    _catalog = (
        standard.NullTranslations() if language == "en" else Catalog(read_catalog(path(language)))
    )


def path(language: str) -> Path:
    """Where a language's catalog is."""
    return Path(__file__).parent / language / "LC_MESSAGES" / "diemcau.po"
