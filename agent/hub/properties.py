"""A PUBLISH packet without the properties that nobody here reads, before the MQTT library sees it.

The library copies what is left of a packet for each property, and refuses a packet for a letter in any: 128 KB of User
Properties took it seconds, half a megabyte 39 s, and a byte order mark ended the link. Pure, and linear in the packet.
"""

from __future__ import annotations

RESPONSE_TOPIC, CORRELATION_DATA, USER_PROPERTY = 0x08, 0x09, 0x26

_FIXED_BYTES = {0x01: 1, 0x02: 4, 0x23: 2}
"""Payload Format Indicator, Message Expiry Interval, Topic Alias (MQTT 5, 2.2.2.2)."""

_STRINGS = {0x03: 1, RESPONSE_TOPIC: 1, CORRELATION_DATA: 1, USER_PROPERTY: 2}
"""What begins with its length, or is a pair of such; Content Type is the first."""

_SUBSCRIPTION_IDENTIFIER = 0x0B
_UNREADABLE = {"\0", "\ufeff"}
"""What the library takes no text with (beside halves of letters)."""


def without_ballast(packet: bytes, qos: int, sender_property: str | None) -> bytes:
    """The packet behind its fixed header, with Response Topic and Correlation Data, and the last User Property of the
    name `sender_property`, if they can be read. One that breaks the protocol comes back as it is.
    """
    try:
        start = 2 + int.from_bytes(packet[:2], "big") + (2 if qos else 0)
        length, at = _number(packet, start)
        kept = _kept(packet, at, at + length, (sender_property or "").encode())
    except (IndexError, KeyError):
        return packet
    properties = b"".join(kept)
    return packet[:start] + _varint(len(properties)) + properties + packet[at + length :]


def _kept(packet: bytes, at: int, end: int, sender_property: bytes) -> list[bytes]:
    """Raises IndexError, KeyError for what is no list of properties."""
    found: dict[int, bytes] = {}
    while at < end:
        kind, begin = packet[at], at
        values: list[tuple[int, int]] = []
        at += 1
        if kind == _SUBSCRIPTION_IDENTIFIER:
            _, at = _number(packet, at)
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
        else:
            for _ in range(_STRINGS[kind]):
                size = packet[at] << 8 | packet[at + 1]
                values.append((at + 2, at + 2 + size))
                at += 2 + size
        if at > min(end, len(packet)):
            raise IndexError
        if values and _is_wanted(packet, kind, values, sender_property):
            found[kind] = packet[begin:at]
    return list(found.values())


def _is_wanted(
    packet: bytes, kind: int, values: list[tuple[int, int]], sender_property: bytes
) -> bool:
    begin, end = values[0]
    if kind == CORRELATION_DATA:
        return True
    if kind == RESPONSE_TOPIC:
        return _is_readable(packet[begin:end])
    named = kind == USER_PROPERTY and sender_property == packet[begin:end] != b""
    return named and _is_readable(packet[slice(*values[1])])


def _is_readable(text: bytes) -> bool:
    try:
        return not _UNREADABLE & set(text.decode())
    except UnicodeDecodeError:
        return False


def _number(packet: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5, 1.5.5), and where it ends. Raises IndexError."""
    value = 0
    for shift in (0, 7, 14, 21):
        byte = packet[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise IndexError


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
