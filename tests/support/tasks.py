"""Keeps asyncio's tasks alive: aiortc starts some that nobody refers to, and the garbage collector
takes them in the middle of an ICE handshake ("Task was destroyed but it is pending").
"""

from __future__ import annotations

import asyncio
from typing import Any


def keep_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """From now on every task of this loop lives until it is done."""
    alive: set[asyncio.Task[Any]] = set()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        alive.add(task)
        task.add_done_callback(alive.discard)
        return task

    loop.set_task_factory(make)
