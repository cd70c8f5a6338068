"""No verdict of a deadline alone while the machine starves: what did not come in time may be as it should be."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from agent.diagnostics.report import Finding, Outcome
from agent.host import load
from agent.locale import gettext as _


def fair(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, those that only say that something took too long as warnings if this machine is too busy to know."""
    doubtful = [one for one in findings if one.timed and one.outcome in _BAD]
    if not doubtful or (programs := load.starved()) is None:
        return list(findings)
    return [_unsure(one, programs) if one in doubtful else one for one in findings]


_BAD = (Outcome.WARNING, Outcome.FAILED)


def _unsure(finding: Finding, programs: float) -> Finding:
    title = _("Could not be judged, since this machine is too busy: {title}")
    cause = _("Too many programs run: {programs:.0f} want each of its processors")
    return structs.replace(
        finding,
        outcome=Outcome.WARNING,
        title=title.format(title=finding.title[:1].lower() + finding.title[1:]),
        cause=cause.format(programs=programs),
        advice=_("See which with: top; end them or wait, then try again"),
        busy=True,
    )
