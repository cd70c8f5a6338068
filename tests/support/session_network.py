"""What sessions with a media server need in a test that makes them without a media process."""

from __future__ import annotations

from agent.core.model.hosts import AllowedHosts
from agent.media.webrtc.certificate import make_certificate
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.http import HttpClient
from agent.media.webrtc.ice import IceServer, IceServers
from agent.media.webrtc.network import Network
from agent.media.webrtc.open_sessions import OpenSessions


def make_network(
    local_address: str | None, hosts: AllowedHosts, ice: list[IceServer] | None = None
) -> Network:
    """With a certificate and connections of its own. Raises MediaError where no certificate can be made."""
    http = HttpClient(Dialer(), hosts)
    return Network(
        make_certificate(), local_address, http, OpenSessions(http), IceServers(ice or [])
    )
