"""The link's TLS: the context from the settings, and what its failures mean.

Verification is never switched off, whatever the clock says; a wrong clock is explained instead.
"""

from __future__ import annotations

import contextlib
import select
import ssl

from agent.errors import HubError
from agent.settings import Hub, Tls

_EXPIRED, _NOT_YET_VALID, _REVOKED, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 23, 62, 64
"""OpenSSL's X509_V_ERR_* numbers (x509_vfy.h)."""

_MALFORMED = range(80, 95)
"""Those of X509_V_FLAG_X509_STRICT, which Python sets from 3.13 on: what RFC 5280 asks for and is not there."""

_OTHER_HOST = (
    "tls-wrong-host",
    "the hub's certificate is for another host than {host}: check hub.host",
)

_VERIFY = {
    _EXPIRED: (
        "tls-hub-expired",
        "the hub's certificate has expired, or this clock is wrong: renew it, check the time",
    ),
    _NOT_YET_VALID: (
        "tls-not-yet-valid",
        "the hub's certificate is not valid yet: this clock is probably behind, check the time",
    ),
    _REVOKED: ("tls-hub-revoked", "the hub's certificate has been revoked: do not trust this hub"),
    _WRONG_HOST: _OTHER_HOST,
    _WRONG_ADDRESS: _OTHER_HOST,
    **dict.fromkeys(
        _MALFORMED,
        (
            "tls-unknown-ca",
            "the hub's CA or its certificate lacks an extension, as old instructions make them: make both anew",
        ),
    ),
}

_ALERTS = {
    "CERTIFICATE_REVOKED": (
        "tls-revoked",
        "the hub says that this room's certificate is revoked: enrol the room again",
    ),
    "CERTIFICATE_EXPIRED": (
        "tls-expired",
        "the hub says that this room's certificate has expired: renew it",
    ),
    "UNKNOWN_CA": (
        "tls-refused",
        "the hub does not know the CA of this room's certificate: enrol the room with this hub",
    ),
    "CERTIFICATE_REQUIRED": (
        "tls-no-certificate",
        "the hub wants a certificate: set hub.tls.certificate and hub.tls.key",
    ),
    "BAD_CERTIFICATE": (
        "tls-refused",
        "the hub does not accept this room's certificate: enrol the room again",
    ),
}

_UNKNOWN_CA = (
    "tls-unknown-ca",
    "the hub's certificate is not from the CA in hub.tls.ca: wrong hub, or wrong file",
)

CODES = frozenset(
    {code for code, _ in (*_VERIFY.values(), *_ALERTS.values(), _UNKNOWN_CA)} | {"tls-failed"}
)
"""Every code of `explain`."""


def client_context(settings: Tls) -> ssl.SSLContext:
    """The context for connecting. Raises HubError naming the file that cannot be used."""
    path = settings.ca
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate:
            path = f"{settings.certificate} with key {settings.key}"
            context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:  # ssl.SSLError is one
        text = f"hub.tls: {path} cannot be used: {error.strerror or error}"
        raise HubError("bad-certificate-files", text) from error
    return context


VERDICT_SECONDS = 2.0
"""How long to wait for the other side's word on our certificate; a mobile line's round trip."""


def await_verdict(sock: ssl.SSLSocket) -> None:
    """Let the hub refuse our certificate before we say anything. Raises ssl.SSLError with its alert.

    In TLS 1.3 (not before) our handshake is over before the hub has looked at our certificate (RFC 8446, 4.4.2.4).
    What we send into that is answered by a reset, and its alert, the reason, is lost. Session tickets
    say that it accepted; a hub that sends neither costs the wait.
    """
    if sock.version() != "TLSv1.3":
        return
    sock.setblocking(False)
    with contextlib.suppress(ssl.SSLWantReadError):
        if select.select([sock], [], [], VERDICT_SECONDS)[0]:
            sock.recv(1)  # an MQTT server never speaks first: this is a ticket, an alert or the end


def explain(error: ssl.SSLError, hub: Hub) -> HubError:
    """What a failed handshake means, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code, text = _VERIFY.get(error.verify_code, _UNKNOWN_CA)
        return HubError(code, f"{text.format(host=hub.host)} ({error.verify_message})")
    reason = error.reason or str(error)
    for alert, (code, text) in _ALERTS.items():
        if alert in reason:
            return HubError(code, text)
    text = f"TLS with {hub.host}:{hub.port} failed: {reason}; is this the broker's TLS port?"
    return HubError("tls-failed", text)
