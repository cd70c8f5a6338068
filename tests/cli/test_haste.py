"""The doctor beside programs that take the processor: what came too late may be as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.diagnostics import runner
from agent.diagnostics.advice import advice_code
from agent.diagnostics.checks import hub_words, media_session, service, trouble
from agent.diagnostics.client import DaemonClient
from agent.diagnostics.haste import fair
from agent.diagnostics.report import Finding, Outcome
from agent.diagnostics.session_trial import SessionFailed
from agent.diagnostics.site import Daemon, Presence, inspect
from agent.host import load
from agent.host.system import System

LATE = (
    *(hub_words.describe(code, "") for code in ("hub-timeout", "no-echo", "link-lost")),
    *(trouble.describe("camera", code, "") for code in ("stalled", "slow", "hung")),
    trouble.describe("microphone", "stalled", ""),
    media_session.not_up(SessionFailed("unreachable", "nothing was taken within 20 s")),
)
SURE = (
    hub_words.describe("hub-refused", ""),
    hub_words.describe("tls-unknown-ca", ""),
    trouble.describe("camera", "absent", ""),
    trouble.describe("camera", "black", ""),
    trouble.describe("microphone", "dead", ""),
    media_session.not_up(SessionFailed("refused", "401")),
)


@pytest.fixture
def _starving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "starved", lambda: 7.5)


@pytest.mark.usefixtures("_starving")
@pytest.mark.parametrize("finding", LATE, ids=lambda finding: finding.code)
def test_what_came_too_late_on_a_starving_machine_accuses_nobody(finding: Finding) -> None:
    """It accused a firewall between two programs of one machine."""
    (judged,) = fair([finding])
    assert (judged.code, judged.outcome) == (finding.code, Outcome.WARNING)
    assert "this machine is too busy" in judged.title
    assert "8 want each of its processors" in judged.cause
    assert judged.evidence == finding.evidence
    assert advice_code(judged) == "free-the-processor"


@pytest.mark.usefixtures("_starving")
def test_what_is_seen_without_a_clock_is_so_on_any_machine() -> None:
    assert fair(SURE) == list(SURE)


def test_on_a_machine_with_time_what_is_late_has_failed() -> None:
    assert fair(LATE) == list(LATE)


@pytest.mark.usefixtures("_starving")
def test_an_agent_and_a_check_that_do_not_answer_in_time(tmp_path: Path) -> None:
    site = inspect(tmp_path / "none.yaml", DaemonClient(tmp_path / "none.sock"), tmp_path)
    silent = Daemon(Presence.HUNG, "did not answer within 1.5 s")
    hung = type(site)(
        **{name: getattr(site, name) for name in site.__struct_fields__} | {"daemon": silent}
    )
    report = runner.run(hung, [runner.Subject("service", service.check)])
    assert [(one.code, one.outcome) for one in report.findings()] == [
        ("service-hung", Outcome.WARNING)
    ]


@pytest.mark.parametrize(
    ("pressed", "running", "starved"),
    [
        (97.1, 15, 7.5),
        (97.1, 3, None),
        (3.0, 15, None),  # a moment's
        (None, 15, 7.5),  # Raspberry Pi OS without psi=1
        (None, 1, None),
    ],
)
def test_starving_is_many_programs_for_each_processor_for_seconds(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    pressed: float | None,
    running: int,
    starved: float | None,
) -> None:
    monkeypatch.undo()  # the real one
    monkeypatch.setattr(load, "LOOK_SECONDS", 0)
    (tmp_path / "proc/pressure").mkdir(parents=True)
    (tmp_path / "proc/stat").write_text(f"cpu 1 2 3\nprocs_running {running}\nprocs_blocked 0\n")
    if pressed is not None:
        line = f"some avg10={pressed:.2f} avg60=1.00 avg300=1.00 total=5\nfull avg10=0.00\n"
        (tmp_path / "proc/pressure/cpu").write_text(line)
    assert load.starved(System(tmp_path), processors=2) == starved
