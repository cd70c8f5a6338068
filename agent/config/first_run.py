"""The first settings of a room: values and certificates put into place, or nothing changed.

For `diemcau setup`. Keys and passwords go where only root reads them; systemd hands them to the
service as credentials (LoadCredential= in systemd/diemcau-agent.service).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from agent.config.editing import with_value
from agent.config.loading import load
from agent.config.rules import is_loopback
from agent.errors import AgentError, ConfigError

SECRETS = "secrets"
"""Folder beside the settings; also the credentials' prefix in the unit."""


class Secret(Enum):
    """A file that the settings name: its key there, and where it is put beside them."""

    CA = ("hub.tls.ca", "tls/ca.pem")
    CERTIFICATE = ("hub.tls.certificate", "tls/room.pem")
    KEY = ("hub.tls.key", "secrets/tls-key")
    PASSWORD = ("hub.password_file", "secrets/hub-password")
    TOKEN = ("media.token_file", "secrets/media-token")

    def __init__(self, key: str, place: str) -> None:
        self.key = key
        self.place = place


class FirstRun:
    """Works on one settings file, which must be there: the package brings a commented one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.parent
        try:
            self._text = path.read_text(encoding="utf-8")
            self._present = yaml.safe_load(self._text) or {}
        except OSError as error:
            raise AgentError("no-settings", f"{path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError([f"{path}: {error}"]) from error

    def value(self, path: str) -> Any:
        """What the file has at the dotted `path` now, or None."""
        value = self._present
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def apply(self, values: Mapping[str, Any], files: Mapping[Secret, Path]) -> None:
        """Copy the files and write the settings. Raises ConfigError with all that is wrong.

        The settings stay as they were then. Raises AgentError if a file can't be read or written.
        """
        changes = dict(values)
        contents = {secret: _content(source) for secret, source in files.items()}
        try:
            for secret, content in contents.items():
                changes[secret.key] = self._install(secret, content)
            host = changes.get("hub.host", self.value("hub.host"))
            if Secret.CA not in files and "hub.host" in values and is_loopback(str(host)):
                changes["hub.tls"] = None
            self._replace(self._changed(changes))
        except PermissionError as error:
            text = f"{error.filename}: not permitted; use sudo"
            raise AgentError("not-permitted", text) from error

    def _install(self, secret: Secret, content: bytes) -> str:
        """Returns what the settings shall say."""
        target = self._folder / secret.place
        private = target.parent.name == SECRETS
        target.parent.mkdir(mode=0o700 if private else 0o755, exist_ok=True)
        _write(target, content, 0o600 if private else 0o644)
        return f"{SECRETS}_{target.name}" if private else str(target)

    def _changed(self, changes: Mapping[str, Any]) -> str:
        text = self._text
        for path, value in changes.items():
            try:
                text = with_value(text, path, value)
            except KeyError as error:
                raise ConfigError([f"{path}: {error.args[0]} is no section"]) from error
        return text

    def _replace(self, text: str) -> None:
        """Check the new settings as the service will see them, then put them in place."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            draft = Path(folder) / self._path.name
            draft.write_text(text, encoding="utf-8")
            secrets = self._folder / SECRETS
            for secret in secrets.iterdir() if secrets.is_dir() else ():
                shutil.copy2(secret, Path(folder) / f"{SECRETS}_{secret.name}")
            load(draft, credentials=Path(folder))
        _write(self._path, text.encode(), 0o644)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AgentError("no-file", f"{path}: {error.strerror}") from error


def _write(path: Path, content: bytes, mode: int) -> None:
    """All or nothing, also if the power fails."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
