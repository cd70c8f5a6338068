"""Lines of a GPIO chip.

Chips are named by label, never by number.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Line = Annotated[int, Meta(ge=0, le=511)]
"""A GPIO line's offset on its chip."""
