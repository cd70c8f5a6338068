"""What is done to the socket below paho, and what it says."""

from __future__ import annotations

from agent.hub import transport


def test_the_error_that_paho_only_logs_is_kept() -> None:
    error = transport.LastError()
    error.logger.warning("failed to receive on socket: %s", ConnectionResetError("reset"))
    error.logger.warning("and something else: %s", "word")
    assert isinstance(error.last, ConnectionResetError)
