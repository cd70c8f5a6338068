"""Whether the other end of a DTLS handshake is the one whose fingerprint stands in the answer (RFC 8122).

Without this, whoever sits in the media's path could take the room's picture and sound, however safe the
HTTP was: webrtcbin compares only from 1.26.12 and 1.28.5 on. Nothing passes the gates until it has matched.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from agent.errors import MediaError
from agent.media.gst import Gst

DIGEST_BYTES = {"sha-512": 64, "sha-384": 48, "sha-256": 32}
"""The hash functions that are taken, strongest first; SHA-1 and MD5 can be forged."""

UNUSED = re.compile(r"m=\S+ 0 ")
"""Of a media section that was rejected, or that has no transport of its own."""

PACKETS = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST


class WrongPeer(MediaError):
    """Somebody else answers where the media server should: nothing was sent to it."""

    def __init__(self, text: str) -> None:
        super().__init__("wrong-peer", text)


class Fingerprint(NamedTuple):
    """`algorithm` is a key of DIGEST_BYTES."""

    algorithm: str
    digest: bytes


def expected_fingerprints(answer: str) -> list[frozenset[Fingerprint]]:
    """What the certificate must match, one set for each media section that is in use: one line of each.

    A section's own lines count before the session's (RFC 8122, 5). Of several hash functions only the
    strongest counts (5.1): a weaker line can't let in whom the stronger one keeps out. Raises WrongPeer
    where a section has fingerprints and none that is taken, or where there are none at all.
    """
    session, *sections = re.split(r"^(?=m=)", answer.replace("\r\n", "\n"), flags=re.M)
    wanted = []
    for section in sections:
        lines = _lines(section) or _lines(session)
        if not lines or (UNUSED.match(section) and not _lines(section)):
            continue
        wanted.append(_strongest(lines))
    if not wanted:
        raise WrongPeer("the answer has no DTLS fingerprint, so nobody could be recognised by it")
    return wanted


def _lines(part: str) -> list[tuple[str, str]]:
    found = re.findall(r"^a=fingerprint:[ \t]*(\S+)[ \t]+(\S*)[ \t]*$", part, flags=re.M)
    return [(algorithm.lower(), digest) for algorithm, digest in found]


def _strongest(lines: list[tuple[str, str]]) -> frozenset[Fingerprint]:
    for algorithm, size in DIGEST_BYTES.items():
        digests = (_bytes(digest) for name, digest in lines if name == algorithm)
        if usable := frozenset(Fingerprint(algorithm, d) for d in digests if len(d) == size):
            return usable
    told = ", ".join(sorted({algorithm for algorithm, _ in lines}))[:80]
    raise WrongPeer(
        f"the answer's DTLS fingerprint ({told}) is none that is taken; expected is one of "
        f"{', '.join(DIGEST_BYTES)}, whole"
    )


def _bytes(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest.replace(":", ""))
    except ValueError:
        return b""


def matches(pem: str, wanted: list[frozenset[Fingerprint]]) -> bool:
    """Whether this certificate is the one of every set."""
    der = ssl.PEM_cert_to_DER_cert(pem)
    return bool(wanted) and all(
        any(
            hashlib.new(one.algorithm.replace("-", ""), der).digest() == one.digest for one in group
        )
        for group in wanted
    )


class PeerCheck:
    """Of one session. `on_wrong` is called once, in GStreamer's thread, when somebody else has answered.

    The certificate comes while the handshake still runs, before there is any key; until it has
    matched, `guard`ed pads pass nothing, so a GStreamer that never tells it lets nothing pass either.
    """

    def __init__(self, on_wrong: Callable[[], None]) -> None:
        self._on_wrong = on_wrong
        self._wanted: list[frozenset[Fingerprint]] = []
        self._lock = threading.Lock()
        self._matched = self._wrong = False

    @property
    def right(self) -> bool:
        """Whether the certificate came, and was the right one each time that one came."""
        return self._matched and not self._wrong

    def expect(self, answer: str) -> None:
        """The answer, before GStreamer gets it. Raises WrongPeer if nobody could match it."""
        self._wanted = expected_fingerprints(answer)

    def watch(self, dtls: Any) -> None:
        """An element `dtlsdec` has been made."""
        dtls.connect("notify::peer-pem", self._on_certificate)

    def guard(self, pad: Any) -> None:
        """Let nothing pass here before the peer is known."""
        pad.add_probe(PACKETS, self._pass)

    def _on_certificate(self, dtls: Any, _property: Any) -> None:
        pem = dtls.get_property("peer-pem")
        with self._lock:
            first_wrong = not matches(pem, self._wanted) and not self._wrong
            self._wrong = self._wrong or first_wrong
            self._matched = True
        if first_wrong:
            self._on_wrong()

    def _pass(self, _pad: Any, _info: Any) -> Any:
        return Gst.PadProbeReturn.REMOVE if self.right else Gst.PadProbeReturn.DROP
