"""How the on-air lamp says each thing: for so long on, for so long off, again and again.

Told apart at a glance from the other end of the room; the table for the wall is in docs/contract.md.
"""

from __future__ import annotations

PATTERNS: dict[str, tuple[float, float]] = {
    "muted": (1.8, 0.2),
    "hand": (1.0, 1.0),
    "called": (0.125, 0.125),
    "blink": (0.5, 0.5),
}
"""Mode -> seconds on, seconds off. `on` and `off` are steady."""
