"""URLs as they may be shown: in acks, health, logs and to people."""

from __future__ import annotations

import re

MASK = "***"


def shown(url: str) -> str:
    """The URL with its user, password and query masked: stream keys and tokens stand there."""
    without_user = re.sub(r"^(\w+://)[^/?#]*@", rf"\1{MASK}@", url)
    return re.sub(r"[?#].*", f"?{MASK}", without_user, flags=re.DOTALL)
