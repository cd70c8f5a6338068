"""What every section of the settings file is.

A key's meaning is its `Meta(description=...)`, from which the CLI's `config explain` reads too.
"""

from __future__ import annotations

from msgspec import Struct


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping in the YAML file."""
