"""The disk that forgets, by itself: it loses what a real one may lose, and nothing else."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.power.disk import SECTOR_BYTES, Cut, Disk

SECTORS = 200
OLD, NEW = b"o" * SECTOR_BYTES, b"n" * SECTOR_BYTES


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    image = tmp_path / "image"
    image.write_bytes(OLD * SECTORS)
    disk = Disk(image, random.Random(1))
    yield disk
    disk.close()


def sectors(disk: Disk) -> set[bytes]:
    return {disk.read(at * SECTOR_BYTES, SECTOR_BYTES) for at in range(SECTORS)}


def test_what_was_written_is_read_before_any_flush(disk: Disk) -> None:
    disk.write(0, NEW * SECTORS)
    assert sectors(disk) == {NEW}


def test_a_power_cut_loses_some_of_what_was_not_flushed_by_whole_sectors(disk: Disk) -> None:
    disk.write(0, NEW * SECTORS)
    cut = disk.cut()
    assert cut.unflushed == SECTORS
    assert 0 < cut.lost < SECTORS
    assert sectors(disk) == {OLD, NEW}


def test_a_power_cut_loses_nothing_that_was_flushed(disk: Disk) -> None:
    disk.write(0, NEW * SECTORS)
    disk.flush()
    assert disk.cut() == Cut(lost=0, unflushed=0, written=SECTORS, flushes=1)
    assert sectors(disk) == {NEW}


def test_what_was_flushed_comes_back_when_a_later_write_is_lost(disk: Disk) -> None:
    disk.write(0, NEW * SECTORS)
    disk.flush()
    disk.write(0, b"x" * SECTOR_BYTES * SECTORS)
    disk.write(0, b"y" * SECTOR_BYTES * SECTORS)
    disk.cut()
    assert sectors(disk) == {NEW, b"y" * SECTOR_BYTES}


def test_a_forced_write_needs_no_flush(disk: Disk) -> None:
    disk.write(0, b"x" * SECTOR_BYTES * SECTORS)
    disk.write(0, NEW * SECTORS, durable=True)
    disk.cut()
    assert sectors(disk) == {NEW}
