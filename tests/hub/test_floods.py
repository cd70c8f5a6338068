"""More than the room can do: what the hub sends waits at the hub, and the link stays."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paho.mqtt.client
import pytest

from agent.core.model.events import (
    CommandReceived,
    Delivered,
    LinkChanged,
    RoundTripMeasured,
)
from agent.errors import HubError
from agent.hub import link as link_module
from agent.hub.backoff import Backoff
from agent.hub.connection import MAX_QUEUED
from agent.hub.limits import IN_FLIGHT
from agent.ports import Outgoing
from tests.hub.conftest import RunningLink, room_state
from tests.store.test_journal import event
from tests.support.broker import Broker, Hub, wait_until
from tests.support.slow_line import SlowLine

MakeLink = Callable[..., RunningLink]
FLOOD = 400
READ_AT_ONCE = 100
"""What paho may have taken from the socket before it was told to stop."""

KEEPALIVE_SECONDS = 20
BUSY_SECONDS = 0.5


class Impatient(Backoff):
    """Tries again at once."""

    def next_seconds(self, *, refused: bool) -> float:
        return 0.001


@contextmanager
def flooded(broker: Broker, running: RunningLink, qos: int) -> Iterator[None]:
    """So many commands stand before the room's door."""
    with Hub(broker.port, []) as hub:
        for number in range(FLOOD):
            payload = json.dumps({"id": f"f{number}", "padding": "x" * 1000})
            topic = f"{running.hub.topic_root}/room/thon-5/cmd/ping"
            info = hub.client.publish(topic, payload, qos=qos)
        info.wait_for_publish(20)
        yield


@pytest.mark.parametrize("qos", [0, 1])
def test_nothing_is_read_while_the_room_has_enough_to_do(
    broker: Broker, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch, qos: int
) -> None:
    """The MQTT library took what was not read for silence, and cut the link."""
    later = [0.0]
    monkeypatch.setattr(paho.mqtt.client, "time_func", lambda: time.monotonic() + later[0])
    running = make_link(broker.port, keepalive_seconds=KEEPALIVE_SECONDS)
    running.start()
    running.wait_for(RoundTripMeasured)
    running.busy = True
    with flooded(broker, running, qos):
        for _ in range(3):
            time.sleep(BUSY_SECONDS)  # what is asserted is that nothing happens in this time
            later[0] += 1.5 * KEEPALIVE_SECONDS
        assert len(running.of(CommandReceived)) <= READ_AT_ONCE
        assert running.link.alive()
        running.obedient()
        running.busy = False
        wait_until(lambda: len(running.of(CommandReceived)) == FLOOD, "all of it in the end")
    assert [event.up for event in running.of(LinkChanged)] == [True]


def test_more_answers_than_a_far_hub_confirms_wait_for_their_turn(
    broker: Broker, make_link: MakeLink
) -> None:
    """1,000 pings at a round trip of 400 ms made the room cut its link: "the hub owes us 1000"."""
    with SlowLine(broker.port, delay_seconds=0.2) as line:
        running = make_link(line.port, keepalive_seconds=20)
        running.start()
        for number in range(MAX_QUEUED + 500):
            running.link.publish(Outgoing(event(number), f"key-{number}"))
            running.link.publish(Outgoing(event(number)))  # as progress is, which is not kept
        wait_until(lambda: len(running.of(Delivered)) > 2 * IN_FLIGHT, "some rounds")
        assert [one.up for one in running.of(LinkChanged)] == [True]
        running.link.close()
    delivered = [one.key for one in running.of(Delivered)]
    assert delivered == [f"key-{number}" for number in range(len(delivered))], "in order"


def test_a_flood_of_states_of_this_room_is_said_once(
    own_broker: Broker, root: str, make_link: MakeLink
) -> None:
    """Each of them came before the mute button, as another agent of this name that takes our place."""
    running = make_link(own_broker.port, backoff=Impatient())
    running.start()
    topic = running.topics.state
    own_broker.stop()
    own_broker.start()
    running.wait_for(LinkChanged, lambda one: one.up, after=2)
    with Hub(own_broker.port, []) as hub:
        for number in range(FLOOD):
            hub.client.publish(topic, json.dumps({"session": f"other-{number}"}), qos=0)
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "after"})
        running.wait_for(CommandReceived, lambda one: one.command.id == "after")
    said = [one for one in running.of(LinkChanged) if one.code == "session-taken-over"]
    assert len(said) == 1


class AlternatingSession:
    """A connection that fails at once, for two reasons in turn; after some it is up before."""

    was_up = clone_seen = may_have_ended_by_a_copy = False
    id = "session"
    count = 0
    up_at: int | None = None

    def __init__(self, *_: object) -> None: ...

    def serve(self, *_: object) -> None:
        type(self).count += 1
        self.was_up = self.count == self.up_at
        raise HubError(*[("hub-refused", "refused"), ("hub-timeout", "timeout")][self.count % 2])

    def close(self) -> None: ...


@pytest.mark.parametrize("up_at", [None, 30], ids=["never up", "up in between"])
def test_reasons_that_take_turns_are_told_in_the_log_once(
    make_link: MakeLink,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    up_at: int | None,
) -> None:
    kind = type("Session", (AlternatingSession,), {"up_at": up_at})
    monkeypatch.setattr(link_module, "Session", kind)
    running = make_link(1, backoff=Impatient())
    running.link.start(room_state())
    wait_until(lambda: kind.count > 60, "many attempts")
    running.link.close()
    told = [record.getMessage() for record in caplog.records]
    once = ["hub link down: refused", "hub link down: timeout"]
    assert sorted(told) == sorted(once if up_at is None else once * 2)
