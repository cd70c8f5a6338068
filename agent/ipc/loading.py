"""Whether a media process that is still loading lives: by what it does, not by the clock.

The first load on a slow board takes half a minute (27.6 s were seen, with GStreamer's registry to be built), a library that hangs
takes for ever; the kernel's counters tell one from the other (proc(5): stat, io).
"""

from __future__ import annotations

from pathlib import Path

LIFELESS_SECONDS = 10.0
"""Nothing computed and nothing read for so long: it hangs."""

LONGEST_LOADING_SECONDS = 180.0
"""An endless loop computes too. Three times what the slowest board was seen to take, and as much again."""

POLL_SECONDS = 1.0

Progress = tuple[int, ...]


class SignsOfLife:
    """Of one process that has not said `Ready` yet. `started` and `now` are in seconds of one steady clock."""

    def __init__(self, pid: int, started: float, proc: Path = Path("/proc")) -> None:
        self._folder = proc / str(pid)
        self._started = started
        self._moved = started
        self._progress: Progress = ()

    def complaint(self, now: float) -> str:
        """Why it should be given up, in the past tense; empty while it lives. Ask every POLL_SECONDS."""
        progress = self._read()
        if progress != self._progress:
            self._progress, self._moved = progress, now
        if now - self._moved >= LIFELESS_SECONDS:
            return f"was not ready after {now - self._started:.0f} s and did nothing for {LIFELESS_SECONDS:.0f} s"
        if now - self._started >= LONGEST_LOADING_SECONDS:
            return f"was not ready within {LONGEST_LOADING_SECONDS:.0f} s"
        return ""

    def _read(self) -> Progress:
        """Major faults and processor time, its ended children's (the plugin scanner) too, and bytes read."""
        try:
            fields = (
                (self._folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
            )
        except OSError:  # it is gone, or this machine does not tell: then the clock alone counts
            return ()
        return (*map(int, fields[9:15]), *self._children(), *self._bytes_read())

    def _children(self) -> Progress:
        """Processor time of the children that run now."""
        times = []
        try:
            pids = (self._folder / "task" / self._folder.name / "children").read_text().split()
            for pid in pids:
                stat = (self._folder.parent / pid / "stat").read_text("ascii", "replace")
                times += [int(field) for field in stat.rpartition(")")[2].split()[11:13]]
        except OSError:
            pass
        return tuple(times)

    def _bytes_read(self) -> Progress:
        try:
            text = (self._folder / "io").read_text("ascii")
        except OSError:
            return ()
        return tuple(
            int(line.partition(":")[2]) for line in text.splitlines() if line.startswith("rchar")
        )
