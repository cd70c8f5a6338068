"""A file is replaced as a whole, or the old one stays."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent.files import replace_file


def test_it_has_the_content_and_the_mode_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "room.key"
    replace_file(path, b"first", 0o600)
    path.with_name(".room.key.new").write_bytes(b"left by a power cut")
    replace_file(path, b"second", 0o640)
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["room.key"]


def test_a_private_one_is_never_readable_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda one: (modes.append(os.fstat(one).st_mode), fsync(one)))
    replace_file(tmp_path / "room.key", b"secret", 0o600)
    assert stat.S_IMODE(modes[0]) == 0o600
    assert stat.S_ISDIR(modes[1]), "the name is on the disk, too"


def test_a_disk_that_takes_nothing_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.json"
    replace_file(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
