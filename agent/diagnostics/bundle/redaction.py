"""Blackens secrets in a text: those that this room knows, and whatever looks like one.

The known ones come from the files that the settings name and from secrets that stand in the
settings file although they should not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agent import settings
from agent.diagnostics.site import Sections

MASK = "***"

SHORTEST = 4
"""Shorter secrets would blacken half of the text; they are found by their surroundings only."""

_NAMES = r"[\w-]*(?:password|passwd|passphrase|psk|token|secret|api[_-]?key|authorization)"
_PATTERNS = (
    # -----BEGIN PRIVATE KEY----- ... also cut off by a log's end
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", MASK),
    # https://user:password@host, and a query, in which tokens stand
    (r"(?<=://)[^/\s@\"']+@", f"{MASK}@"),
    (r"(https?://[^\s\"'?]+\?)[^\s\"']+", rf"\1{MASK}"),
    (r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{4,}", rf"\1{MASK}"),
    # password: x   "token": "x"   --token x   SECRET=x, but not password_file: /path
    (rf"(?i)((?<![\w-])-*{_NAMES}[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,}}\]]+)", rf"\1{MASK}"),
    (rf"(?i)(--{_NAMES}\s+)(\S+)", rf"\1{MASK}"),
)
_REDACTIONS = tuple((re.compile(pattern, re.DOTALL), with_) for pattern, with_ in _PATTERNS)

_IN_SETTINGS = re.compile(rf"(?im)^\s*-?\s*{_NAMES}\s*:\s*[\"']?([^\"'\n#]+)")


class Redactor:
    """Blackens texts of one room."""

    def __init__(self, known: set[str]) -> None:
        longest_first = sorted((s for s in known if len(s) >= SHORTEST), key=len, reverse=True)
        self._known = longest_first

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._known:
            text = text.replace(secret, MASK)
        for pattern, with_ in _REDACTIONS:
            text = pattern.sub(with_, text)
        return text


def known_secrets(config_path: Path, sections: Sections) -> set[str]:
    """What this room's secret files hold, and what in its settings file should stand in one."""
    found = {line for path in _files(sections) for line in _lines(path)}
    found |= {line.split(None, 1)[1] for line in found if " " in line}  # TURN passwords, by server
    text = "\n".join(_lines(config_path))
    found |= {match.strip() for match in _IN_SETTINGS.findall(text)}
    found |= set(re.findall(r"://[^/\s:@]+:([^/\s@]+)@", text))
    return found


def _files(sections: Sections) -> Iterator[Path]:
    hub = sections.hub
    media = sections.media or settings.Media()
    names = [media.token_file, media.ice_credential_file]
    if hub is not None:
        names += [hub.password_file, hub.tls.key if hub.tls else None]
    for name in names:
        if name is not None:
            yield Path(name)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("-----")]
