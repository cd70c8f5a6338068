"""One finding of the diagnostics as a technician reads it: what, seen, cause, do."""

from __future__ import annotations

from agent.cli.output import hanging
from agent.cli.session import Session
from agent.diagnostics.report import Finding, Outcome
from agent.locale import gettext as _
from agent.locale import translate

WORD_WIDTH = 9


def show_finding(session: Session, finding: Finding) -> None:
    """The title, and under it whatever there is to say, with an empty line after it."""
    out = session.console
    word = (f"{outcome_word(finding.outcome):<{WORD_WIDTH}} ", finding.outcome.value)
    out.print(hanging(out.width, (word,), finding.title, "heading"))
    for label, text in (
        (_("seen"), finding.evidence),
        (_("cause"), finding.cause),
        (_("do"), finding.advice),
    ):
        for place, line in enumerate(translate(text).splitlines()):
            shown = f"{label}: " if place == 0 else " " * (len(label) + 2)
            head = ((" " * (WORD_WIDTH + 1), ""), (shown, "quiet"))
            out.print(hanging(out.width, head, line))
    out.print()


def outcome_word(outcome: Outcome) -> str:
    """An outcome in the reader's language."""
    return {
        "ok": _("ok"),
        "warning": _("warning"),
        "failed": _("failed"),
        "skipped": _("left out"),
    }[outcome.value]
