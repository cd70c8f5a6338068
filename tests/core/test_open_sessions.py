"""What is open at media servers outlives the media process and the daemon, until somebody has ended it."""

from __future__ import annotations

from agent.core.model import effects as do
from agent.core.model.commands import Endpoint
from agent.core.model.events import Restored
from agent.core.model.media import MeetingPlan, OpenSession, SessionsReported
from tests.core.playbook import Playbook

ONE = OpenSession(
    "https://media.example/session/1", Endpoint("https://media.example/a/whip", "s3cret")
)


def test_the_next_media_process_ends_what_a_dead_one_left() -> None:
    play = Playbook()
    play.enter()
    play.report(SessionsReported([ONE]))
    assert play.all(do.RememberSessions)[-1].sessions == [ONE]
    play.exit("was killed by SIGSEGV")
    play.wait(1.0)
    assert play.all(do.StartMedia)[-1].plan.leftovers == [ONE]
    play.report(SessionsReported([]))
    assert play.all(do.RememberSessions)[-1].sessions == [], "no token stays on the disk"


def test_they_are_remembered_over_a_restart_of_the_daemon() -> None:
    play = Playbook()
    play.enter()
    record = play.all(do.RememberMeeting)[-1].record
    again = Playbook()
    again.tell(Restored(record, [], cold=True, sessions=[ONE]))
    plan = again.all(do.StartMedia)[-1].plan
    assert isinstance(plan, MeetingPlan)
    assert plan.leftovers == [ONE]
