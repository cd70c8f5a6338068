"""Writes the bundle: one tar.gz, whole or not at all, readable by its owner only."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path


def write(path: Path, folder: str, files: Mapping[str, str]) -> int:
    """Put the texts into `folder` inside the archive; returns its size in bytes. Raises OSError."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        with tarfile.open(fileobj=output, mode="w:gz") as archive:
            for name, text in files.items():
                _add(archive, f"{folder}/{name}", text.encode())
        output.flush()
        os.fsync(output.fileno())
    part.rename(path)
    return path.stat().st_size


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mtime = int(time.time())
    entry.mode = 0o600
    archive.addfile(entry, io.BytesIO(content))
