"""Pictures wait for sound: threads that make them leave the processor to those that carry sound.

The service as a whole is begun with niceness -10 (systemd/diemcau-agent.service), and they give that up; begun with 0, as by
hand, nothing changes. Niceness is a thread's own on Linux (setpriority(2)); threads that it begins have it too, and it needs
no right to grow. It would to shrink again: so GStreamer takes these threads from a pool of their own, where each is used for
pictures or ends.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any

from agent.media.gst import GLib, Gst

NICENESS = 0
"""Where both have work, a thread of niceness -10 gets nine times as much of a processor (sched(7): weights 9548 and 1024)."""

POOL = Gst.TaskPool.new()
POOL.prepare()
GLib.ThreadPool.set_max_unused_threads(0)
"""GLib's pools share what has had no work for half a second, unless there is none."""


def after_sound() -> None:
    """From now on the calling thread works on pictures. A sandbox that forbids it to say so changes nothing else."""
    this = threading.get_native_id()
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, this, max(NICENESS, os.getpriority(os.PRIO_PROCESS, this)))


def put_after_sound(part: Any) -> Any:
    """What to do at each `stream-status` message so that all threads of this element or bin work on pictures: they are
    told of twice, before they begin, and by themselves before they do anything else.
    """

    def apply(_bus: Any, message: Any) -> None:
        status, owner = message.parse_stream_status()
        if owner is not part and not owner.has_as_ancestor(part):
            return
        if status == Gst.StreamStatusType.CREATE:
            message.get_stream_status_object().set_pool(POOL)
        elif status == Gst.StreamStatusType.ENTER:
            after_sound()

    return apply
