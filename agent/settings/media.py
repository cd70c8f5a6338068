"""Where meetings are, how they are played, and whether they are recorded.

URLs are WHIP's and WHEP's endpoints.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from agent.core.model.hosts import AllowedHosts, hosts_of
from agent.settings.section import Section

IceUrl = Annotated[
    str,
    Meta(pattern=r"^(stun|turns?):([^\s/@?]+@)?[^\s/@?]+(\?transport=(udp|tcp))?$", max_length=512),
]
"""RFC 7064 and 7065, and the user name of TURN in front of the host."""


class Recording(Section, frozen=True):
    """Where meetings are recorded, and for how long they are kept."""

    directory: Annotated[
        str | None, Meta(description="folder for the recordings (MP4 files); none: none are made")
    ] = None
    keep_days: Annotated[
        float, Meta(description="recordings older than this are deleted", ge=0.01, le=3650)
    ] = 30
    keep_megabytes: Annotated[
        int, Meta(description="above this in all, the oldest recordings are deleted", ge=10)
    ] = 8000
    minimum_free_megabytes: Annotated[
        int, Meta(description="with less left on the disk, nothing is recorded", ge=1)
    ] = 500


class Media(Section, frozen=True):
    """Where meetings are, and how they are played."""

    publish_url: Annotated[
        str | None,
        Meta(
            description="WHIP endpoint for a join without one; {meeting} and {room} are filled in"
        ),
    ] = None
    play_urls: Annotated[
        list[str],
        Meta(
            description="WHEP endpoints for a join without any; {meeting} and {room} are filled in"
        ),
    ] = field(default_factory=list)
    token_file: Annotated[
        str | None, Meta(description="path of a file with the bearer token for those URLs")
    ] = None
    allowed_hosts: Annotated[
        list[str],
        Meta(
            description="hosts that meetings may be at: name, name:port, *.domain, a network, or * for all; none: those of publish_url and play_urls"
        ),
    ] = field(default_factory=list)
    ice_servers: Annotated[
        list[IceUrl],
        Meta(
            description="STUN and TURN servers: stun:host, turn:user@host:3478?transport=tcp or turns:user@host:443"
        ),
    ] = field(default_factory=list)
    ice_credential_file: Annotated[
        str | None,
        Meta(
            description="path of a file with the TURN servers' password, or with a line for each: user@host:port password"
        ),
    ] = None
    jitter_buffer_milliseconds: Annotated[
        int,
        Meta(
            description="how long received media waits for late packets, at the least",
            ge=10,
            le=2000,
        ),
    ] = 40
    local_address: Annotated[
        str | None,
        Meta(description="the only address that ICE may use, such as 127.0.0.1; none: all"),
    ] = None
    recording: Annotated[Recording, Meta(description="recordings of meetings")] = field(
        default_factory=Recording
    )

    @property
    def hosts(self) -> AllowedHosts:
        """Where meetings may be: what the settings say, else where their own URLs are."""
        own = [*([self.publish_url] if self.publish_url else []), *self.play_urls]
        return AllowedHosts(tuple(self.allowed_hosts) or hosts_of(own))
