"""Replacing a file that others read, or that the next start goes by."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """All of it or the old one, also when the power goes; folders that are missing are made.

    A private one (`mode` 0o600) is never readable by others, not even for a moment. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the name is on the disk, too
    finally:
        os.close(directory)


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Nobody else has this file locked meanwhile, in another process neither; whoever wants to waits.

    The file is made and stays, empty; it need not be writable, so that colleagues of one folder share it. Raises OSError.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
