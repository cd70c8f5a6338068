"""debian/changelog from CHANGELOG.md: `debian_changelog.py PACKAGE VERSION "NAME <ADDRESS>" RFC2822-DATE`.

VERSION is the version to build; when it isn't the newest in CHANGELOG.md (a test's upgrade), a section of its own says
so. A section that is still `unreleased` gets the given date, a dated one midnight of its day.
"""

from __future__ import annotations

import re
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
SECTION = re.compile(r"^## (\S+) \((unreleased|\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)
LIST_ITEM = re.compile(r"^- (.*(?:\n  .*)*)", re.MULTILINE)


def entries(text: str) -> list[tuple[str, str, list[str]]]:
    """(version, `unreleased` or the day, the points) of each section, the newest first."""
    parts = SECTION.split(text)[1:]
    return [
        (version, day, [" ".join(item.split()) for item in LIST_ITEM.findall(body)])
        for version, day, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def debian(package: str, version: str, maintainer: str, date: str, text: str) -> str:
    """The whole file. Raises ValueError for a CHANGELOG.md without a section."""
    known = entries(text)
    if not known:
        raise ValueError("CHANGELOG.md has no section `## VERSION (unreleased or YYYY-MM-DD)`")
    if known[0][0] != version:  # dates must fall from section to section: lintian looks
        before = parsedate_to_datetime(date) - timedelta(days=1)
        known[0] = (known[0][0], f"{before:%Y-%m-%d}", known[0][2])
        known.insert(0, (version, "unreleased", ["A build for tests; not in CHANGELOG.md."]))
    blocks = []
    for number, day, points in known:
        when = date
        if day != "unreleased":
            when = format_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))
        lines = [
            textwrap.fill(point, 78, initial_indent="  * ", subsequent_indent="    ")
            for point in points
        ]
        head = f"{package} ({number}) trixie; urgency=medium"
        blocks.append("\n".join([head, "", *lines, "", f" -- {maintainer}  {when}"]))
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    print(debian(*sys.argv[1:5], CHANGELOG.read_text("utf-8")), end="")
