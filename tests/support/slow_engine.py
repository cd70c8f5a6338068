"""The media process on a board where GStreamer takes for ever to load: `python -m tests.support.slow_engine --control-fd N`."""

from __future__ import annotations

import sys
import threading
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from agent.media.process import main


class Endless(Loader):
    """Loads, and never comes to an end."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        threading.Event().wait()


class SlowEngine(MetaPathFinder):
    """Knows GStreamer's bindings."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, Endless()) if fullname == "gi" else None


if __name__ == "__main__":
    sys.meta_path.insert(0, SlowEngine())
    sys.exit(main())
