"""The first settings of a room: values and certificates put into place, or nothing changed.

For `diemcau setup`. Certificates, keys and passwords go together where only root reads them; systemd
hands them to the service as credentials, all at once when it starts.
"""

from __future__ import annotations

import difflib
import errno
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from agent.config.credentials import SECRETS, Credentials, credential_name
from agent.config.editing import with_value
from agent.config.loading import read_file
from agent.config.reading import Reading, parse_value, read
from agent.config.rules import is_loopback
from agent.config.schema import all_keys
from agent.config.words import bad_values
from agent.errors import AgentError, ConfigError
from agent.files import replace_file
from agent.settings import Devices, Settings, Tls


class Secret(Enum):
    """A file that the settings name: its key there, and its name in the folder `secrets`."""

    CA = ("hub.tls.ca", "tls-ca")
    CERTIFICATE = ("hub.tls.certificate", "tls-certificate")
    KEY = ("hub.tls.key", "tls-key")
    PASSWORD = ("hub.password_file", "hub-password")
    TOKEN = ("media.token_file", "media-token")

    def __init__(self, key: str, file: str) -> None:
        self.key = key
        self.file = file


SAMPLES = {"room.id": "r-101", "hub.host": "hub.example.org"}
"""What config/agent.yaml has where there is no default."""


def typed(path: str, answer: object) -> Any:
    """Somebody's answer as the value of this key. Raises ConfigError saying what is expected."""
    field = all_keys(Settings)[path]
    try:
        value = parse_value(answer) if isinstance(answer, str) else answer
        with suppress(msgspec.ValidationError):
            return msgspec.convert(value, field.type)
        return msgspec.convert(answer, field.type, strict=False)
    except ValueError as error:
        if not isinstance(error, msgspec.ValidationError):
            raise ConfigError([f"{path}: not YAML: {error}"]) from error
        raise ConfigError([text for _, text in bad_values(answer, str(answer), field)]) from error


class FirstRun:
    """Works on one settings file; one that is not there is begun from the commented original."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._secrets = path.parent / SECRETS
        try:
            self._text = path.read_text(encoding="utf-8") if path.exists() else _sample()
            self._present = parse_value(self._text)
        except OSError as error:
            raise AgentError("no-settings", f"{path}: {error.strerror}") from error
        except ValueError as error:  # UnicodeDecodeError is one
            raise ConfigError([f"{path}: {error}"]) from error
        if not isinstance(self._present, dict):
            raise ConfigError([f"{path}: has no sections; copy config/agent.yaml there first"])

    def value(self, path: str) -> Any:
        """What the file has at the dotted `path` now, or None."""
        value = self._present
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def suggestion(self, path: str) -> Any:
        """What is there already, unless it is the shipped sample: no room shall be called that."""
        value = self.value(path)
        return None if value == SAMPLES.get(path) else value

    def devices(self, values: Mapping[str, Any]) -> Devices | None:
        """The devices of the settings with these values; None if they can't be read."""
        credentials = Credentials.of(self._path)
        return read(self._changed(values), self._path.name, credentials).sections.of(Devices)

    def complaints(
        self, values: Mapping[str, Any], files: Mapping[Secret, Path], *keys: str
    ) -> list[str]:
        """What would be wrong with these keys or their files if that were written; nothing is.

        Raises AgentError if a file can't be read, or no draft can be made.
        """
        contents = {secret.file: _content(secret, source) for secret, source in files.items()}
        try:
            with self._draft(self._with(values, files), contents) as reading:
                problems = [(problem.path, problem.text) for problem in sorted(reading.problems)]
                tls = reading.sections.of(Tls)
                blamed = {path for path, _ in problems}
                problems += (
                    [one for one in _tls_problems(tls) if one[0] not in blamed] if tls else []
                )
        except OSError as error:
            raise _not_written(error) from error
        found = (f"{path}: {text}" for path, text in problems if path.partition("[")[0] in keys)
        return list(dict.fromkeys(found))

    def check_rights(self) -> None:
        """Raises AgentError if this user can't write the settings: better known before than after the questions."""
        folder = self._path.parent
        while not folder.exists():
            folder = folder.parent
        secrets = self._secrets if self._secrets.exists() else folder
        for place in (folder, secrets):
            if not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
                raise _not_written(PermissionError(errno.EACCES, os.strerror(errno.EACCES), place))

    def apply(self, values: Mapping[str, Any], files: Mapping[Secret, Path]) -> None:
        """Copy the files and write the settings. Raises ConfigError with all that is wrong.

        Nothing is changed then. Raises AgentError if a file can't be read or written.
        """
        contents = {secret.file: _content(secret, source) for secret, source in files.items()}
        text = self._with(values, files)
        try:
            self._check(text, contents)
            self._secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file, content in contents.items():
                replace_file(self._secrets / file, content, 0o600)
            replace_file(self._path, text.encode(), 0o644)
        except OSError as error:
            raise _not_written(error) from error

    def preview(self, values: Mapping[str, Any], files: Mapping[Secret, Path]) -> list[str]:
        """The lines that `apply` would take out (-) and put in (+). Raises as `apply` does."""
        for secret, source in files.items():
            _content(secret, source)
        text = self._with(values, files)
        lines = difflib.unified_diff(self._text.splitlines(), text.splitlines(), n=0, lineterm="")
        return [line for line in list(lines)[2:] if not line.startswith("@@")]

    def _with(self, values: Mapping[str, Any], files: Mapping[Secret, Path]) -> str:
        changes = dict(values) | {secret.key: credential_name(secret.file) for secret in files}
        host = changes.get("hub.host", self.value("hub.host"))
        if Secret.CA not in files and "hub.host" in values and is_loopback(str(host)):
            changes["hub.tls"] = None
        new = {path: value for path, value in changes.items() if value != self.value(path)}
        return self._changed(new)

    def _changed(self, changes: Mapping[str, Any]) -> str:
        text = self._text
        for path, value in changes.items():
            try:
                text = with_value(text, path, value)
            except KeyError as error:
                raise ConfigError([f"{path}: {error.args[0]} is no section"]) from error
        return text

    def _check(self, text: str, contents: Mapping[str, bytes]) -> None:
        """Look at the new settings as the service will see them. Raises ConfigError."""
        with self._draft(text, contents) as reading:
            if reading.problems:
                raise ConfigError([str(problem) for problem in sorted(reading.problems)])
            tls = reading.sections.of(Tls)
            if tls and (problems := _tls_problems(tls)):
                raise ConfigError([f"{key}: {problem}" for key, problem in problems])

    @contextmanager
    def _draft(self, text: str, contents: Mapping[str, bytes]) -> Iterator[Reading]:
        """The new settings read with all files in their places, which are gone afterwards."""
        present = self._secrets.iterdir() if self._secrets.is_dir() else ()
        secrets = {path.name: path.read_bytes() for path in present} | dict(contents)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
            draft = Path(folder)
            for file, content in secrets.items():
                replace_file(draft / credential_name(file), content, 0o600)
            (draft / self._path.name).write_text(text, encoding="utf-8")
            yield read_file(draft / self._path.name, Credentials(draft, draft))


def _sample() -> str:
    """config/agent.yaml in a checkout, else the little that has no default."""
    original = Path(__file__).parents[2] / "config/agent.yaml"
    if original.exists():
        return original.read_text(encoding="utf-8")
    return f"room:\n  id: {SAMPLES['room.id']}\nhub:\n  host: {SAMPLES['hub.host']}\n"


def check_file(secret: Secret, path: Path) -> None:
    """Whether this file can be that secret. Raises AgentError saying why not."""
    _content(secret, path)
    if secret in (Secret.CA, Secret.CERTIFICATE) and (problem := _pem_problem(path)):
        raise ConfigError([f"{secret.key}: {path} {problem}"])


def _pem_problem(path: Path | str) -> str:
    """Why these are no certificates; empty if they are."""
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        return f"is no certificate in PEM ({error})"
    return ""


def _tls_problems(tls: Tls) -> list[tuple[str, str]]:
    """Keys and what is wrong with their files: the hub's link would say the same, but later and to nobody."""
    files = (("hub.tls.ca", tls.ca), ("hub.tls.certificate", tls.certificate))
    problems = [(key, _pem_problem(path)) for key, path in files if path is not None]
    if tls.certificate is not None and tls.key is not None and not problems[-1][1]:
        try:
            ssl.create_default_context().load_cert_chain(tls.certificate, tls.key, password="")
        except OSError as error:
            text = f"hub.tls.key is not its key, or has a password ({error})"
            problems.append(("hub.tls.certificate", text))
    return [(key, problem) for key, problem in problems if problem]


def _not_written(error: OSError) -> AgentError:
    hint = "; use sudo" if isinstance(error, PermissionError) else ""
    text = f"{error.filename} can't be written: {error.strerror}{hint}"
    return AgentError("not-written", text)


def _content(secret: Secret, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AgentError("no-file", f"{secret.key}: {path}: {error.strerror}") from error
