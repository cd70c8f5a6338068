"""What the hub link's codes mean to a technician: title, likely cause, what to do.

The codes are those of `agent.hub.reasons` and `agent.hub.tls`, whose English text is the evidence.
"""

from __future__ import annotations

from agent.diagnostics.checks.trouble import Trouble
from agent.diagnostics.report import Finding, failed, timed
from agent.locale import gettext as _

_TIMED = frozenset({"hub-timeout", "link-lost", "no-echo", "starting"})
"""Codes that say that something did not come in time."""


def describe(code: str, evidence: str) -> Finding:
    """The finding for a link that is not as it should be."""
    words = _words(code)
    prefix = "" if code.startswith("hub-") else "hub-"
    found = failed(f"{prefix}{code}", words.title, evidence, words.cause, words.advice)
    return timed(found) if code in _TIMED else found


def _words(code: str) -> Trouble:
    for codes, words in (
        (_NETWORK, _network),
        (_CERTIFICATE, _certificate),
        (_LOGIN, _login),
    ):
        if code in codes:
            return words(code)
    return Trouble(
        _("The hub does not work as it should"),
        _("A fault at the hub, or on the way to it"),
        _("Ask the hub's operator, and send the output of: diemcau report"),
    )


_NETWORK = frozenset(
    {"hub-name-unknown", "hub-timeout", "hub-refused", "hub-unreachable", "link-lost", "starting"}
)
_CERTIFICATE = frozenset(
    {"tls-hub-expired", "tls-not-yet-valid", "tls-hub-revoked", "tls-wrong-host", "tls-unknown-ca"}
    | {"tls-revoked", "tls-expired", "tls-refused", "tls-no-certificate", "tls-failed"}
    | {"bad-certificate-files"}
)
_LOGIN = frozenset(
    {"bad-credentials", "not-authorised", "client-id-refused", "banned", "session-taken-over"}
    | {"subscription-refused", "publish-refused", "no-echo", "no-mqtt-5"}
)


def _network(code: str) -> Trouble:
    if code == "hub-name-unknown":
        return Trouble(
            _("The hub's name is not known"),
            _("No network, a broken DNS, or a mistake in hub.host"),
            _("Check the network first; then the name: diemcau config explain hub.host"),
        )
    if code == "hub-refused":
        return Trouble(
            _("The hub's broker does not run"),
            _("The machine answers, but nobody listens on the port, or hub.port is wrong"),
            _("Ask the hub's operator whether the broker runs, and on which port"),
        )
    return Trouble(
        _("The hub can't be reached"),
        _("The hub is off, or the network or a firewall is in the way"),
        _("Check the network cable and the router; ask the hub's operator whether it runs"),
    )


def _certificate(code: str) -> Trouble:
    if code == "tls-hub-expired":
        return Trouble(
            _("The hub's certificate has expired"),
            _("Nobody renewed it in time, or this box's clock is wrong"),
            _("Compare the clock with your watch; otherwise the hub's operator must renew it"),
        )
    if code == "tls-not-yet-valid":
        return Trouble(
            _("The hub's certificate is not valid yet: the clock is wrong"),
            _("The box was without power and can't reach a time server"),
            _("Set the clock: sudo timedatectl set-time '2026-01-31 07:15'"),
        )
    if code in ("tls-unknown-ca", "tls-wrong-host", "tls-hub-revoked"):
        return Trouble(
            _("This is not the hub that the settings mean"),
            _("Another hub's address, or another hub's CA file in the settings"),
            _("Compare hub.host and hub.tls.ca with what the hub's operator gave you"),
        )
    if code in ("tls-expired", "tls-revoked", "tls-refused", "tls-no-certificate"):
        return Trouble(
            _("The hub does not take this room's certificate"),
            _("It has expired, was revoked, or is from another hub"),
            _("Get a new certificate for this room from the hub's operator"),
        )
    if code == "bad-certificate-files":
        return Trouble(
            _("The certificate files can't be used"),
            _("A file is missing, damaged, or may not be read"),
            _("Put the files of the hub's operator there again; see: diemcau config show"),
        )
    return Trouble(
        _("No encrypted connection with the hub"),
        _("The port is not the one for TLS, or something on the way breaks it"),
        _("Check hub.port (8883 by custom); ask the hub's operator"),
    )


def _login(code: str) -> Trouble:
    if code == "session-taken-over":
        return Trouble(
            _("Another box logs in as this room"),
            _("A memory card was copied and runs in another box"),
            _("Find the other box and give it a room.id of its own"),
        )
    if code in ("subscription-refused", "no-echo"):
        return Trouble(
            _("The hub does not let this room receive its commands"),
            _("The hub's list of permissions (ACL) does not know this room"),
            _("Tell the hub's operator this room's id: diemcau config show room"),
        )
    if code == "no-mqtt-5":
        return Trouble(
            _("The hub does not speak MQTT 5"),
            _("An old broker"),
            _("The hub's operator must update the broker"),
        )
    return Trouble(
        _("The hub refuses this room's login"),
        _("The user name or the password is wrong, or the room was removed at the hub"),
        _("Get the password anew from the hub's operator; see: diemcau config show hub"),
    )
