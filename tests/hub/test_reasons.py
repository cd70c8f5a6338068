"""Every way in which the hub says no has a code and a line that tells what to do."""

from __future__ import annotations

import errno

import pytest

from agent import settings
from agent.hub import reasons

HUB = settings.Hub(host="hub.example.org")


@pytest.mark.parametrize(
    ("value", "code", "advice"),
    [
        (0x84, "no-mqtt-5", "use a broker that does"),
        (0x86, "bad-credentials", "hub.password_file"),
        (0x87, "not-authorised", "check its credentials"),
        (0x8B, "hub-stopping", "shutting down"),
        (0x8E, "session-taken-over", "cloned card"),
        (0xA2, "hub-refused", "Wildcard subscription not supported"),
    ],
)
def test_reason_codes(value: int, code: str, advice: str) -> None:
    error = reasons.from_reason_code(value, "Wildcard subscription not supported")
    assert error.code == code
    assert advice in error.text


@pytest.mark.parametrize(
    ("error", "code", "advice"),
    [
        (TimeoutError(), "hub-timeout", "check the network"),
        (ConnectionRefusedError(), "hub-refused", "hub.example.org:8883 refuses"),
        (ConnectionResetError(), "hub-unreachable", "port without TLS?"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "hub-unreachable", "Network is"),
    ],
)
def test_socket_errors(error: OSError, code: str, advice: str) -> None:
    found = reasons.from_os_error(error, HUB)
    assert found.code == code
    assert advice in found.text


def test_only_what_a_person_must_change_is_a_refusal() -> None:
    """The others pass by themselves, and are tried again soon."""
    passing = {"hub-timeout", "hub-refused", "hub-unreachable", "hub-name-unknown", "link-lost"}
    passing |= {"hub-stopping", "hub-busy", "hub-unavailable", "no-echo", "backlog"}
    assert not passing & reasons.REFUSALS
