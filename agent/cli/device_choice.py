"""A device chosen by number and tried at once, until somebody keeps one: for `diemcau setup`.

The try is the doctor's own: the lamp is lit and the audit written, a meeting has the first claim.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from agent.cli.asking import ask, confirm
from agent.cli.findings import show_finding
from agent.cli.session import Session
from agent.cli.still import draw_still
from agent.config.first_run import FirstRun
from agent.diagnostics.checks import camera, microphone, speaker
from agent.diagnostics.findable import Findable, cameras, sound_cards
from agent.diagnostics.haste import fair
from agent.diagnostics.report import Finding, Outcome
from agent.diagnostics.site import Site, inspect
from agent.errors import AgentError
from agent.locale import gettext as _

FIND: dict[str, Callable[[], list[Findable]]] = {
    "camera": cameras,
    "microphone": partial(sound_cards, "c"),
    "speaker": partial(sound_cards, "p"),
}
DRAWN_COLUMNS, DRAWN_ROWS = 40, 11
"""Of a camera's picture: the finding and the question fit below it, in 24 lines."""

AGAIN = "r"


class DeviceChoice:
    """Of one interview; what is chosen goes to its `answers`."""

    def __init__(self, session: Session, first_run: FirstRun, answers: dict[str, Any]) -> None:
        self._session = session
        self._first_run = first_run
        self._answers = answers

    def choose(self, kind: str, title: str) -> None:
        """Have one kept: one that is plugged in, the one of the settings, or none."""
        before = dict(self._answers)
        while True:
            self._ask(f"devices.{kind}", title, FIND[kind])
            if getattr(self._first_run.devices(self._answers), kind, None) is None:
                return
            well = self._try(kind)
            question = _("Keep it?") if well else _("Keep it all the same?")
            if confirm(question, default=well):
                return
            self._answers.clear()
            self._answers.update(before)

    def _ask(self, path: str, title: str, find: Callable[[], list[Findable]]) -> None:
        answer: int | str | None = AGAIN
        while answer == AGAIN:
            found = find()
            self._show(title, found)
            question = _("Which one? (empty: {present}; r: look again)").format(
                present=self._present(path)
            )
            answer = ask(question, partial(_number, most=len(found)))
        if answer == 0:
            self._answers[path] = None
        elif isinstance(answer, int):
            chosen = found[answer - 1]
            self._answers[f"{path}.driver"] = chosen.driver
            self._answers[f"{path}.device"] = chosen.device

    def _show(self, title: str, found: list[Findable]) -> None:
        say = self._session.console.print
        say(f"{title}:", style="heading")
        for number, one in enumerate(found, start=1):
            say(f"  {number}  {one.title}", soft_wrap=True)
        if not found:
            say(f"     {_('nothing is plugged in')}", style="quiet")
        say(f"  0  {_('none')}")

    def _present(self, path: str) -> str:
        """What stays if nothing is chosen."""
        device = getattr(self._first_run.devices(self._answers), path.rpartition(".")[2], None)
        if device is None:
            return _("none")
        return " ".join(filter(None, (device.driver, device.device)))

    def _try(self, kind: str) -> bool:
        """Say what is seen of it; whether that is good, or as much as can be known now."""
        site = self._site()
        if kind == "camera":
            self._say(_("Looking through it: the lamp is on meanwhile ..."))
            findings = self._check_camera(site)
        elif kind == "microphone":
            self._say(_("Listening for a second: the lamp is on meanwhile ..."))
            findings = microphone.check(site)
        else:
            self._say(_("A tone and a chirp: do you hear them?"))
            findings = speaker.check(site)
        findings = fair(findings)
        for finding in findings:
            show_finding(self._session, finding)
        return all(finding.outcome is not Outcome.FAILED for finding in findings)

    def _check_camera(self, site: Site) -> list[Finding]:
        with tempfile.TemporaryDirectory(prefix="diemcau-") as folder:
            still = Path(folder) / "still.png"
            findings = camera.check(site, still)
            if still.exists() and self._session.console.is_terminal:
                draw_still(self._session, still, DRAWN_COLUMNS, DRAWN_ROWS)
        return findings

    def _site(self) -> Site:
        """The room as it would be with what was chosen so far."""
        site = inspect(self._session.config_path, self._session.client_if_any)
        devices = self._first_run.devices(self._answers)
        return structs.replace(
            site, problems=[], sections=structs.replace(site.sections, devices=devices)
        )

    def _say(self, text: str) -> None:
        self._session.console.print(text)


def _number(answer: str, most: int) -> int | str | None:
    typed = answer.strip().lower()
    if not typed or typed == AGAIN:
        return typed or None
    if typed.isdigit() and int(typed) <= most:
        return int(typed)
    raise AgentError("bad-answer", _("a number from 0 to {most}").format(most=most))
