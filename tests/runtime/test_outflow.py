"""The outbox goes to the hub in a window, each message once on a connection, refused ones aside."""

from __future__ import annotations

from pathlib import Path

from agent.core.model.events import LinkChanged
from agent.ports import Outgoing
from agent.runtime.outflow import WINDOW, Outflow
from agent.store.journal import Journal
from tests.store.test_journal import event


class Hub:
    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    def publish(self, outgoing: Outgoing) -> None:
        self.published.append(outgoing)

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


def up(outflow: Outflow, session: str) -> None:
    outflow.link_changed(LinkChanged(up=True, session=session))
    outflow.resend()


def test_the_outbox_passes_through_a_window_once(tmp_path: Path) -> None:
    journal, hub = Journal(tmp_path), Hub()
    outflow = Outflow(journal, hub)  # type: ignore[arg-type]
    waiting = [journal.record_event(event(number)) for number in range(3 * WINDOW)]
    up(outflow, "one")
    assert hub.published == waiting[:WINDOW]
    newest = journal.record_event(event(999))
    outflow.publish(newest)
    up(outflow, "one")  # the link has more to say of the same connection
    assert len(hub.published) == WINDOW, "a window and no more"
    for one in waiting:
        journal.mark_sent(one.key)
        outflow.settled(one.key)
    assert hub.published == [*waiting, newest]


def test_what_happens_before_the_first_connection_comes_once(tmp_path: Path) -> None:
    """The hub was told twice what a restarted agent had to say, once by each way."""
    journal, hub = Journal(tmp_path), Hub()
    outflow = Outflow(journal, hub)  # type: ignore[arg-type]
    first = journal.record_event(event(1))
    outflow.publish(first)
    assert hub.published == []
    up(outflow, "one")
    assert hub.published == [first]


def test_what_is_refused_does_not_block_and_is_tried_on_the_next_connection(tmp_path: Path) -> None:
    journal, hub = Journal(tmp_path), Hub()
    outflow = Outflow(journal, hub)  # type: ignore[arg-type]
    waiting = [journal.record_event(event(number)) for number in range(WINDOW + 1)]
    up(outflow, "one")
    for one in waiting[:WINDOW]:
        outflow.settled(one.key)  # refused: it stays on disk
    assert hub.published == waiting
    outflow.link_changed(LinkChanged(up=False))
    outflow.publish(journal.record_event(event(999)))
    assert hub.published == waiting, "nothing goes to a link that is down"
    up(outflow, "two")
    assert hub.published[len(waiting) :] == waiting[:WINDOW]


def test_what_is_refused_is_tried_again_on_a_connection_that_lasts(tmp_path: Path) -> None:
    journal, hub = Journal(tmp_path), Hub()
    outflow = Outflow(journal, hub)  # type: ignore[arg-type]
    refused, taken, on_its_way = (journal.record_event(event(number)) for number in range(3))
    up(outflow, "one")
    outflow.settled(refused.key)
    journal.mark_sent(taken.key)
    outflow.settled(taken.key)
    hub.published.clear()
    outflow.resend(refused=True)
    assert hub.published == [refused], "and not what the broker has, or has not answered yet"
    outflow.settled(on_its_way.key)
    outflow.link_changed(LinkChanged(up=False))
    hub.published.clear()
    outflow.resend(refused=True)
    assert hub.published == []
