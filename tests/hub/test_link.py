"""The link against a real Mosquitto: what the hub sees, what the loop is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.core.model.commands import Ack, AckState, Code, Join, Origin, Ping, Reply
from agent.core.model.documents import EventDocument, HealthDocument, Phase, Status
from agent.core.model.effects import SendAck
from agent.core.model.events import (
    CommandReceived,
    CommandRefused,
    Delivered,
    LinkChanged,
    RoundTripMeasured,
)
from agent.ports import Outgoing
from tests.hub.conftest import ROOM, RunningLink, room_state
from tests.support.broker import Broker, Hub, wait_until
from tests.support.slow_line import SlowLine

MakeLink = Callable[..., RunningLink]


def ack(id: str = "c1") -> SendAck:
    now = datetime.now(UTC)
    return SendAck(Ack(id, "ping", ROOM.id, AckState.SUCCEEDED, Code.OK, "pong", 1, now))


def test_the_room_is_seen_online_with_the_sessions_id(
    broker: Broker, root: str, make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "agent.hub")
    with Hub(broker.port, [f"{root}/#"]) as hub:
        up = make_link(broker.port).start()
        state = hub.wait_for(f"{root}/room/thon-5/state").document
    assert f"hub link up, session {up.session}" in caplog.text
    assert state["connection"] == "online"
    assert state["session"] == up.session != ""
    assert state["phase"] == "standby"


def test_state_and_health_are_kept_by_the_broker(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    health = HealthDocument(ROOM.id, Status.OK, {}, {}, None, datetime.now(UTC))
    running.start()
    running.link.publish_health(health)
    running.link.publish_state(room_state(Phase.IN_MEETING))
    running.link.publish(Outgoing(ack(), "k"))
    running.wait_for(Delivered)
    with Hub(broker.port, [f"{root}/#"]) as late:
        state = late.wait_for(running.topics.state)
        assert state.retained
        assert state.document["phase"] == "in-meeting"
        assert late.wait_for(running.topics.health).document["status"] == "ok"
        assert {one.topic for one in late.seen} == {running.topics.state, running.topics.health}


def test_commands_come_in_from_room_and_groups(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    running.start()
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/room/thon-5/cmd/join", {"id": "j1", "meeting": {"id": "giao-ban"}})
        hub.send(f"{root}/group/xa-ba-vi/cmd/ping", {"id": "p1"}, qos=0)
        hub.send(f"{root}/group/all/cmd/ping", {"id": "p2"}, qos=2)
        hub.send(f"{root}/room/thon-6/cmd/ping", {"id": "not ours"})
        received = wait_until(lambda: _at_least(3, running.of(CommandReceived)), "three commands")
    by_id = {event.command.id: event for event in received}
    assert isinstance(by_id["j1"].command.body, Join)
    assert by_id["j1"].command.origin is Origin.HUB
    assert isinstance(by_id["p1"].command.body, Ping)
    assert by_id["p1"].command.origin is by_id["p2"].command.origin is Origin.GROUP
    assert by_id["p1"].delivery is None, "QoS 0 has nothing to acknowledge"
    assert by_id["p2"].delivery is not None


def _at_least(count: int, events: list[CommandReceived]) -> list[CommandReceived] | None:
    return events if len(events) >= count else None


@pytest.mark.parametrize("wanted", ["sender", None])
def test_who_the_broker_vouches_for_is_the_sender(
    broker: Broker, root: str, make_link: MakeLink, wanted: str | None
) -> None:
    """The last property of that name counts: a broker adds its own behind what the sender wrote."""
    running = make_link(broker.port, sender_property=wanted)
    running.start()
    cases = {"named": ["mallory", "hà"], "unnamed": [], "key": ["key ha-2026"]}
    with Hub(broker.port, []) as hub:
        for id, names in cases.items():
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = [("app", "x"), *(("sender", name) for name in names)]
            payload = json.dumps({"id": id})
            hub.client.publish(
                f"{root}/room/thon-5/cmd/ping", payload, qos=1, properties=properties
            )
        wait_until(lambda: len(running.of(CommandReceived)) == len(cases), "all of them")
    senders = {one.command.id: one.command.sender for one in running.of(CommandReceived)}
    named = {"named": "user hà", "unnamed": None, "key": "user key ha-2026"}
    assert senders == (named if wanted else dict.fromkeys(cases))


def test_a_key_is_delivered_when_the_broker_has_the_message(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    running.start()
    event = EventDocument("fault", ROOM.id, "x", "y", datetime.now(UTC))
    with Hub(broker.port, [f"{root}/#"]) as hub:
        running.link.publish(Outgoing(ack("c7"), "key-1"))
        running.link.publish(Outgoing(event, "key-2"))
        running.wait_for(Delivered, lambda one: one.key == "key-1")
        running.wait_for(Delivered, lambda one: one.key == "key-2")
        seen = hub.wait_for(f"{root}/room/thon-5/ack/c7")
        assert seen.document["state"] == "succeeded"
        assert not seen.retained
        assert hub.wait_for(f"{root}/room/thon-5/event/fault").document["code"] == "x"


def test_an_ack_goes_to_the_response_topic_too(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    running.start()
    with Hub(broker.port, [f"{root}/#"]) as hub:
        hub.send(
            f"{root}/room/thon-5/cmd/ping", {}, reply_to=f"{root}/reply/me", correlation=b"\x00\xff"
        )
        reply = running.wait_for(CommandReceived).command.reply
        assert reply == Reply(f"{root}/reply/me", b"\x00\xff")
        send = ack()
        running.link.publish(Outgoing(SendAck(send.ack, reply), "k"))
        answer = hub.wait_for(f"{root}/reply/me")
        assert answer.correlation == b"\x00\xff"
        assert answer.document == hub.wait_for(running.topics.ack("c1")).document


def test_the_link_checks_itself_through_the_broker(broker: Broker, make_link: MakeLink) -> None:
    running = make_link(broker.port)
    running.start()
    first = running.wait_for(RoundTripMeasured)
    second = running.wait_for(RoundTripMeasured, after=1)
    assert first.milliseconds is not None
    assert second.milliseconds is not None
    assert 0 < second.milliseconds < 1000
    assert running.link.alive()


def said(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["at"])


def test_a_killed_agent_is_lost_and_a_closed_one_offline(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    with Hub(broker.port, [f"{root}/#"]) as hub, SlowLine(broker.port) as line:
        running = make_link(line.port)
        session = running.start().session
        connected_by = datetime.now(UTC)
        line.cut()
        lost = hub.wait_for(running.topics.state, lambda one: one["connection"] == "lost").document
        assert lost["session"] == session
        assert said(lost) <= connected_by
        again = running.wait_for(LinkChanged, lambda one: one.up, after=1)
        assert again.session != session
        closing = datetime.now(UTC)
        running.link.close()
        offline = hub.wait_for(running.topics.state, lambda one: one["connection"] == "offline")
    assert said(offline.document) > closing - timedelta(seconds=0.1), (
        "not when the room last did something else"
    )
    assert hub.on(running.topics.state)[-1].document["connection"] == "offline"


def test_unacknowledged_commands_come_again_and_acknowledged_ones_do_not(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    first = make_link(broker.port)
    first.start()
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "kept"})
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "lost"})
        wait_until(lambda: _at_least(2, first.of(CommandReceived)), "both")
        for event in first.of(CommandReceived):
            if event.command.id == "kept" and event.delivery:
                first.link.acknowledge(event.delivery)
        first.link.close()
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "while-away"})
        second = make_link(broker.port)
        second.obedient()  # they come before the broker confirms what we subscribe to
        second.start()
        wait_until(lambda: _at_least(2, second.of(CommandReceived)), "both again")
        second.link.close()
        third = make_link(broker.port)
        third.start()
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "new"})
        third.wait_for(CommandReceived, lambda event: event.command.id == "new")
    assert [event.command.id for event in second.of(CommandReceived)] == ["lost", "while-away"]
    assert [event.command.id for event in third.of(CommandReceived)] == ["new"]


def test_a_retained_command_is_refused(broker: Broker, root: str, make_link: MakeLink) -> None:
    running = make_link(broker.port)
    topic = f"{root}/room/thon-5/cmd/ping"
    with Hub(broker.port, []) as hub:
        hub.send(topic, {"id": "before"}, retain=True)
        running.start()
        old = running.wait_for(CommandRefused, lambda event: event.id == "before")
        hub.send(topic, {"id": "now"}, retain=True)
        new = running.wait_for(CommandRefused, lambda event: event.id == "now")
        hub.client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)
    assert old.code is new.code is Code.RETAINED
    assert running.of(CommandReceived) == []


def test_clearing_a_retained_command_is_no_mistake(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    running.start()
    topic = f"{root}/room/thon-5/cmd/ping"
    with Hub(broker.port, []) as hub:
        hub.send(topic, {"id": "kept"}, retain=True)
        hub.client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)
        hub.send(topic, {"id": "after"})
        running.wait_for(CommandReceived, lambda event: event.command.id == "after")
    assert [event.id for event in running.of(CommandRefused)] == ["kept"]


def test_a_megabyte_is_refused_and_the_link_stays(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    running.start()
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/room/thon-5/cmd/ping", b'{"id":"big","x":"' + b"x" * 2**20 + b'"}')
        refused = running.wait_for(CommandRefused)
        assert (refused.code, refused.id) == (Code.TOO_LARGE, "big")
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "after"})
        running.wait_for(CommandReceived, lambda event: event.command.id == "after")
    assert len(running.of(LinkChanged)) == 1


def without_its_group(broker: Broker, make_link: MakeLink) -> RunningLink:
    """A link whose session is of settings that named a group, and whose own name none."""
    member = make_link(broker.port)
    member.start()
    member.link.close()
    left = make_link(broker.port, groups=[])
    left.start()
    return left


def test_a_group_that_the_room_has_left_is_unsubscribed(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    left = without_its_group(broker, make_link)
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/group/xa-ba-vi/cmd/ping", {"id": "one"})
        refused = left.wait_for(CommandRefused)
        assert (refused.id, refused.code) == ("one", Code.NOT_PERMITTED)
        assert "xa-ba-vi" in refused.text
        assert refused.delivery is not None
        left.link.acknowledge(refused.delivery)
        hub.send(f"{root}/group/xa-ba-vi/cmd/ping", {"id": "two"})
        hub.send(f"{root}/group/all/cmd/ping", {"id": "three"})
        left.wait_for(CommandReceived, lambda event: event.command.id == "three")
    assert [event.id for event in left.of(CommandRefused)] == ["one"]


def test_the_agenda_of_a_group_that_the_room_has_left_is_unsubscribed(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    """It was asked for by its whole topic, which the filter of the commands does not name."""
    left = without_its_group(broker, make_link)
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/group/xa-ba-vi/agenda", {"id": "one"})
        refused = left.wait_for(CommandRefused)
        assert refused.delivery is not None
        left.link.acknowledge(refused.delivery)
        hub.send(f"{root}/group/xa-ba-vi/agenda", {"id": "two"})
        hub.send(f"{root}/group/all/cmd/ping", {"id": "three"})
        left.wait_for(CommandReceived, lambda event: event.command.id == "three")
    assert [event.id for event in left.of(CommandRefused)] == ["one"]
