"""Names of rooms and groups, compared with the register where this machine has one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.model.addresses import addresses_of
from agent.errors import ConfigError
from agent.locale import gettext as _

if TYPE_CHECKING:
    from rich.console import Console


def warn_of_strangers(console: Console, folder: Path, addresses: Iterable[str]) -> None:
    """Say which of the addresses (`room/ID`, `group/ID`) no enrolled room has, while a slip is easily mended.

    Only a warning, since a room may be enrolled later; none where `folder` has no register with rooms in it.
    """
    from agent.enrolment import register

    try:
        entries = register.load(folder / "register.json").entries
    except ConfigError:
        return  # rooms were enrolled on another machine: `publish` asks the hub
    known = {
        address
        for one in entries
        if one.kind is register.Kind.ROOM and one.revoked is None
        for address in addresses_of(one.name, one.groups)
    }
    if not known:
        return
    for address in dict.fromkeys(addresses):
        if address not in known:
            text = _("{address}: no room of this name, or in this group, is enrolled; see: {see}")
            said = text.format(address=address, see="diemcau hub list")
            console.print(said, style="warning", soft_wrap=True)
