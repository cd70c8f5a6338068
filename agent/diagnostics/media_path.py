"""The way that media take through the network, in words for people: of status, doctor and the media test."""

from __future__ import annotations

from agent.core.model.figures import Path
from agent.locale import gettext as _


def in_words(path: Path) -> str:
    """`direct, UDP`, or by which relay, and how that is reached; IPv6 is named where it is used."""
    transport = path.transport.upper()
    if path.relay:
        return _("relayed by {relay}, {transport}").format(relay=path.relay, transport=transport)
    if path.local_family == "ipv6":
        transport = f"{transport}, IPv6"
    return _("direct, {transport}").format(transport=transport)
