"""When a certificate file ends, read without a library: the daemon looks once for each health report.

X.509 is DER (ITU-T X.690): tag, length, value; the way to notAfter is short (RFC 5280, 4.1).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_VERSION, _UTC_TIME = 0xA0, 0x17


def expires(path: str | Path) -> datetime | None:
    """The end of the (first) certificate's time in a PEM file; None if it cannot be read."""
    try:
        pem = Path(path).read_text(encoding="ascii")
        end = pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        certificate = ssl.PEM_cert_to_DER_cert(pem[pem.index(ssl.PEM_HEADER) : end])
        return _not_after(certificate)
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def days_left(path: str | Path, now: datetime) -> float | None:
    """Days until the certificate ends, negative after it; None if it cannot be read."""
    end = expires(path)
    return None if end is None else (end - now).total_seconds() / 86_400


def _not_after(certificate: bytes) -> datetime:
    (_, signed), *_ = _values(certificate)
    (_, body), *_ = _values(signed)
    fields = [value for tag, value in _values(body) if tag != _VERSION]
    validity = fields[3]  # after serialNumber, signature, issuer
    _, (tag, text) = _values(validity)
    digits = text.decode("ascii")
    if tag == _UTC_TIME:  # two digits of a year from 1950 to 2049
        digits = ("19" if digits >= "50" else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The (tag, value) pairs that stand one after the other."""
    while der:
        tag, length, start = der[0], der[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[2:start], "big")
        yield tag, der[start : start + length]
        der = der[start + length :]
