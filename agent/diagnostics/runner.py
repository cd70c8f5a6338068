"""Runs the checks one after the other, each within its time, and tells how far it is.

A check that hangs (a dead mount, a driver stuck in the kernel) becomes a finding of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from agent.diagnostics.report import Finding, Report, Section, failed
from agent.diagnostics.site import Site
from agent.locale import gettext as _

Check = Callable[[Site], list[Finding]]


class Subject(Struct, frozen=True):
    """One group of findings, and how long looking may take."""

    group: str
    check: Check
    limit_seconds: float = 10.0


def run(
    site: Site, subjects: Iterable[Subject], on_start: Callable[[str], None] = lambda group: None
) -> Report:
    """Look at every subject. `on_start` is told the group before each."""
    sections: list[Section] = []
    for subject in subjects:
        on_start(subject.group)
        sections.append(_run_one(site, subject))
    return Report(sections)


def _run_one(site: Site, subject: Subject) -> Section:
    began = time.monotonic()
    findings: list[Finding] = []

    def look() -> None:
        try:
            findings.extend(subject.check(site))
        except Exception as error:  # a mistake in one check must not hide the others' findings
            findings.append(_broken(error))

    thread = threading.Thread(target=look, name=f"check-{subject.group}", daemon=True)
    thread.start()
    thread.join(subject.limit_seconds)
    if thread.is_alive():
        findings = [_hanging(subject.limit_seconds)]
    return Section(subject.group, findings, round(time.monotonic() - began, 2))


def _broken(error: Exception) -> Finding:
    return failed(
        "check-broken",
        _("This check itself broke down"),
        evidence=repr(error),
        advice=_("Send the output of: diemcau report"),
    )


def _hanging(seconds: float) -> Finding:
    return failed(
        "check-hangs",
        _("This check did not end within {seconds:g} s").format(seconds=seconds),
        cause=_("A device or a disk does not answer at all"),
        advice=_("Unplug the device and plug it in again, or restart the box"),
    )
