"""What the bindings need to be safe in several threads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.media import gst
from agent.media.gst import Gst, reply_of

USE = re.compile(r"\b(Gst\w*|Nice)\.([A-Z]\w+)\.[A-Z][A-Z0-9_]*\b")


def test_every_enumeration_in_use_is_made_before_threads_ask_for_it() -> None:
    sources = Path(gst.__file__).parent.rglob("*.py")
    used = {match.groups() for source in sources for match in USE.finditer(source.read_text())}
    made = {(one.__module__.rpartition(".")[2], one.__name__) for one in gst.ENUMERATIONS}
    assert used == made


def test_a_promise_that_nobody_keeps_is_answered_by_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """`get_reply` of it writes `GStreamer-CRITICAL` into the log."""
    kept = Gst.Promise.new()
    kept.reply(Gst.Structure.new_empty("kept"))
    assert reply_of(kept).get_name() == "kept"
    for end in ("interrupt", "expire"):
        broken = Gst.Promise.new()
        getattr(broken, end)()
        assert reply_of(broken) is None
    assert "CRITICAL" not in capfd.readouterr().err
