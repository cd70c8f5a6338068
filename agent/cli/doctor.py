"""`diemcau doctor`: every check, with progress while it runs and a summary at the end.

What is wrong comes last, so that it stands on the screen when the tool ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.findings import WORD_WIDTH, outcome_word, show_finding
from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.cli.words import group_name
from agent.locale import gettext as _
from agent.locale import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from agent.diagnostics.report import Finding, Outcome, Report, Section

NAME_WIDTH = 13


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help=_("Check everything: what is wrong, and what to do about it"),
        epilog=examples(
            "diemcau doctor",
            "diemcau doctor camera microphone",
            "diemcau doctor --quiet --json > result.json",
        ),
    )(doctor)


def doctor(
    context: typer.Context,
    subjects: Annotated[
        list[str] | None, typer.Argument(help=_("only these, such as: camera hub"))
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=_("for programs"))] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help=_("make no sound"))] = False,
    all_: Annotated[bool, typer.Option("--all", help=_("show what is well in full, too"))] = False,
    root: Annotated[Path, typer.Option(hidden=True)] = Path("/"),
) -> None:
    """Exit code 0: nothing failed; 1: something did; 2: the doctor could not run."""
    from agent.diagnostics import runner
    from agent.diagnostics.site import inspect
    from agent.diagnostics.subjects import select

    session = session_of(context)
    chosen = select(subjects or [])
    site = inspect(session.config_path, session.client_if_any, root, quiet=quiet)
    with progress(session, len(chosen), json) as on_start:
        report = runner.run(site, chosen, on_start)
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(report).decode())
    else:
        show(session, report, all_)
    raise typer.Exit(report.exit_code)


@contextmanager
def progress(session: Session, count: int, silent: bool) -> Iterator[Callable[[str], None]]:
    """One line that says what is looked at: the context gives what to call with each subject. Only on a terminal, where it can be taken away."""
    if silent or not session.console.is_terminal:
        yield lambda group: None
        return
    done = 0
    with session.console.status("") as line:

        def on_start(group: str) -> None:
            nonlocal done
            done += 1
            line.update(f"{done}/{count}  {group_name(group)} ...")

        yield on_start


def show(session: Session, report: Report, in_full: bool) -> None:
    """The subjects, then all that needs hands, then the summary.

    Where something is wrong, what is well takes two lines, so that one screen holds the rest.
    """
    from agent.diagnostics.report import Outcome

    troubles = [*report.findings(Outcome.WARNING), *report.findings(Outcome.FAILED)]
    rest = report.sections
    if troubles and not in_full:
        rest = [s for s in report.sections if _worst(s.findings) is Outcome.SKIPPED]
        well = [s.group for s in report.sections if _worst(s.findings) is Outcome.OK]
        names = ", ".join(group_name(group) for group in well)
        if well:
            session.console.print(hanging(session.console.width, _word(Outcome.OK), names))
    for section in rest:
        _show_section(session, section, in_full)
    session.console.print()
    for finding in troubles:
        show_finding(session, finding)
    session.console.print(_summary(report))


def _show_section(session: Session, section: Section, in_full: bool) -> None:
    from agent.diagnostics.report import Outcome

    worst = _worst(section.findings)
    told = (worst, Outcome.SKIPPED)  # what was left out is always said
    titles = "; ".join(dict.fromkeys(_told(f) for f in section.findings if f.outcome in told))
    head = (*_word(worst), (f"{group_name(section.group):<{NAME_WIDTH}} ", ""))
    session.console.print(hanging(session.console.width, head, titles))
    if in_full:
        _show_evidence(session, section.findings)


def _told(finding: Finding) -> str:
    """The title, and for what was left out how to get it after all."""
    return f"{finding.title}. {finding.advice}" if finding.advice else finding.title


def _word(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    return ((f"{outcome_word(outcome):<{WORD_WIDTH}} ", outcome.value),)


def _show_evidence(session: Session, findings: list[Finding]) -> None:
    indent = ((" " * (WORD_WIDTH + NAME_WIDTH + 2), ""),)
    for finding in findings:
        text = ": ".join(part for part in (finding.title, translate(finding.evidence)) if part)
        session.console.print(hanging(session.console.width, indent, text, "quiet"))


def _worst(findings: list[Finding]) -> Outcome:
    from agent.diagnostics.report import Outcome

    order = [Outcome.FAILED, Outcome.WARNING, Outcome.OK, Outcome.SKIPPED]
    return min((f.outcome for f in findings), key=order.index, default=Outcome.SKIPPED)


def _summary(report: Report) -> Text:
    from rich.text import Text

    from agent.diagnostics.report import Outcome
    from agent.locale import ngettext

    seconds = sum(section.seconds for section in report.sections)
    worst = [_worst(section.findings) for section in report.sections]
    failures, warnings = (
        len(list(report.findings(outcome))) for outcome in (Outcome.FAILED, Outcome.WARNING)
    )
    if failures:
        style = "failed"
        text = ngettext("{n} thing has failed", "{n} things have failed", failures)
    elif warnings:
        style = "warning"
        text = ngettext("Works, with {n} warning", "Works, with {n} warnings", warnings)
    elif not report.whole:
        style, text = "warning", _("Not everything could be checked: run it with sudo")
    else:
        style, text = "ok", _("Everything is in order")
    line = Text(text.format(n=failures or warnings), style=style)
    line.append(
        "  "
        + _(
            "(ok: {ok}, warnings: {warnings}, failed: {failed}, left out: {skipped}; {seconds:.0f} s)"
        ).format(
            ok=worst.count(Outcome.OK),
            warnings=warnings,
            failed=failures,
            skipped=worst.count(Outcome.SKIPPED),
            seconds=seconds,
        ),
        style="default not bold",
    )
    return line
