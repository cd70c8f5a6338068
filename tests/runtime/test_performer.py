"""What the performer judges for itself before it acts."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.core.model.commands import Ack, AckState, Code
from agent.core.model.documents import Phase
from agent.core.model.effects import PublishState, SendAck, StartMedia
from agent.ports import Outgoing
from agent.runtime.performer import Performer
from tests.hub.conftest import room_state


@pytest.mark.parametrize(
    ("upgraded", "problem", "does"),
    [
        (False, "", "starts a media process"),
        (True, "", "starts anew"),
        (True, "agent.yaml:3: hub.hots: unknown key", "starts a media process"),
    ],
)
def test_an_upgrade_takes_no_room_dark_for_settings_that_cannot_be_used(
    upgraded: bool, problem: str, does: str
) -> None:
    """A join after an upgrade ended the daemon, and no new one came up."""
    started: list[int] = []
    outside = SimpleNamespace(
        journal=None,
        hub=None,
        code=SimpleNamespace(replaced=lambda: upgraded),
        settings_problem=lambda: problem,
        supervisor=SimpleNamespace(start=lambda generation, plan: started.append(generation)),
    )
    performer = Performer(cast(Any, outside))
    performer.perform([StartMedia(1, cast(Any, None))])
    assert (performer.ended, started) == (("agent", []) if does == "starts anew" else (None, [1]))


def test_a_join_that_came_true_by_itself_has_not_failed_any_more() -> None:
    """`status` said that it had, after the meeting too: a try of the room's own is answered by nobody."""
    control = SimpleNamespace(deliver=lambda ack: None)
    hub = SimpleNamespace(publish_state=lambda state: None, publish=lambda outgoing: None)
    hub.together = nullcontext
    journal = SimpleNamespace(together=nullcontext, record_late=lambda: None)
    journal.record_result = lambda send: Outgoing(send, "1")
    performer = Performer(cast(Any, SimpleNamespace(journal=journal, hub=hub, control=control)))

    def fail(id: str) -> None:
        at = datetime(2026, 11, 28, tzinfo=UTC)
        ack = Ack(id, "join", "thon-5", AckState.FAILED, Code.TIMEOUT, "", 3, at)
        performer.perform([SendAck(ack, None, final=True)])

    fail("first")
    performer.perform([PublishState(room_state(Phase.JOINING))])
    assert performer.failed_join is not None
    performer.perform([PublishState(room_state(Phase.IN_MEETING))])
    assert performer.failed_join is None
    fail("another")
    performer.perform([PublishState(room_state(Phase.IN_MEETING))])
    assert performer.failed_join is not None, "of a later one it is true"
