"""What a process holds: open files, threads, children, memory; and whether that grows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from tests.bench.row import Row

ENDS = 5
"""Samples at each end whose median is compared: one busy moment is no growth."""


class Footprint(NamedTuple):
    """`megabytes` is anonymous memory, what a leak grows: the libraries' share of the proportional set
    size (`pss_megabytes`) changes with who else on the machine has them loaded."""

    files: int
    threads: int
    children: int
    megabytes: float
    pss_megabytes: float


def footprint(pid: int) -> Footprint:
    process = psutil.Process(pid)
    children = process.children(recursive=True)
    return Footprint(
        process.num_fds(),
        process.num_threads(),
        len(children),
        megabytes(pid, "Pss_Anon"),
        megabytes(pid, "Pss"),
    )


def megabytes(pid: int, kind: str) -> float:
    """A line of proc(5)'s smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (kilobytes,) = (int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))
    return kilobytes / 1024


def growth(samples: Sequence[Footprint]) -> Footprint:
    """From the first samples to the last."""
    first, last = samples[:ENDS], samples[-ENDS:]
    medians = (
        [statistics.median(kind) for kind in zip(*end, strict=True)] for end in (first, last)
    )
    return Footprint(*(after - before for before, after in zip(*medians, strict=True)))


def megabytes_an_hour(samples: Sequence[Footprint], interval_seconds: float) -> float:
    """The slope of all samples, by least squares."""
    hours = np.arange(len(samples)) * interval_seconds / 3600
    return float(np.polyfit(hours, [sample.megabytes for sample in samples], 1)[0])


def rows(what: str, grown: Footprint, limit_megabytes: float) -> list[Row]:
    """Nothing may have grown, but memory by a little."""
    return [
        Row(f"{what}: more open files", grown.files, "", 0),
        Row(f"{what}: more threads", grown.threads, "", 0),
        Row(f"{what}: more processes", grown.children, "", 0),
        Row(f"{what}: more memory", grown.megabytes, "MB", limit_megabytes),
    ]
