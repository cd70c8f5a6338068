"""By which path media go, named from the candidates of both sides."""

from __future__ import annotations

import pytest

from agent.media.webrtc.path import Path, name_path

OFFER = (
    "v=0\r\n"
    "a=candidate:1 1 UDP 2015364095 192.0.2.7 40335 typ host\r\n"
    "a=candidate:2 1 TCP 1015022591 192.0.2.7 9 typ host tcptype active\r\n"
    "a=candidate:7 1 UDP 503316479 198.51.100.9 49160 typ relay raddr 192.0.2.7 rport 40335\r\n"
)
ANSWER = (
    "v=0\r\n"
    "a=candidate:a/b+1 1 udp 2130706431 203.0.113.5 8189 typ host\r\n"
    "a=candidate:c 1 tcp 1015022591 203.0.113.5 8189 typ host tcptype passive\r\n"
    "a=candidate:six 1 udp 2130706431 2001:db8::5 8189 typ host\r\n"
)


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [
        ("1", "a/b+1", Path("udp", "203.0.113.5:8189")),
        ("1", "six", Path("udp", "[2001:db8::5]:8189")),
        ("2", "c", Path("tcp", "203.0.113.5:8189")),
        ("7", "a/b+1", Path("relay", "203.0.113.5:8189")),
        ("found-on-the-way", "c", Path("tcp", "203.0.113.5:8189")),
        ("1", "found-on-the-way", Path("udp", "")),
        ("found-on-the-way", "as-well", None),
    ],
)
def test_the_path_has_a_kind_and_an_address(local: str, remote: str, expected: Path | None) -> None:
    assert name_path(OFFER, ANSWER, local, remote) == expected
