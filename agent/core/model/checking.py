"""What the check's process says to the daemon when it is done: plain data, one JSON line."""

from __future__ import annotations

from msgspec import Struct

from agent.core.model.documents import CheckFinding


class Checked(Struct, frozen=True):
    """All that was found. `complete`: at everything that a meeting needs."""

    findings: list[CheckFinding]
    complete: bool
