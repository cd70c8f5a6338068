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
        (0x9A, "no-retain", "does without them"),
        (0x9B, "no-qos-1", "QoS 0 only"),
        (0x9D, "hub-moved", "set hub.host"),
        (0xA2, "subscription-refused", "wildcards"),
        (0xEE, "hub-error", "Wildcard subscription not supported"),
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


def test_every_reason_code_of_the_standard_has_a_name_of_its_own() -> None:
    """None is called by a socket's error, such as hub-refused: nobody listens on the port."""
    failures = [0x80, *range(0x81, 0x8E), 0x8E, 0x8F, 0x90, *range(0x93, 0xA3)]
    codes = {value: reasons.from_reason_code(value, "name").code for value in failures}
    assert not set(codes.values()) & {"hub-refused", "hub-timeout", "hub-unreachable"}
    assert all("(0x" not in reasons.from_reason_code(value, "").text for value in failures)


def test_what_the_hub_adds_is_passed_on_cleaned() -> None:
    class Added:
        ReasonString = "see \x1b[31m operator"
        ServerReference = "other.example:8883"

    text = reasons.from_reason_code(0x9D, "Server moved", Added()).text
    assert "other.example:8883" in text
    assert text.isprintable()


def test_only_what_a_person_must_change_is_a_refusal() -> None:
    """The others pass by themselves, and are tried again soon."""
    passing = {"hub-timeout", "hub-refused", "hub-unreachable", "hub-name-unknown", "link-lost"}
    passing |= {"hub-stopping", "hub-busy", "hub-unavailable", "no-echo", "no-retain"}
    assert not passing & reasons.REFUSALS
