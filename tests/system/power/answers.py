"""What the hub was told about its commands, across all the lives of the room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

FINAL = {"succeeded", "failed", "rejected", "expired", "superseded"}


class Answers:
    """Of acks as they came; the same ack sent again, as QoS 1 may, is one answer."""

    def __init__(self, acks: Iterable[dict[str, Any]]) -> None:
        self._finals: dict[str, set[tuple[int, str, str]]] = defaultdict(set)
        for ack in acks:
            if ack["state"] in FINAL:
                self._finals[ack["id"]].add((ack["seq"], ack["state"], ack["code"]))

    def count(self) -> int:
        """How many commands have their final answer."""
        return len(self._finals)

    def missing(self, sent: Iterable[str]) -> list[str]:
        """Commands of these without a final answer."""
        return [command for command in sent if command not in self._finals]

    def contradictions(self) -> dict[str, set[tuple[int, str, str]]]:
        """Commands with more than one final answer, and those answers."""
        return {command: finals for command, finals in self._finals.items() if len(finals) > 1}

    def interrupted(self) -> list[str]:
        """Commands that a power cut came in between, as the room said."""
        return [
            command
            for command, finals in self._finals.items()
            if any(code == "interrupted" for _, _, code in finals)
        ]
