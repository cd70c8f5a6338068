"""Whom a command of the terminal is for: the option `--to`."""

from __future__ import annotations

import re

from agent.core.model.addresses import ADDRESS
from agent.errors import ConfigError
from agent.locale import gettext as _


def address_of(to: str) -> str:
    """What `--to` says. Raises ConfigError if it is neither `room/ID` nor `group/ID`."""
    if not re.match(ADDRESS, to):
        text = _("--to {to}: expected room/ID or group/ID, as room/thon-5")
        raise ConfigError([text.format(to=to)])
    return to
