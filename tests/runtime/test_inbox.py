"""The room comes before the hub's commands, and the link is told when there are enough."""

from __future__ import annotations

import queue

import pytest
from msgspec import structs

from agent.core.model.commands import Origin
from agent.core.model.events import CommandReceived, LineChanged
from agent.runtime.inbox import ENOUGH_COMMANDS, Inbox
from tests.store.test_journal import ping


def test_a_button_does_not_wait_for_a_flood_of_commands() -> None:
    inbox: Inbox[object] = Inbox()
    flood = [CommandReceived(ping(f"p{number}")) for number in range(1000)]
    by_hand = CommandReceived(structs.replace(ping("by-hand"), origin=Origin.LOCAL))
    pressed = LineChanged("mute-button", True)
    for command in flood:
        inbox.put(command)
    inbox.put(pressed)
    inbox.put(by_hand)
    assert inbox.is_busy()
    assert [inbox.get(), inbox.get_nowait()] == [pressed, by_hand]
    assert [inbox.get() for _ in flood] == flood
    assert not inbox.is_busy()
    with pytest.raises(queue.Empty):
        inbox.get(timeout=0)


def test_enough_is_a_handful() -> None:
    inbox: Inbox[object] = Inbox()
    for number in range(ENOUGH_COMMANDS):
        assert not inbox.is_busy()
        inbox.put(CommandReceived(ping(f"p{number}")))
    assert inbox.is_busy()
