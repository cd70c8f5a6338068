"""The link's mailbox keeps nothing for later and cannot grow without bounds."""

from __future__ import annotations

import select

import pytest

from agent.core.model.events import Delivery
from agent.errors import HubError
from agent.hub.mailbox import MAX_JOBS, Mailbox


def rings(mailbox: Mailbox) -> bool:
    return bool(select.select([mailbox.wake], [], [], 0)[0])


def test_jobs_are_taken_in_order_and_wake_the_taker() -> None:
    mailbox = Mailbox()
    mailbox.open()
    jobs = [Delivery(number, 1) for number in range(3)]
    assert not rings(mailbox)
    for job in jobs:
        mailbox.put(job)
    assert rings(mailbox)
    assert list(mailbox.take()) == jobs
    assert list(mailbox.take()) == []


def test_without_a_connection_nothing_is_kept() -> None:
    mailbox = Mailbox()
    mailbox.put(Delivery(1, 1))
    mailbox.open()
    assert list(mailbox.take()) == []
    mailbox.put(Delivery(2, 1))
    mailbox.shut()
    mailbox.open()
    assert list(mailbox.take()) == []


def test_too_much_to_be_true_ends_the_connection() -> None:
    mailbox = Mailbox()
    mailbox.open()
    for number in range(MAX_JOBS + 1):
        mailbox.put(Delivery(number, 1))
    with pytest.raises(HubError) as caught:
        list(mailbox.take())
    assert caught.value.code == "backlog"
