"""The questions of `diemcau setup` at a terminal: few, with proposals, and asked again with what was typed."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any

import typer

from agent.cli.asking import ask, confirm
from agent.cli.output import hanging
from agent.cli.session import Session
from agent.config.first_run import FirstRun, Secret, typed
from agent.diagnostics.findable import Findable, cameras, sound_cards
from agent.errors import AgentError, ConfigError
from agent.locale import gettext as _
from agent.locale import translate


class Interview:
    """Somebody at the terminal; what was answered is the proposal when it is asked again."""

    def __init__(self, session: Session, first_run: FirstRun) -> None:
        self._session = session
        self._first_run = first_run
        self._answers: dict[str, Any] = {}
        self._files: dict[Secret, Path] = {}

    def hold(self) -> None:
        """Ask until the settings are written. Raises typer.Exit if they shall not be."""
        while True:
            self._ask()
            try:
                preview = self._first_run.preview(self._answers, self._files)
                self._show(preview)
                if not confirm(_("Write it?"), default=True):
                    raise typer.Exit(1)
                self._first_run.apply(self._answers, self._files)
                return
            except (ConfigError, AgentError) as error:
                for line in translate(error.text).splitlines():
                    width = self._session.console.width
                    self._session.console.print(hanging(width, (("- ", "failed"),), line))
                self._session.console.print(_("Once more; what you typed is kept."))

    def _show(self, preview: list[str]) -> None:
        console = self._session.console
        console.print(_("This will be written:"))
        for line in preview:
            console.print(f"  {line}", style="ok" if line.startswith("+") else "quiet")

    def _ask(self) -> None:
        name = self._prompt("room.name", _("The room's name"))
        self._prompt("room.id", _("The room's id (a-z, 0-9 and -)"), room_id(name))
        self._groups()
        self._prompt("hub.host", _("The hub: name or address of its MQTT broker"))
        self._prompt("hub.port", _("The broker's port"))
        self._device("devices.camera", _("Camera"), cameras())
        self._device("devices.microphone", _("Microphone"), sound_cards("c"))
        self._device("devices.speaker", _("Loudspeaker"), sound_cards("p"))
        for path, question in (
            ("media.publish_url", _("The media server's WHIP address (empty: as it is)")),
            ("media.play_urls", _("The media server's WHEP address (empty: as it is)")),
        ):
            self._optional(path, question)
        for secret, question in (
            (Secret.CA, _("PEM file of the hub's CA (empty: as it is)")),
            (Secret.CERTIFICATE, _("PEM file of the room's certificate (empty: as it is)")),
            (Secret.KEY, _("PEM file of its private key (empty: as it is)")),
        ):
            known = str(self._files.get(secret, ""))
            if (file := ask(question, _file, known)) is not None:
                self._files[secret] = file

    def _prompt(self, path: str, question: str, proposal: str = "") -> str:
        known = self._answers.get(path) or self._first_run.suggestion(path) or proposal
        answer = ask(question, partial(_given, path), str(known))
        self._answers[path] = answer
        return str(answer)

    def _groups(self) -> None:
        known = self._answers.get("room.groups", self._first_run.suggestion("room.groups") or [])
        question = _("Its groups, with spaces between (empty: none)")
        self._answers["room.groups"] = ask(question, _groups_typed, " ".join(known))

    def _optional(self, path: str, question: str) -> None:
        known = self._answers.get(path, "")
        shown = known[0] if isinstance(known, list) else known
        if answer := ask(question, str, shown):
            self._answers[path] = [answer] if path.endswith("urls") else answer

    def _device(self, path: str, title: str, found: list[Findable]) -> None:
        """Choose by number what is plugged in; nothing is asked where nothing is."""
        if not found:
            return
        say = self._session.console.print
        say(f"{title}:", style="heading")
        for number, one in enumerate(found, start=1):
            say(f"  {number}  {one.title}", soft_wrap=True)
        say(f"  0  {_('none')}")
        answer = ask(_("Which one? (empty: as it is)"), partial(_number, most=len(found)))
        if answer == 0:
            self._answers[path] = None
        elif answer:
            chosen = found[answer - 1]
            self._answers[f"{path}.driver"] = chosen.driver
            self._answers[f"{path}.device"] = chosen.device


def room_id(name: str) -> str:
    """An id made of the name: `Xã Lũng Cú` is xa-lung-cu."""
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:63]


def _given(path: str, answer: str) -> Any:
    if not answer:
        raise AgentError("bad-answer", _("this can't stay empty"))
    return typed(path, answer)


def _file(answer: str) -> Path | None:
    path = Path(answer).expanduser()
    if not answer:
        return None
    if not path.is_file():
        raise AgentError("no-file", _("{path}: there is no such file").format(path=path))
    return path


def _groups_typed(answer: str) -> Any:
    return typed("room.groups", re.findall(r"[^\s,;]+", answer))


def _number(answer: str, most: int) -> int | None:
    if not answer.strip():
        return None
    if answer.strip().isdigit() and int(answer) <= most:
        return int(answer)
    raise AgentError("bad-answer", _("a number from 0 to {most}").format(most=most))
