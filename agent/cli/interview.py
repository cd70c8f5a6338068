"""The questions of `diemcau setup` at a terminal: few, with proposals, and asked again with what was typed.

An answer that can't be used is refused at its question; devices are tried when they are chosen.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import typer

from agent.cli.asking import ask, confirm
from agent.cli.device_choice import DeviceChoice
from agent.cli.output import hanging
from agent.cli.session import Session
from agent.config.first_run import FirstRun, Secret, check_file, typed
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
        """Ask until the settings are written.

        Raises AgentError if this user can't write them, typer.Exit if they shall not be written.
        """
        self._first_run.check_rights()
        while True:
            self._ask()
            try:
                self._show(self._first_run.preview(self._answers, self._files))
                if not confirm(_("Write it?"), default=True):
                    self._session.console.print(_("Nothing was written."))
                    raise typer.Exit(1)
                self._first_run.apply(self._answers, self._files)
                return
            except AgentError as error:
                self._complain(error)
                self._session.console.print(_("Once more; what you typed is kept."))

    def _show(self, preview: list[str]) -> None:
        console = self._session.console
        console.print(_("This will be written:"))
        for line in preview:
            console.print(f"  {line}", style="ok" if line.startswith("+") else "quiet")

    def _complain(self, error: AgentError) -> None:
        console = self._session.console
        for line in translate(error.text).splitlines():
            console.print(hanging(console.width, (("- ", "failed"),), line))

    def _ask(self) -> None:
        name = self._prompt("room.name", _("The room's name"))
        self._prompt("room.id", _("The room's id (a-z, 0-9 and -)"), room_id(name))
        self._groups()
        self._prompt("hub.host", _("The hub: name or address of its MQTT broker"))
        self._prompt("hub.port", _("The broker's port"))
        self._ca()
        self._room_certificate()
        devices = DeviceChoice(self._session, self._first_run, self._answers)
        devices.choose("camera", _("Camera"))
        devices.choose("microphone", _("Microphone"))
        devices.choose("speaker", _("Loudspeaker"))
        self._media_server()

    def _ca(self) -> None:
        """A hub on another machine needs one, be it given now or there already."""
        questions = {Secret.CA: _("PEM file of the hub's CA (empty: as it is)")}
        self._files_that_fit(questions, "hub.tls")

    def _room_certificate(self) -> None:
        """The two belong together: where they don't, either may be the wrong one, so both are asked again."""
        questions = {
            Secret.CERTIFICATE: _("PEM file of the room's certificate (empty: as it is)"),
            Secret.KEY: _("PEM file of its private key (empty: as it is)"),
        }
        self._files_that_fit(questions)

    def _files_that_fit(self, questions: dict[Secret, str], *keys: str) -> None:
        """Ask for them all until nothing is wrong with their settings, and these other ones."""
        while True:
            for secret, question in questions.items():
                self._file(secret, question)
            try:
                self._refuse({}, *(secret.key for secret in questions), *keys)
                return
            except AgentError as error:
                self._complain(error)

    def _media_server(self) -> None:
        for path, question in (
            ("media.publish_url", _("The media server's WHIP address (empty: as it is)")),
            ("media.play_urls", _("The media server's WHEP address (empty: as it is)")),
        ):
            self._url(path, question)
        if any(self._known(path) for path in ("media.publish_url", "media.play_urls")):
            question = _("File with the media server's token (empty: as it is)")
            self._file(Secret.TOKEN, question)

    def _known(self, path: str) -> Any:
        """What was answered, or else what the settings have."""
        return self._answers.get(path) or self._first_run.suggestion(path)

    def _prompt(self, path: str, question: str, proposal: str = "") -> str:
        def read(answer: str) -> Any:
            if not answer:
                raise AgentError("bad-answer", _("this can't stay empty"))
            value = typed(path, answer)
            self._refuse({path: value}, path)
            return value

        self._answers[path] = ask(question, read, str(self._known(path) or proposal))
        return str(self._answers[path])

    def _groups(self) -> None:
        known = self._answers.get("room.groups", self._first_run.suggestion("room.groups") or [])
        question = _("Its groups, with spaces between (empty: none)")
        self._answers["room.groups"] = ask(question, _groups_typed, " ".join(known))

    def _url(self, path: str, question: str) -> None:
        def read(answer: str) -> Any:
            if answer:
                value = [answer] if path.endswith("urls") else answer
                self._refuse({path: value}, path)
                self._answers[path] = value

        known = self._known(path) or ""
        ask(question, read, known[0] if isinstance(known, list) else known)

    def _file(self, secret: Secret, question: str) -> None:
        """Ask for a file; one that is not what it should be is refused."""

        def read(answer: str) -> None:
            if answer:
                path = Path(answer).expanduser()
                check_file(secret, path)
                self._files[secret] = path

        ask(question, read, str(self._files.get(secret, "")))

    def _refuse(self, values: dict[str, Any], *keys: str) -> None:
        """Raises ConfigError with what would be wrong with these keys, if these answers came to the others."""
        complaints = self._first_run.complaints(self._answers | values, self._files, *keys)
        if complaints:
            raise ConfigError(complaints)


def room_id(name: str) -> str:
    """An id made of the name: `Xã Lũng Cú` is xa-lung-cu."""
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:63]


def _groups_typed(answer: str) -> Any:
    return typed("room.groups", re.findall(r"[^\s,;]+", answer))
