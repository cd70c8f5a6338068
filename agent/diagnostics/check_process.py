"""The doctor by command: `python -m agent.diagnostics.check_process`, started by the daemon.

Looks at the subjects that a meeting needs and writes what it found as one line of JSON; what it opens the
daemon lends to it, as to the technician's tool. It dies with the daemon, and what it
has borrowed is closed with its process group.
"""

from __future__ import annotations

import argparse
import ctypes
import signal
import sys
from pathlib import Path
from typing import get_args

import msgspec

from agent.core.model.checking import Checked
from agent.core.model.commands import Part
from agent.core.model.documents import CheckFinding
from agent.diagnostics import runner
from agent.diagnostics.advice import advice_code
from agent.diagnostics.client import DaemonClient
from agent.diagnostics.report import Report
from agent.diagnostics.site import inspect
from agent.diagnostics.subjects import select

PR_SET_PDEATHSIG = 1


def findings(report: Report) -> list[CheckFinding]:
    """The doctor's findings as the contract has them: codes, and what was seen."""
    return [
        CheckFinding(
            part=section.group,
            code=finding.code,
            severity=finding.outcome.value,
            seen=finding.evidence,
            advice=advice_code(finding),
            session=finding.session or msgspec.UNSET,
        )
        for section in report.sections
        for finding in section.findings
    ]


def main() -> None:
    """Serve one check."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parser = argparse.ArgumentParser(description="The daemon's check; not for use by hand.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("parts", nargs="*")
    given = parser.parse_args()
    site = inspect(given.config, DaemonClient(given.socket), quiet=given.quiet)
    report = runner.run(site, select(given.parts or list(get_args(Part))))
    checked = Checked(findings(report), complete=not given.parts)
    sys.stdout.buffer.write(msgspec.json.encode(checked) + b"\n")


if __name__ == "__main__":
    main()
