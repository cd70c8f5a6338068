"""What JSON can say, for what was read and not judged yet. Whatever was judged is a struct."""

from __future__ import annotations

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Fields = dict[str, Json]
"""A JSON object."""
