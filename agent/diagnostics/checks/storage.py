"""The disk: room for the journal, and a card that still takes what is written to it."""

from __future__ import annotations

import re
from pathlib import Path

from agent.diagnostics.checks.figures import host_figures
from agent.diagnostics.report import Finding, failed, ok, skipped, warning
from agent.diagnostics.site import Site
from agent.host.sampling import FULL_DISK_MEGABYTES, LOW_DISK_MEGABYTES
from agent.host.system import System
from agent.locale import gettext as _
from agent.settings import Store


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    folder = Path((site.sections.store or Store()).path)
    figures = host_figures(site)
    free = figures.disk_free_megabytes
    if free is None:
        return [skipped("storage-unknown", _("Not looked at: {path}").format(path=folder))]
    evidence = _("{path}: {free} MB free").format(path=folder, free=free)
    if figures.store_read_only:
        return [_read_only(evidence)]
    if free < FULL_DISK_MEGABYTES:
        return [_full(evidence)]
    if free < LOW_DISK_MEGABYTES:
        return [
            warning(
                "storage-low",
                _("The disk is almost full"),
                evidence,
                advice=_("Delete what isn't needed; see: sudo du -xh / | sort -h | tail"),
            )
        ]
    if mounted_on(folder.resolve(), System(site.root).read("/proc/self/mounts") or "") == "tmpfs":
        return [
            warning(
                "storage-volatile",
                _("What the agent keeps is gone when the power is"),
                _("{path} is in memory (tmpfs)").format(path=folder),
                advice=_("Set store.path to a folder on the memory card, such as /var/lib/diemcau"),
            )
        ]
    return [ok("storage-ok", _("There is room on the disk"), evidence)]


def mounted_on(folder: Path, mounts: str) -> str:
    """The kind of file system that this folder is on, by the lines of /proc/mounts; empty where none fits. What is
    mounted last at a place hides what was there. Of /tmp, whoever puts a store there knows: nothing is said.
    """
    kind, longest = "", 0
    for line in mounts.splitlines():
        fields = line.split()
        place = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), fields[1])
        within = folder.is_relative_to(place)
        if within and len(place) >= longest:
            kind, longest = "" if place == "/tmp" else fields[2], len(place)
    return kind


def _full(evidence: str) -> Finding:
    return failed(
        "storage-full",
        _("The disk is full"),
        evidence,
        _("Logs or files that somebody put there"),
        _("sudo journalctl --vacuum-size=50M; then see: sudo du -xh / | sort -h | tail"),
    )


def _read_only(evidence: str) -> Finding:
    return failed(
        "storage-read-only",
        _("Nothing can be written"),
        evidence,
        _("The memory card is worn out, or it was mounted read-only on purpose"),
        _("Restart the box; if it stays so, replace the memory card"),
    )
