"""Why the link is down, in words for whoever has to act: MQTT reason codes and socket errors.

TLS has so many ways to fail that `agent.hub.tls` explains those.
"""

from __future__ import annotations

import socket
import ssl

from agent.errors import HubError
from agent.hub import tls
from agent.settings import Hub

_REASONS = {
    0x84: ("no-mqtt-5", "the hub does not speak MQTT 5: use a broker that does"),
    0x85: ("client-id-refused", "the hub refuses this room's client id: check its configuration"),
    0x86: ("bad-credentials", "the hub refuses user name or password: check hub.username and hub.password_file"),
    0x87: ("not-authorised", "the hub refuses this room: check its credentials, and the hub's list of rooms"),
    0x88: ("hub-unavailable", "the hub says that it is not available now"),
    0x89: ("hub-busy", "the hub says that it is busy"),
    0x8A: ("banned", "the hub has banned this room: ask its operator"),
    0x8B: ("hub-stopping", "the hub is shutting down"),
    0x8D: ("link-lost", "the hub heard nothing from us for too long"),
    0x8E: ("session-taken-over", "another agent connected as this room: is a cloned card running somewhere?"),
    0x95: ("too-large", "the hub found a message of ours too large"),
    0x97: ("quota-exceeded", "the hub says that this room has used up its quota"),
    0x98: ("disconnected", "the hub's operator disconnected this room"),
    0x9F: ("hub-busy", "the hub says that too many connect at once"),
}  # fmt: skip

REFUSALS = frozenset(
    {"no-mqtt-5", "client-id-refused", "bad-credentials", "not-authorised", "banned"}
    | {
        "session-taken-over",
        "quota-exceeded",
        "subscription-refused",
        "publish-refused",
        "bad-certificate-files",
    }
    | tls.CODES
)
"""Codes that trying again soon does not change."""


UNREADABLE = "unreadable-packet"
"""The MQTT library refuses what the hub passed on. It would come again with the session: the next
connection starts a clean one, at the price of what else waits in it."""

TAKEN_OVER = HubError(*_REASONS[0x8E])
"""For brokers that drop the elder of two clients with one id without saying why."""


def from_reason_code(value: int, name: str) -> HubError:
    """The error for a CONNACK's or DISCONNECT's reason code (MQTT 5, 2.4)."""
    code, text = _REASONS.get(value, ("hub-refused", f"the hub ended the connection: {name}"))
    return HubError(code, text)


def from_os_error(error: OSError, hub: Hub) -> HubError:
    """The error for a connection that could not be made, or broke."""
    where = f"{hub.host}:{hub.port}"
    if isinstance(error, ssl.SSLError):
        return tls.explain(error, hub)
    if isinstance(error, socket.gaierror):
        text = f"the name {hub.host} cannot be resolved: check hub.host, the network and its DNS"
        return HubError("hub-name-unknown", text)
    if isinstance(error, TimeoutError):
        text = f"{where} does not answer: check the network, and that the hub is on"
        return HubError("hub-timeout", text)
    if isinstance(error, ConnectionRefusedError):
        text = f"{where} refuses connections: check hub.port, and that the broker runs"
        return HubError("hub-refused", text)
    if isinstance(error, ConnectionError):
        text = f"{where} broke the connection off: is that the broker's port {'for TLS' if hub.tls else 'without TLS'}?"
        return HubError("hub-unreachable", text)
    text = f"no connection to {where}: {error.strerror or error}"
    return HubError("hub-unreachable", text)
