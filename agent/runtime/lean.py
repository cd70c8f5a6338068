"""How the daemon's modules are imported: without what libraries bring along and the daemon never uses.

By the import system's own means, as long as `lean_imports` lasts; what is imported later gets all that it asks for.
What it saves and why so: docs/decisions/021-what-libraries-bring-along.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

OPTIONAL = "typing_extensions"
"""msgspec takes it where it is at hand, for what Python 3.11 has itself."""

UNUSED = "urllib.request"
"""paho would ask it for proxies; ours are in the settings (`hub.proxy`), and the socket is `agent.hub.dialing`'s."""


@contextmanager
def lean_imports() -> Iterator[None]:
    """What is imported inside goes without OPTIONAL, and loads UNUSED when it is used: never."""
    held = sys.modules.get(OPTIONAL)
    sys.modules[OPTIONAL] = None  # type: ignore[assignment]  # the reference, 5.3.1: as if not installed
    finder = _LazyFinder(UNUSED)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        del sys.modules[OPTIONAL]
        if held is not None:
            sys.modules[OPTIONAL] = held


class _LazyFinder:
    """Finds one module where it is, to be loaded when something of it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder; None is "not mine"."""
        if name != self._name:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
