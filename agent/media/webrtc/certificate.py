"""The media process's DTLS certificate: ECDSA P-256, made anew for each process.

webrtcbin's own is RSA, which costs a Pi seconds and which peers that offer ECDSA suites only refuse.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
from typing import NamedTuple

from agent.errors import MediaError
from agent.ipc.patience import patience

OPENSSL_SECONDS = 10.0
"""To be loaded from a slow card."""

DAYS = 30
"""Longer than any meeting; browsers use the same."""


class Certificate(NamedTuple):
    """Key and certificate as PEM, and the certificate's fingerprint for SDP (RFC 8122)."""

    pem: str
    fingerprint: str

    def correct(self, sdp: str) -> str:
        """The SDP with this fingerprint: GStreamer 1.22 computes it over key and certificate."""
        line = f"a=fingerprint:sha-256 {self.fingerprint}"
        return re.sub(r"a=fingerprint:[^\r\n]*", line, sdp)


def make_certificate() -> Certificate:
    """About 10 ms with the openssl command. Raises MediaError if it is missing or fails."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    arguments = [*command.split(), "-keyout", "-", "-days", str(DAYS), "-subj", "/CN=diemcau"]
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, check=True, timeout=patience(OPENSSL_SECONDS)
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MediaError(
            "no-certificate", f"cannot make a DTLS certificate: {error}; is openssl installed?"
        ) from error
    pem = done.stdout
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])
    digest = hashlib.sha256(der).hexdigest().upper()
    return Certificate(pem, ":".join(re.findall("..", digest)))
