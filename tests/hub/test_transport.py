"""What is done to the socket below paho, and what it says."""

from __future__ import annotations

import socket

from agent.hub import transport


def test_no_message_waits_for_the_acknowledgement_of_another() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        transport.prepare(None, None, sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_error_that_paho_only_logs_is_kept() -> None:
    error = transport.LastError()
    error.logger.warning("failed to receive on socket: %s", ConnectionResetError("reset"))
    error.logger.warning("and something else: %s", "word")
    assert isinstance(error.last, ConnectionResetError)
