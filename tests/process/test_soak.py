"""Short forms of `./scripts/bench --long cycles meeting`: many meetings, and a meeting that lasts."""

from __future__ import annotations

import pytest

from tests.bench import cycles, meeting
from tests.bench.footprint import Footprint, growth

pytestmark = pytest.mark.paired

ALLOWED_MEGABYTES = 8
"""Allocators still warm up; the long forms are strict."""


def check_flat(grown: Footprint) -> None:
    assert max(grown.files, grown.threads, grown.children) <= 0, grown
    assert grown.megabytes < ALLOWED_MEGABYTES, grown


def test_meetings_leave_no_file_thread_process_or_session_behind() -> None:
    left = cycles.repeat(8, warm_up_cycles=2)
    check_flat(growth(left.daemon))
    assert left.sessions == 0


def test_a_meeting_that_lasts_takes_no_more_and_no_more() -> None:
    samples = meeting.hold(0.3)
    check_flat(growth([sample.daemon for sample in samples]))
    check_flat(growth([sample.media_process for sample in samples]))
    assert samples[-1].interruptions == 0
