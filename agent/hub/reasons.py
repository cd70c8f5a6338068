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
    0x80: ("hub-error", "the hub has an error that it does not name"),
    0x81: ("malformed-packet", "the hub could not read what we sent: is it a broker for MQTT 5?"),
    0x82: ("protocol-error", "the hub found that we broke the protocol"),
    0x83: ("hub-error", "the hub has a reason of its own for not taking this"),
    0x84: ("no-mqtt-5", "the hub does not speak MQTT 5: use a broker that does"),
    0x85: ("client-id-refused", "the hub refuses this room's client id: check its configuration"),
    0x86: ("bad-credentials", "the hub refuses user name or password: check hub.username and hub.password_file"),
    0x87: ("not-authorised", "the hub refuses this room: check its credentials, and the hub's list of rooms"),
    0x88: ("hub-unavailable", "the hub says that it is not available now"),
    0x89: ("hub-busy", "the hub says that it is busy"),
    0x8A: ("banned", "the hub has banned this room: ask its operator"),
    0x8B: ("hub-stopping", "the hub is shutting down"),
    0x8C: ("bad-credentials", "the hub wants another way of logging in than user name, password or certificate"),
    0x8D: ("link-lost", "the hub heard nothing from us for too long"),
    0x8E: ("session-taken-over", "another agent connected as this room: is a cloned card running somewhere?"),
    0x8F: ("subscription-refused", "the hub does not take the filters of this room's commands: check hub.topic_root"),
    0x90: ("topic-refused", "the hub does not take one of this room's topics: check hub.topic_root, and the hub's limits"),
    0x93: ("protocol-error", "the hub found that we sent more at a time than it takes"),
    0x94: ("protocol-error", "the hub found that we used a topic alias, which we never do"),
    0x95: ("too-large", "the hub found a message of ours too large"),
    0x96: ("rate-too-high", "the hub says that this room sends too much"),
    0x97: ("quota-exceeded", "the hub says that this room has used up its quota"),
    0x98: ("disconnected", "the hub's operator disconnected this room"),
    0x99: ("protocol-error", "the hub found that a message of ours is not what it says to be"),
    0x9A: ("no-retain", "the hub keeps no retained messages: the next attempt does without them"),
    0x9B: ("no-qos-1", "the hub takes QoS 0 only: the next attempt keeps to it"),
    0x9C: ("hub-moved", "the hub says that another one is to be used for now: ask its operator, and set hub.host"),
    0x9D: ("hub-moved", "the hub has moved: ask its operator, and set hub.host"),
    0x9E: ("subscription-refused", "the hub takes no shared subscriptions, which we never ask for"),
    0x9F: ("hub-busy", "the hub says that too many connect at once"),
    0xA0: ("connection-time-over", "the hub lets a connection last no longer than this"),
    0xA1: ("subscription-refused", "the hub takes no subscription identifiers, which we never ask for"),
    0xA2: ("subscription-refused", "the hub takes no filters with wildcards: it has to say so when we connect"),
}  # fmt: skip
"""Every reason code of CONNACK and DISCONNECT that tells of a failure (MQTT 5, 2.4)."""

_PUBACKS = {
    0x83: "hub-error",
    0x87: "not-authorised",
    0x90: "topic-refused",
    0x95: "too-large",
    0x97: "quota-exceeded",
    0x99: "protocol-error",
}

REFUSALS = frozenset(
    {"no-mqtt-5", "client-id-refused", "bad-credentials", "not-authorised", "banned"}
    | {"malformed-packet", "protocol-error", "topic-refused", "too-large", "rate-too-high"}
    | {"hub-moved", "no-confirmation", "proxy-refused", "websocket-refused"}
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


def from_reason_code(value: int, name: str, properties: object = None) -> HubError:
    """The error for a CONNACK's or DISCONNECT's reason code (MQTT 5, 2.4), with what the hub adds."""
    code, text = _REASONS.get(value, ("hub-error", f"the hub ended the connection: {name}"))
    for extra in ("ReasonString", "ServerReference"):
        said = str(getattr(properties, extra, "") or "")[:120]
        if said:
            text += f" (it says: {said if said.isprintable() else '?'})"
    return HubError(code, text)


def from_puback(value: int, name: str, topic: str) -> tuple[str, str]:
    """Code and text for a message that the hub took and threw away."""
    code = _PUBACKS.get(value, "hub-error")
    return (
        code,
        f"the hub refuses what we publish on {topic} (0x{value:02X} {name}): check its ACL and limits",
    )


def from_os_error(error: OSError, hub: Hub) -> HubError:
    """The error for a connection that could not be made, or broke."""
    where = f"{hub.host}:{hub.port}"
    if isinstance(error, ssl.SSLError):
        return tls.explain(error, hub)
    if isinstance(error, socket.gaierror):
        text = f"the name {hub.host} cannot be resolved: check hub.host, the network and its DNS"
        return HubError("hub-name-unknown", text)
    if type(error).__name__ == "WebsocketConnectionError":
        text = f"{where} does not speak MQTT over WebSocket on {hub.websocket_path}: check hub.port, hub.websocket_path"
        return HubError("websocket-refused", text)
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
