"""What is left out on the wire where it is not known."""

from __future__ import annotations

from typing import Self

from msgspec import Struct, structs


class Sparse(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Fields that are None where they are not known, and then not on the wire."""

    def with_known(self, other: Sparse) -> Self:
        """These, and what `other` knows in place of its own; `other` has no field that these haven't."""
        found = structs.asdict(other)
        return structs.replace(
            self, **{name: value for name, value in found.items() if value is not None}
        )
