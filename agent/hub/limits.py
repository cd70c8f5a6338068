"""What a broker takes, as its CONNACK says (MQTT 5, 3.2.2.3), and what must be learnt from refusals.

Not every hub runs Mosquitto with our settings: hosted ones grant ten messages in flight, no retained ones
or eight filters a SUBSCRIBE.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

IN_FLIGHT = 20
"""Messages of ours on their way at a time, if the broker takes as many."""

FILTERS_AT_ONCE = 8
"""Filters of one SUBSCRIBE: more end the connection at AWS IoT."""


class Limits(Struct, frozen=True):
    """Defaults are the standard's own."""

    in_flight: int = IN_FLIGHT
    maximum_qos: int = 1
    retains: bool = True
    wildcards: bool = True
    maximum_packet_bytes: int | None = None
    keepalive_seconds: float = 60.0

    @property
    def shortcoming(self) -> str:
        """What the room's users will miss; empty if nothing."""
        if not self.retains:
            return "the hub keeps no retained messages: who comes later does not see this room"
        if self.maximum_qos == 0:
            return "the hub takes messages at QoS 0 only: some may be lost"
        return ""


def limits_of(connack: Any, asked_keepalive_seconds: float) -> Limits:
    """From the properties of a CONNACK; those that are not there have the standard's defaults."""
    server_keepalive = getattr(connack, "ServerKeepAlive", asked_keepalive_seconds)
    return Limits(
        in_flight=max(1, min(IN_FLIGHT, getattr(connack, "ReceiveMaximum", IN_FLIGHT))),
        maximum_qos=min(1, getattr(connack, "MaximumQoS", 1)),
        retains=bool(getattr(connack, "RetainAvailable", 1)),
        wildcards=bool(getattr(connack, "WildcardSubscriptionAvailable", 1)),
        maximum_packet_bytes=getattr(connack, "MaximumPacketSize", None),
        keepalive_seconds=server_keepalive or asked_keepalive_seconds,
    )


SUBSCRIBE_BYTES, FILTER_BYTES = 8, 3
"""What a SUBSCRIBE has beside its filters, at most, and beside each one's letters."""


def batches(filters: list[str], limits: Limits) -> Iterator[list[str]]:
    """The filters in as few SUBSCRIBEs as the broker takes, in order. One that is too long by itself is
    asked for all the same: the broker's answer says what is wrong."""
    batch: list[str] = []
    size = SUBSCRIBE_BYTES
    for one in filters:
        more = FILTER_BYTES + len(one.encode())
        most = limits.maximum_packet_bytes
        if batch and (len(batch) == FILTERS_AT_ONCE or (most is not None and size + more > most)):
            yield batch
            batch, size = [], SUBSCRIBE_BYTES
        batch.append(one)
        size += more
    if batch:
        yield batch


class Attempt(Struct, frozen=True):
    """How one connection is tried, by what the ones before it taught."""

    number: int
    """Counts the connections."""
    clean_start: bool = False
    """The broker forgets what it kept for us, messages included."""
    will_qos: int = 1
    will_retain: bool = True
    copies: bool = True
    """Whether acks of the outbox are copied to their senders' Response Topics at once: not after the hub
    ended a connection on which such copies were under way."""
    taken_over: bool = False
    """Another agent spoke as this room not long ago."""
