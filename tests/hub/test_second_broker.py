"""The room at a broker that is not Mosquitto, and that has the limits of hosted ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from moat.lib.mqtt import PropertyType as Limit
from moat.lib.mqtt import ReasonCode

from agent.core.model.commands import Ack, AckState, Code
from agent.core.model.effects import SendAck
from agent.core.model.events import (
    CommandReceived,
    Delivered,
    LinkChanged,
    MessageRefused,
    RoundTripMeasured,
)
from agent.hub.backoff import Backoff
from agent.ports import Outgoing
from tests.hub.conftest import RunningLink
from tests.support.broker import Hub
from tests.support.second_broker import SecondBroker

MakeLink = Callable[..., RunningLink]
LIMITS: dict[str, dict[Limit, Any]] = {
    "none": {},
    "receive-maximum-1": {Limit.RECEIVE_MAXIMUM: 1},
    "receive-maximum-10": {Limit.RECEIVE_MAXIMUM: 10},
    "packet-size-1000": {Limit.MAXIMUM_PACKET_SIZE: 1000},
    "qos-0": {Limit.MAXIMUM_QOS: 0},
    "qos-1": {Limit.MAXIMUM_QOS: 1},
    "no-retain": {Limit.RETAIN_AVAILABLE: 0},
    "no-wildcards": {Limit.WILDCARD_SUBSCRIPTION_AVAILABLE: 0},
    "topic-aliases": {Limit.TOPIC_ALIAS_MAXIMUM: 10},
    "keepalive-2": {Limit.SERVER_KEEP_ALIVE: 2},
    "no-session": {Limit.SESSION_EXPIRY_INTERVAL: 0},
    "other-name": {Limit.ASSIGNED_CLIENT_IDENTIFIER: "given-by-the-hub"},
    "no-shared": {
        Limit.SHARED_SUBSCRIPTION_AVAILABLE: 0,
        Limit.SUBSCRIPTION_IDENTIFIER_AVAILABLE: 0,
    },
}
LIMITS["all"] = {
    limit: value
    for name, limits in LIMITS.items()
    if name not in ("receive-maximum-10", "qos-1", "other-name")
    for limit, value in limits.items()
}
LEARNT = {
    "qos-0": [ReasonCode.QOS_NOT_SUPPORTED],
    "no-retain": [ReasonCode.RETAIN_NOT_SUPPORTED],
    "all": [ReasonCode.RETAIN_NOT_SUPPORTED, ReasonCode.QOS_NOT_SUPPORTED],
}
"""What a room cannot know before its CONNECT, whose will is refused once for each."""

SHORT = {"qos-0": "QoS 0", "no-retain": "retained", "all": "retained"}
ACKS = 40


def ack(number: int, text: str = "") -> Outgoing:
    now = datetime.now(UTC)
    made = Ack(f"p{number}", "ping", "thon-5", AckState.SUCCEEDED, Code.OK, text, 3, now)
    return Outgoing(SendAck(made, final=True), f"ack-{number}")


@pytest.mark.parametrize("name", LIMITS)
def test_the_room_keeps_to_what_the_hub_takes(name: str, root: str, make_link: MakeLink) -> None:
    with SecondBroker(LIMITS[name]) as broker:
        running = make_link(broker.port, keepalive_seconds=20, backoff=Backoff(lambda: 1.0))
        up = running.start()
        assert broker.broken == LEARNT.get(name, [])
        assert (up.code == "limited-hub") == (name in SHORT)
        assert SHORT.get(name, "") in up.text
        for number in range(ACKS):
            running.link.publish(ack(number))
        running.wait_for(Delivered, lambda event: event.key == f"ack-{ACKS - 1}")
        assert len(running.of(Delivered)) == ACKS
        with Hub(broker.port, []) as hub:
            qos = min(1, LIMITS[name].get(Limit.MAXIMUM_QOS, 1))
            hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "p"}, qos=qos)
            running.wait_for(CommandReceived, lambda event: event.command.id == "p")
        if Limit.SERVER_KEEP_ALIVE in LIMITS[name]:
            running.wait_for(RoundTripMeasured, after=3)
        assert broker.broken == LEARNT.get(name, [])
        assert running.of(LinkChanged)[-1] == up
        if name == "none":
            assert broker.most_in_flight > 10


def test_what_is_too_large_for_the_hub_is_said_and_the_rest_flows(make_link: MakeLink) -> None:
    with SecondBroker(LIMITS["packet-size-1000"]) as broker:
        running = make_link(broker.port)
        running.start()
        running.link.publish(ack(1, "x" * 2000))
        running.link.publish(ack(2))
        running.wait_for(Delivered, lambda event: event.key == "ack-2")
        refused = running.wait_for(MessageRefused)
        assert (refused.key, refused.code) == ("ack-1", "too-large")
        assert "(1000)" in refused.text
        assert broker.broken == []


def test_a_hub_that_cannot_take_the_rooms_state_is_named_and_not_hammered(
    make_link: MakeLink,
) -> None:
    with SecondBroker({Limit.MAXIMUM_PACKET_SIZE: 250}) as broker:
        running = make_link(broker.port, groups=[f"xa-{number}" for number in range(20)])
        running.start()
        down = running.wait_for(LinkChanged, lambda event: not event.up)
        assert down.code == "publish-refused"
        assert "(250)" in down.text
        assert broker.broken == []
