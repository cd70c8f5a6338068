"""A reload starts the daemon anew, and disturbs nobody: not a meeting, not a command under way."""

from __future__ import annotations

from typing import Literal

from msgspec import structs

from agent.core.model.commands import AckState, Command, Origin, Restart
from agent.core.model.documents import Phase
from agent.core.model.effects import EndDaemon, PublishEvent
from agent.core.model.events import CommandReceived, ReloadRequested
from tests.core.playbook import PROFILE, Playbook

ANEW = EndDaemon("agent")


def test_in_standby_it_is_done_at_once() -> None:
    assert ANEW in Playbook().tell(ReloadRequested())


def test_the_picture_of_the_standby_is_taken_down_first() -> None:
    play = Playbook(structs.replace(PROFILE, has_screen=True))
    play.command("display", power="on")
    play.light()
    play.tell(ReloadRequested())
    assert play.all(EndDaemon) == []
    assert ANEW in play.exit()


def test_it_waits_for_the_end_of_the_meeting() -> None:
    play = Playbook()
    play.enter()
    assert play.tell(ReloadRequested()) == []
    play.exit()
    play.wait(60)
    play.flow()
    assert play.phase is Phase.IN_MEETING, "a media process's crash is mended as ever"
    play.command("leave")
    assert play.all(EndDaemon) == [], "the media process is not gone yet"
    assert ANEW in play.exit()


def test_it_waits_for_the_command_that_is_under_way() -> None:
    play = Playbook()
    play.command("display", power="on")
    assert play.tell(ReloadRequested()) == []
    assert ANEW in play.light()


def test_it_never_comes_between_two_meetings() -> None:
    play = Playbook()
    play.enter()
    play.tell(ReloadRequested())
    play.join("giao-ban-2", replace=True)
    play.exit()
    assert play.phase is Phase.JOINING
    assert play.all(EndDaemon) == []


def test_settings_that_cannot_be_used_take_no_healthy_room_dark() -> None:
    play = Playbook()
    play.tell(ReloadRequested("agent.yaml:3: hub.hots: unknown key"))
    assert play.all(EndDaemon) == []
    (told,) = [effect.event for effect in play.all(PublishEvent)]
    assert (told.type, told.code) == ("fault", "bad-settings")
    assert "hub.hots" in told.text
    scopes: list[Literal["agent", "host"]] = ["agent", "host"]
    for scope in scopes:  # a machine that was restarted has no agent either
        command = Command(scope, "restart", Restart(scope), Origin.HUB)
        play.tell(CommandReceived(command, settings_problem="agent.yaml:3: hub.hots: unknown key"))
        assert play.all(EndDaemon) == []
        assert play.acks(scope)[-1].state is AckState.REJECTED
        assert "hub.hots" in play.acks(scope)[-1].text
