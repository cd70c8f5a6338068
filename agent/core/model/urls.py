"""URLs as they may be shown: in acks, health, logs and to people."""

from __future__ import annotations

import re

from agent.core.model.cleaning import visible

MASK = "***"


def shown(url: str) -> str:
    """The URL with its user, password and query masked, where stream keys and tokens stand, and nothing in it that a
    terminal obeys."""
    without_user = re.sub(r"^(\w+://)[^/?#]*@", rf"\1{MASK}@", url)
    return visible(re.sub(r"[?#].*", f"?{MASK}", without_user, flags=re.DOTALL), "\ufffd")
