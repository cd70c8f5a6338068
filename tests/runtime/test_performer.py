"""What the performer judges for itself before it acts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.core.model.effects import StartMedia
from agent.runtime.performer import Performer


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
