"""Where what is meant for a room is written to, below the topics' root: `room/<room>` and `group/<group>`."""

from __future__ import annotations

from collections.abc import Iterable

from agent.core.model.commands import IDENTIFIER

ADDRESS = rf"^(room|group)/{IDENTIFIER.removeprefix('^')}"

EVERYBODY = "all"
"""The group that every room is in, named in its settings or not."""


def all_groups(named: Iterable[str]) -> list[str]:
    """The groups of a room whose settings name these, in that order, each once."""
    return list(dict.fromkeys([*named, EVERYBODY]))


def addresses_of(room: str, groups: Iterable[str]) -> list[str]:
    """The addresses that a room listens to, its own first; `groups` as its settings name them."""
    return [f"room/{room}", *(f"group/{group}" for group in all_groups(groups))]
