"""Who holds a device: every process whose open files lead to one of its device nodes.

Read from /proc, so it needs no lsof; other people's processes are seen by root only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from msgspec import Struct

CAMERA_NODES = ("/dev/video*", "/dev/media*")
MICROPHONE_NODES = ("/dev/snd/pcmC*c",)
SPEAKER_NODES = ("/dev/snd/pcmC*p",)
GPIO_NODES = ("/dev/gpiochip*",)


class Holder(Struct, frozen=True):
    """A process and the node that it has open."""

    pid: int
    command: str
    node: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid}, {self.node})"


def find_holders(patterns: tuple[str, ...], proc: Path = Path("/proc")) -> list[Holder]:
    """The processes that have a node open whose path matches one of the patterns."""
    return [
        Holder(int(process.name), _command(process), node)
        for process in proc.iterdir()
        if process.name.isdigit()
        for node in sorted(set(_open_files(process)))
        if any(fnmatch(node, pattern) for pattern in patterns)
    ]


def media_processes(daemon_pid: int | None = None, proc: Path = Path("/proc")) -> list[int]:
    """The media processes that run now: of this daemon, or of any but our own."""
    return [
        int(process.name)
        for process in proc.iterdir()
        if process.name.isdigit()
        and b"agent.media.process" in _arguments(process)
        and (
            _parent(process) != os.getpid()
            if daemon_pid is None
            else _parent(process) == daemon_pid
        )
    ]


def _parent(process: Path) -> int | None:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1])


def _open_files(process: Path) -> Iterator[str]:
    try:
        for link in (process / "fd").iterdir():
            yield str(link.readlink())
    except OSError:
        return  # ended meanwhile, or somebody else's


def _arguments(process: Path) -> list[bytes]:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _command(process: Path) -> str:
    words = [word.decode(errors="replace") for word in _arguments(process) if word]
    return " ".join([Path(words[0]).name, *words[1:3]]) if words else "?"
