"""The room comes before the hub's commands, and the link is told when there are enough."""

from __future__ import annotations

import queue

import pytest
from msgspec import structs

from agent.core.model.commands import Origin
from agent.core.model.events import CommandReceived, DevicesReturned, LineChanged
from agent.core.model.local_queries import StatusQuery
from agent.runtime.control import QueryReceived
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


def test_a_button_does_not_wait_for_a_flood_on_the_control_socket() -> None:
    """Sixteen clients with 32 commands each, and an fsync for each command, were seconds."""
    inbox: Inbox[object] = Inbox()
    flood: list[object] = []
    for number in range(500):
        local = structs.replace(ping(f"p{number}"), origin=Origin.LOCAL)
        flood += [CommandReceived(local), QueryReceived(StatusQuery(), lambda answer: None)]
    of_the_hub = CommandReceived(ping("hub"))
    inbox.put(of_the_hub)
    for one in [*flood, DevicesReturned("loan-1")]:
        inbox.put(one)
    pressed = LineChanged("mute-button", True)
    inbox.put(pressed)
    assert inbox.get() is pressed
    assert [inbox.get() for _ in flood] == flood
    assert inbox.get() == DevicesReturned("loan-1"), "not before what its client had asked for"
    assert inbox.get() is of_the_hub


def test_enough_is_a_handful() -> None:
    inbox: Inbox[object] = Inbox()
    for number in range(ENOUGH_COMMANDS):
        assert not inbox.is_busy()
        inbox.put(CommandReceived(ping(f"p{number}")))
    assert inbox.is_busy()
