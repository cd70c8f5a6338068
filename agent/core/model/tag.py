"""What stands in the type field of a struct that is one of several."""

from __future__ import annotations

from msgspec import Struct


def tag_of(struct: Struct | type[Struct]) -> str:
    """`join` for a struct with `tag="join"`, and for its class. Of one without a tag it is `None`."""
    return str(struct.__struct_config__.tag)
