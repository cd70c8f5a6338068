"""What the bindings need to be safe in several threads."""

from __future__ import annotations

import re
from pathlib import Path

from agent.media import gst

USE = re.compile(r"\b(Gst\w*|Nice)\.([A-Z]\w+)\.[A-Z][A-Z0-9_]*\b")


def test_every_enumeration_in_use_is_made_before_threads_ask_for_it() -> None:
    sources = Path(gst.__file__).parent.rglob("*.py")
    used = {match.groups() for source in sources for match in USE.finditer(source.read_text())}
    made = {(one.__module__.rpartition(".")[2], one.__name__) for one in gst.ENUMERATIONS}
    assert used == made
