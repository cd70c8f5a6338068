"""Runs the checks one after the other, those that only wait beside them, each within its time, and tells how far it is.

A check that hangs (a dead mount, a driver stuck in the kernel) becomes a finding of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from agent.diagnostics.haste import fair
from agent.diagnostics.report import Finding, Report, Section, failed, timed
from agent.diagnostics.site import Site
from agent.ipc.patience import patience
from agent.locale import gettext as _

Check = Callable[[Site], list[Finding]]


class Subject(Struct, frozen=True):
    """One group of findings, and how long looking may take on a Pi 4.

    `beside`: it waits for others most of the time, so it begins with the first, and is waited for at the end.
    """

    group: str
    check: Check
    limit_seconds: float = 10.0
    beside: bool = False


def run(
    site: Site, subjects: Iterable[Subject], on_start: Callable[[str], None] = lambda group: None
) -> Report:
    """Look at every subject; the sections come in their order. `on_start` is told the group that is waited for from now on."""
    looks = [_Look(site, subject) for subject in subjects]
    waits = [look for look in looks if look.subject.beside]
    for look in waits:
        look.start()
    for look in looks:
        if not look.subject.beside:
            on_start(look.subject.group)
            look.start()
            look.end()
    for look in waits:
        on_start(look.subject.group)
        look.end()
    return Report([look.section() for look in looks])


class _Look:
    """One subject being looked at, in a thread that may hang."""

    def __init__(self, site: Site, subject: Subject) -> None:
        self.subject = subject
        self._site = site
        self._findings: list[Finding] = []
        self._section = Section(subject.group, [], 0.0)
        self._began = self._ended = 0.0
        self._thread = threading.Thread(
            target=self._check, name=f"check-{subject.group}", daemon=True
        )

    def start(self) -> None:
        """Begin, and let time run."""
        self._began = time.monotonic()
        self._thread.start()

    def section(self) -> Section:
        """What was found by its end."""
        return self._section

    def end(self) -> None:
        """Wait until all is found, or its time is over."""
        limit = self.subject.limit_seconds
        self._wait(limit)
        if self._thread.is_alive():  # only now: to measure this machine costs time too
            limit = round(patience(limit), 1)
            self._wait(limit)
        hangs = self._thread.is_alive()
        findings = fair([_hanging(limit)] if hangs else self._findings)
        seconds = (time.monotonic() if hangs else self._ended) - self._began
        self._section = Section(self.subject.group, findings, round(seconds, 2))

    def _wait(self, limit_seconds: float) -> None:
        self._thread.join(max(0.0, self._began + limit_seconds - time.monotonic()))

    def _check(self) -> None:
        try:
            self._findings.extend(self.subject.check(self._site))
        except Exception as error:  # a mistake in one check must not hide the others' findings
            self._findings.append(_broken(error))
        self._ended = time.monotonic()


def _broken(error: Exception) -> Finding:
    return failed(
        "check-broken",
        _("This check itself broke down"),
        evidence=repr(error),
        advice=_("Send the output of: diemcau report"),
    )


def _hanging(seconds: float) -> Finding:
    found = failed(
        "check-hangs",
        _("This check did not end within {seconds:g} s").format(seconds=seconds),
        cause=_("A device or a disk does not answer at all"),
        advice=_("Unplug the device and plug it in again, or restart the box"),
    )
    return timed(found)
