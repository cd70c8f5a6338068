"""The schema of the settings, as `agent.settings` declares it: sections, keys and their meaning."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import inspect
from msgspec.structs import FieldInfo

from agent.settings import Section

CREDENTIAL_KEYS = frozenset(
    {
        "hub.password_file",
        "hub.tls.ca",
        "hub.tls.certificate",
        "hub.tls.key",
        "media.token_file",
        "media.ice_credential_file",
    }
)
"""Keys that may name a systemd credential instead of an absolute path."""


@cache
def fields_of(section: type[Section]) -> dict[str, FieldInfo]:
    """The section's keys, in the order of their declaration."""
    return {field.name: field for field in msgspec.structs.fields(section)}


def section_of(annotation: Any) -> type[Section] | None:
    """The section that a key of this type holds, or None for a plain value."""
    for part in _alternatives(annotation):
        if isinstance(part, type) and issubclass(part, Section):
            return part
    return None


def is_optional(annotation: Any) -> bool:
    """Whether the key may be empty (null)."""
    return type(None) in _alternatives(annotation)


def description_of(field: FieldInfo) -> str:
    """What the key means, from its `Meta(description=...)`."""
    described = inspect.type_info(field.type)
    if isinstance(described, inspect.Metadata):
        return str((described.extra_json_schema or {}).get("description", ""))
    return ""


def default_of(field: FieldInfo) -> Any:
    """The default, NODEFAULT for a key that must be given."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def all_keys(section: type[Section], path: str = "") -> dict[str, FieldInfo]:
    """Every key below `section` by its dotted path, the sections themselves included."""
    keys: dict[str, FieldInfo] = {}
    for name, field in fields_of(section).items():
        key = f"{path}.{name}" if path else name
        keys[key] = field
        inner = section_of(field.type)
        if inner is not None:
            keys |= all_keys(inner, key)
    return keys


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return tuple(part for arg in get_args(annotation) for part in _alternatives(arg))
    return (annotation,)
