"""No deadline passes that nobody takes."""

from __future__ import annotations

from agent.core.model import deadlines
from agent.core.model.deadlines import Deadline
from agent.core.room import Room
from tests.core.playbook import PROFILE


def test_each_deadline_has_its_line_in_the_rooms_table() -> None:
    kinds = {
        kind
        for kind in vars(deadlines).values()
        if isinstance(kind, type) and issubclass(kind, Deadline) and kind is not Deadline
    }
    assert set(Room(PROFILE).deadlines) == kinds


def test_equal_ones_are_the_same_and_others_are_not() -> None:
    late, recording = deadlines.InstructionLate("c1"), deadlines.RecordingLate("c1")
    assert {late, deadlines.InstructionLate("c1")} == {late}
    assert len({late, recording, deadlines.InstructionLate("c2"), deadlines.JoinLate()}) == 4
