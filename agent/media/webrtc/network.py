"""What all sessions of one media process have in common: who we are to servers, and how they are reached."""

from __future__ import annotations

from typing import NamedTuple

from agent.core.model.hosts import AllowedHosts
from agent.media.webrtc.certificate import Certificate, make_certificate
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.http import HttpClient
from agent.media.webrtc.open_sessions import OpenSessions


class Network(NamedTuple):
    """`local_address` is the only one that ICE may use; None for all of the machine's."""

    certificate: Certificate
    local_address: str | None
    http: HttpClient
    sessions: OpenSessions


def make_network(local_address: str | None, hosts: AllowedHosts) -> Network:
    """Raises MediaError where no certificate can be made."""
    http = HttpClient(Dialer(), hosts)
    return Network(make_certificate(), local_address, http, OpenSessions(http))
