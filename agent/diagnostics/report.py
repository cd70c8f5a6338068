"""What the doctor found: findings, a section for each subject, and the report of them all.

Plain data without I/O; `agent.cli.doctor` shows it, and a report's `exit_code` is the tool's.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct, structs

from agent.core.model.documents import SessionFigures
from agent.locale import gettext as _


class Outcome(StrEnum):
    """How one check ended. `skipped` says in its title what was left out and why."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One result, in the reader's language but for `code`, which is a stable kebab-case word.

    `title` names the thing, `evidence` what was seen or measured, `cause` what is likely behind it,
    `advice` what to do with one's hands.
    """

    code: str
    outcome: Outcome
    title: str
    evidence: str = ""
    cause: str = ""
    advice: str = ""
    rights: bool = True
    """False: it was left out because this user may not look."""

    timed: bool = False
    """It says that something did not come in time, or too slowly: a busy machine makes that too."""

    busy: bool = False
    """It could not be judged, since the machine was."""

    session: SessionFigures | None = None
    """Of a session with the media server."""


class Section(Struct, frozen=True):
    """The findings about one subject, such as `camera`."""

    group: str
    findings: list[Finding]
    seconds: float


class Report(Struct, frozen=True):
    """All sections, in the order in which they were looked at."""

    sections: list[Section]

    def findings(self, outcome: Outcome | None = None) -> Iterator[Finding]:
        """Every finding, or those that ended so."""
        for section in self.sections:
            for finding in section.findings:
                if outcome is None or finding.outcome is outcome:
                    yield finding

    @property
    def exit_code(self) -> int:
        """1 if anything failed, 2 if this user may not look everywhere, else 0; a warning is no failure."""
        if any(self.findings(Outcome.FAILED)):
            return 1
        return 0 if self.whole else 2

    @property
    def whole(self) -> bool:
        """Whether nothing was left out for want of rights."""
        return all(finding.rights for finding in self.findings())


def ok(code: str, title: str, evidence: str = "") -> Finding:
    """The thing does what it should."""
    return Finding(code=code, outcome=Outcome.OK, title=title, evidence=evidence)


def warning(
    code: str, title: str, evidence: str = "", cause: str = "", advice: str = ""
) -> Finding:
    """It works, but somebody should look at it."""
    return Finding(
        code=code,
        outcome=Outcome.WARNING,
        title=title,
        evidence=evidence,
        cause=cause,
        advice=advice,
    )


def failed(code: str, title: str, evidence: str = "", cause: str = "", advice: str = "") -> Finding:
    """It does not work."""
    return Finding(
        code=code,
        outcome=Outcome.FAILED,
        title=title,
        evidence=evidence,
        cause=cause,
        advice=advice,
    )


def timed(finding: Finding) -> Finding:
    """The same, as a verdict of a deadline."""
    return structs.replace(finding, timed=True)


def skipped(code: str, title: str, advice: str = "") -> Finding:
    """It was not looked at; the title says why."""
    return Finding(code=code, outcome=Outcome.SKIPPED, title=title, advice=advice)


def unchecked(code: str, title: str) -> Finding:
    """It could not be looked at, because this user may not."""
    advice = _("Run it with sudo: sudo diemcau doctor")
    return Finding(code=code, outcome=Outcome.SKIPPED, title=title, advice=advice, rights=False)
