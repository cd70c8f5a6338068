"""Where a password, token, key or certificate is that the settings name without a path.

systemd gives the service a copy of each at its start (LoadCredential= in
systemd/diemcau-agent.service); outside of the service the originals are looked at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SECRETS = "secrets"
"""The folder beside the settings; the unit's credentials are called `secrets_FILE`."""


class Credentials:
    """`folder` has the credentials under their own names; None: look into `secrets` instead."""

    def __init__(self, folder: Path | None, secrets: Path) -> None:
        self._folder = folder
        self._secrets = secrets

    @classmethod
    def of(cls, settings: Path, environment: Mapping[str, str] = os.environ) -> Credentials:
        """Those of this settings file, in the service or outside of it."""
        folder = environment.get("CREDENTIALS_DIRECTORY")
        return cls(Path(folder) if folder else None, settings.parent / SECRETS)

    def path(self, name: str) -> str:
        """The file behind a bare name; the name itself if it is neither."""
        if self._folder is not None:
            return str(self._folder / name)
        if name.startswith(f"{SECRETS}_"):
            return str(self._secrets / name.removeprefix(f"{SECRETS}_"))
        return name


def credential_name(file: str) -> str:
    """What the settings call this file of the folder `secrets`."""
    return f"{SECRETS}_{file}"
