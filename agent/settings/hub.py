"""The hub's broker, and how the room proves itself there.

Names and units are MQTT 5's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from agent.settings.section import Section

TOPIC_ROOT = r"^[^#+\s/]+(/[^#+\s/]+)*\Z"


class Tls(Section, frozen=True):
    """Certificates for the hub link (PEM files)."""

    ca: Annotated[str, Meta(description="path of the CA that signed the hub's certificate")]
    certificate: Annotated[str | None, Meta(description="path of this room's certificate")] = None
    key: Annotated[str | None, Meta(description="path of this room's private key")] = None


class Hub(Section, frozen=True):
    """The MQTT 5 broker that commands come from."""

    host: Annotated[str, Meta(description="name or address of the hub's MQTT broker", min_length=1)]
    port: Annotated[int, Meta(description="TCP port of the broker", ge=1, le=65535)] = 8883
    transport: Annotated[
        Literal["tcp", "websockets"],
        Meta(
            description="websockets (MQTT over HTTP, port 443 by custom) where only that is let out"
        ),
    ] = "tcp"
    websocket_path: Annotated[str, Meta(description="path of the broker's websocket")] = "/mqtt"
    proxy: Annotated[
        str | None,
        Meta(
            description="HTTP proxy on the way to the hub, such as http://proxy.example:3128",
        ),
    ] = None
    topic_root: Annotated[
        str, Meta(description="first part of every topic", pattern=TOPIC_ROOT)
    ] = "diemcau/v1"
    tls: Annotated[
        Tls | None, Meta(description="certificates; none is allowed towards loopback only")
    ] = None
    username: Annotated[str | None, Meta(description="MQTT user name, if the hub wants one")] = None
    password_file: Annotated[
        str | None, Meta(description="path of a file that holds the MQTT password")
    ] = None
    keepalive_seconds: Annotated[
        int,
        Meta(
            description="MQTT keep alive; a dead link is noticed within 1.5 times it", ge=5, le=600
        ),
    ] = 30
    connect_timeout_seconds: Annotated[
        float, Meta(description="how long a connection attempt may take; 3G is slow", ge=1, le=120)
    ] = 20
    session_expiry_seconds: Annotated[
        int,
        Meta(
            description="how long the broker keeps commands for a room that is away",
            ge=0,
            le=4_294_967_295,  # four bytes (MQTT 5, 3.1.2.11.2)
        ),
    ] = 3600
    sender_property: Annotated[
        str | None,
        Meta(
            description="MQTT user property by which the broker vouches for a command's sender; none: senders are called hub",
        ),
    ] = None
    require_signature: Annotated[
        bool, Meta(description="obey commands from the hub only if a trusted key signed them")
    ] = False
    trusted_keys: Annotated[
        str, Meta(description="folder of the keys whose signatures count, one file a key")
    ] = "/etc/diemcau/trusted-keys"
