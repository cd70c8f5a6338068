"""The disk: room for the journal, and a card that still takes what is written to it."""

from __future__ import annotations

from pathlib import Path

from agent.diagnostics.checks.figures import host_figures
from agent.diagnostics.report import Finding, failed, ok, skipped, warning
from agent.diagnostics.site import Site
from agent.host.sampling import FULL_DISK_MEGABYTES, LOW_DISK_MEGABYTES
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
    return [ok("storage-ok", _("There is room on the disk"), evidence)]


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
