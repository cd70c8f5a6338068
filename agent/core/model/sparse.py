"""What is left out on the wire where it is not known, and what may be shown to anybody as it is."""

from __future__ import annotations

from typing import Any, Self

from msgspec import Struct, structs

from agent.core.model.cleaning import clean


class Printable(Struct, frozen=True):
    """Each text in it is one line without what a terminal, a screen or a log would obey. It may come from a media
    server, a device's own name or a program: whoever makes one of these need not think of that, nor who shows it.
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            printable = _printable(value)
            if printable is not value:
                structs.force_setattr(self, name, printable)


def _printable(value: Any) -> Any:
    """The same object if there is nothing to do."""
    if isinstance(value, str):
        return value if value.isprintable() else clean(value)
    if isinstance(value, list) and not all(_printable(one) is one for one in value):
        return [_printable(one) for one in value]
    if isinstance(value, dict) and not all(_printable(one) is one for one in value.values()):
        return {key: _printable(one) for key, one in value.items()}
    return value


class Sparse(Printable, frozen=True, omit_defaults=True, kw_only=True):
    """Fields that are None where they are not known, and then not on the wire."""

    def with_known(self, other: Sparse) -> Self:
        """These, and what `other` knows in place of its own; `other` has no field that these haven't."""
        found = structs.asdict(other)
        return structs.replace(
            self, **{name: value for name, value in found.items() if value is not None}
        )
