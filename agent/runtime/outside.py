"""Everything around the core that the daemon's loop works with, in one record."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from agent.ports import DisplayRelay, HubLink, Journal, MediaSupervisor, Panel, Post
from agent.runtime.checker import Checker
from agent.runtime.clock import SystemClock
from agent.runtime.code import InstalledCode
from agent.runtime.control import ControlServer
from agent.runtime.prober import Prober
from agent.runtime.systemd import Notifier
from agent.runtime.timers import Timers


class Outside(Struct, frozen=True):
    """The daemon's ports, made by `agent.runtime.bootstrap`. None: the room has no such device."""

    hub: HubLink
    journal: Journal
    supervisor: MediaSupervisor
    relay: DisplayRelay | None
    panel: Panel | None
    control: ControlServer
    prober: Prober
    checker: Checker
    notifier: Notifier
    timers: Timers
    clock: SystemClock
    code: InstalledCode
    post: Post
    settings_problem: Callable[[], str]
    """Why the settings on disk now can't be used; empty if they can."""
