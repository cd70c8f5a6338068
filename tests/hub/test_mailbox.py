"""The link's mailbox keeps nothing for later and cannot grow without bounds."""

from __future__ import annotations

import os
import select

from agent.core.model.events import Delivery
from agent.hub.mailbox import MAX_PASSING, Mailbox
from agent.ports import Outgoing
from tests.hub.conftest import room_state
from tests.store.test_journal import event


def rings(mailbox: Mailbox) -> bool:
    return bool(select.select([mailbox.wake], [], [], 0)[0])


def outgoing(number: int, key: str = "") -> Outgoing:
    return Outgoing(event(number), key)


def taken(mailbox: Mailbox) -> list[object]:
    return list(iter(mailbox.take, None))


def test_jobs_are_taken_in_order_and_wake_the_taker() -> None:
    mailbox = Mailbox()
    mailbox.open()
    jobs = [outgoing(number) for number in range(3)]
    assert not rings(mailbox)
    for job in jobs:
        mailbox.put(job)
    assert rings(mailbox)
    assert taken(mailbox) == jobs
    mailbox.put(Delivery(1, 1))
    assert list(mailbox.deliveries()) == [Delivery(1, 1)]
    assert taken(mailbox) == list(mailbox.deliveries()) == []


def test_without_a_connection_nothing_is_kept() -> None:
    mailbox = Mailbox()
    mailbox.put(outgoing(1))
    mailbox.put(Delivery(1, 1))
    mailbox.open()
    assert taken(mailbox) == []
    assert list(mailbox.deliveries()) == [Delivery(1, 1)], "it came before the connection was up"
    for job in (outgoing(2), room_state(), Delivery(2, 1)):
        mailbox.put(job)
    mailbox.shut()
    mailbox.open()
    assert taken(mailbox) == list(mailbox.deliveries()) == []


def test_what_piles_up_is_bounded_and_costs_only_what_passes() -> None:
    """A slow line and a flood of pings: progress of commands is dropped, finals and documents are not."""
    mailbox = Mailbox()
    mailbox.open()
    states = [room_state() for _ in range(50)]
    for number in range(MAX_PASSING + 50):
        mailbox.put(outgoing(number))
    for state in states:
        mailbox.put(state)
    mailbox.put(outgoing(0, key="kept"))
    jobs = taken(mailbox)
    assert len(jobs) == MAX_PASSING + 2
    assert jobs[-2] is states[-1], "the newest document"
    assert jobs[-1] == outgoing(0, key="kept")
    mailbox.put(outgoing(1))
    assert taken(mailbox) == [outgoing(1)]


def test_jobs_of_one_moment_wake_the_taker_once_at_its_end() -> None:
    mailbox = Mailbox()
    mailbox.open()
    with mailbox.together():
        mailbox.put(outgoing(1))
        mailbox.put(Delivery(1, 1))
        assert not rings(mailbox)
    assert rings(mailbox)
    assert os.eventfd_read(mailbox.wake) == 1
    with mailbox.together():
        pass
    assert not rings(mailbox), "nothing came"
    mailbox.put(outgoing(2))
    assert rings(mailbox), "and after it at once, as before"
