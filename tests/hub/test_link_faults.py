"""What breaks between room and hub: each ends in a clear code and text, and in a link again."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.core.model.commands import Ack, AckState, Code, Reply
from agent.core.model.documents import EventDocument
from agent.core.model.effects import SendAck
from agent.core.model.events import (
    CommandReceived,
    Delivered,
    LinkChanged,
    MessageRefused,
    RoundTripMeasured,
)
from agent.hub import link as link_module
from agent.hub import session as session_module
from agent.hub import topics as topics_module
from agent.hub.backoff import Backoff
from agent.hub.limits import IN_FLIGHT
from agent.ports import Outgoing
from tests.hub.conftest import RunningLink, room_state
from tests.support.broker import Broker, Hub, free_port, wait_until
from tests.support.slow_line import SlowLine

MakeLink = Callable[..., RunningLink]


def down(running: RunningLink, code: str, after: int = 0, seconds: float = 20) -> LinkChanged:
    return running.wait_for(
        LinkChanged, lambda event: event.code == code, after=after, seconds=seconds
    )


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_broker_that_restarts_finds_the_room_again(
    own_broker: Broker, root: str, make_link: MakeLink, how: str
) -> None:
    running = make_link(own_broker.port)
    first = running.start()
    getattr(own_broker, how)()
    gone = running.wait_for(LinkChanged, lambda event: not event.up)
    assert gone.text
    own_broker.start()
    again = running.wait_for(LinkChanged, lambda event: event.up, after=1)
    assert again.session != first.session
    with Hub(own_broker.port, [f"{root}/#"]) as hub:
        state = hub.wait_for(running.topics.state, lambda one: one["session"] == again.session)
        assert state.document["connection"] == "online"
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "after"})
        running.wait_for(CommandReceived, lambda event: event.command.id == "after")


def test_a_frozen_broker_is_noticed_within_one_and_a_half_keepalives(
    own_broker: Broker, make_link: MakeLink
) -> None:
    running = make_link(own_broker.port, keepalive_seconds=5)
    running.start()
    running.wait_for(RoundTripMeasured)
    own_broker.freeze()
    frozen_at = time.monotonic()
    gone = down(running, "no-echo")
    noticed_after = time.monotonic() - frozen_at
    assert noticed_after < 1.5 * 5
    assert "does not come back" in gone.text
    assert running.of(RoundTripMeasured)[-1].milliseconds is None
    own_broker.thaw()
    running.wait_for(LinkChanged, lambda event: event.up, after=1, seconds=40)


def test_a_hub_that_confirms_nothing_is_said_to_and_does_not_fill_the_memory(
    own_broker: Broker, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not acknowledged stands in the outbox on disk, from which it is sent again."""
    monkeypatch.setattr(session_module, "CONFIRMATION_KEEPALIVES", 0.1)
    running = make_link(own_broker.port, keepalive_seconds=5)
    running.start()
    own_broker.freeze()
    for number in range(IN_FLIGHT + 10):
        event = EventDocument("fault", "thon-5", "x", "y", datetime.now(UTC))
        running.link.publish(Outgoing(event, f"key-{number}"))
    assert "confirmed nothing" in down(running, "no-confirmation").text
    own_broker.thaw()
    monkeypatch.undo()
    running.wait_for(LinkChanged, lambda event: event.up, after=1, seconds=40)


def test_refused_credentials_say_so_and_are_not_hammered(
    tmp_path: Path, make_link: MakeLink
) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "thon-5", "right"], check=True)
    passwords.chmod(0o644)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    extra = ["allow_anonymous false", f"password_file {passwords}", "log_type notice"]
    with Broker(tmp_path / "broker", extra) as broker:
        running = make_link(broker.port, username="thon-5", password_file=str(secret))
        running.link.start(room_state())
        refused = down(running, "not-authorised")
        assert "credentials" in refused.text
        assert "wrong" not in refused.text
        seconds = 5.0
        time.sleep(seconds)  # what is asserted is that next to nothing happens in this time
        attempts = broker.log.read_text().count("not authorised")
        assert 1 <= attempts <= 3
        secret.write_text("right\n")  # read anew for each attempt: no restart of the agent
        running.wait_for(LinkChanged, lambda event: event.up, seconds=40)


def test_a_second_agent_of_the_same_room_is_called_a_cloned_card(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    clones = [make_link(broker.port), make_link(broker.port)]
    with Hub(broker.port, [f"{root}/#"]) as hub:
        for clone in clones:
            clone.start()
        for clone in clones:
            taken = down(clone, "session-taken-over")
            assert "cloned card" in taken.text
        seconds = 3.0
        before = len(hub.on(clones[0].topics.state))
        time.sleep(seconds)  # what is asserted is that they let go of each other in this time
        assert len(hub.on(clones[0].topics.state)) - before <= 4


def test_the_last_runs_state_is_no_clone_even_if_the_hub_is_away_at_first(
    own_broker: Broker, make_link: MakeLink
) -> None:
    last_run = make_link(own_broker.port)
    last_run.start()
    last_run.link.close()
    own_broker.stop()
    this_run = make_link(own_broker.port)
    this_run.link.start(room_state())
    down(this_run, "hub-refused")
    own_broker.start()
    this_run.wait_for(LinkChanged, lambda event: event.up)
    this_run.wait_for(RoundTripMeasured)
    assert [event.code for event in this_run.of(LinkChanged)] == ["hub-refused", "ok"]


@pytest.fixture
def silent_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_says_nothing_is_a_timeout(silent_server: int, make_link: MakeLink) -> None:
    running = make_link(silent_server, connect_timeout_seconds=1)
    running.link.start(room_state())
    assert "said nothing" in down(running, "hub-timeout").text


def test_nobody_listening_and_unknown_names_are_told_apart(make_link: MakeLink) -> None:
    closed = make_link(free_port())
    closed.link.start(room_state())
    assert "check hub.port" in down(closed, "hub-refused").text
    unknown = make_link(1883, host="hub.invalid")
    unknown.link.start(room_state())
    assert "hub.invalid" in down(unknown, "hub-name-unknown").text


DYNAMIC_SECURITY = "mosquitto_dynamic_security.so"


def test_a_group_that_the_hub_refuses_costs_only_that_group(
    tmp_path: Path, root: str, make_link: MakeLink
) -> None:
    """Mosquitto's ACL file grants every subscription, so its other plugin is used here."""
    plugin = next(Path("/usr/lib").rglob(DYNAMIC_SECURITY))
    rules = {
        "defaultACLAccess": {
            "publishClientSend": True,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "groups": [{"groupname": "anybody", "roles": [{"rolename": "room"}]}],
        "anonymousGroup": "anybody",
        "roles": [
            {
                "rolename": "room",
                "acls": [
                    {"acltype": "subscribePattern", "topic": f"{root}/{topic}", "allow": True}
                    for topic in ("room/#", "group/all/#")
                ],
            }
        ],
    }
    config = tmp_path / "rules.json"
    config.write_text(json.dumps(rules))
    extra = [f"plugin {plugin}", f"plugin_opt_config_file {config}"]
    with Broker(tmp_path / "broker", extra) as broker:
        running = make_link(broker.port)
        up = running.start()
        with Hub(broker.port, []) as hub:
            hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "one"})
            running.wait_for(CommandReceived, lambda event: event.command.id == "one")
        assert up.code == "subscription-refused"
        assert "group/xa-ba-vi" in up.text
        assert "room/thon-5" not in up.text
        not_a_member = make_link(broker.port, topic_root="elsewhere")
        not_a_member.link.start(room_state())
        assert "room/thon-5/cmd/+" in down(not_a_member, "subscription-refused").text


def test_a_hub_that_throws_our_state_away_is_no_link(tmp_path: Path, make_link: MakeLink) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite elsewhere/#\n")
    with Broker(tmp_path / "broker", [f"acl_file {acl}"]) as broker:
        running = make_link(broker.port)
        running.link.start(room_state())
        assert "room/thon-5/state" in down(running, "publish-refused").text


def test_a_slow_mobile_line_is_only_slow(broker: Broker, root: str, make_link: MakeLink) -> None:
    with SlowLine(broker.port, delay_seconds=0.6) as line:
        running = make_link(line.port)
        running.start()
        measured = running.wait_for(RoundTripMeasured)
        assert measured.milliseconds is not None
        assert 1200 <= measured.milliseconds < 2400
        with Hub(broker.port, []) as hub:
            hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "slow"})
            running.wait_for(CommandReceived)
        running.wait_for(RoundTripMeasured, after=2)
        assert [event.up for event in running.of(LinkChanged)] == [True]
        running.link.close()


def test_what_goes_wrong_inside_a_callback_costs_a_connection_and_not_the_link(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port)
    running.start()
    faults = iter([ValueError("a bug")])

    def stumble(_event: object) -> None:
        for fault in faults:
            raise fault

    running.before_post = stumble
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "again"})
    assert "a bug" in down(running, "link-failed").text
    running.wait_for(CommandReceived, lambda event: event.command.id == "again")
    assert running.link.alive()


def test_a_wedged_thread_is_not_alive(
    broker: Broker, root: str, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "GRACE_SECONDS", 2.0)
    running = make_link(broker.port)
    running.start()
    assert running.link.alive()

    unwedged = threading.Event()

    def wedge(_event: object) -> None:
        unwedged.wait(60)

    running.before_post = wedge
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/room/thon-5/cmd/ping", {})
    wait_until(lambda: not running.link.alive(), "the wedge is noticed", 30)
    unwedged.set()
    wait_until(running.link.alive, "the thread runs again")


class _Unchecked(Properties):
    """Properties that paho's own check would refuse: U+FEFF, which MQTT 5 (1.5.4) allows."""

    def pack(self) -> bytes:
        packed: bytes = super().pack()
        return packed.replace("\ufffd".encode(), "\ufeff".encode())


def test_a_letter_that_the_library_does_not_take_does_not_end_the_link(
    broker: Broker, root: str, make_link: MakeLink
) -> None:
    running = make_link(broker.port, sender_property="sent-with")
    running.start()
    odd = _Unchecked(PacketTypes.PUBLISH)
    odd.UserProperty = ("sent-with", "a tool \ufffd")
    odd.ResponseTopic = "reply/\ufffd"
    with Hub(broker.port, []) as hub:
        hub.client.publish(f"{root}/room/thon-5/cmd/ping", b'{"id": "x"}', qos=1, properties=odd)
        got = running.wait_for(CommandReceived).command
    assert (got.id, got.sender, got.reply) == ("x", None, None)
    assert len(running.of(LinkChanged)) == 1


def test_a_message_that_the_library_cannot_read_does_not_keep_the_room_away(
    own_broker: Broker, root: str, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.hub.transport.without_ballast", lambda packet, *_: packet)
    running = make_link(own_broker.port)
    running.start()
    odd = _Unchecked(PacketTypes.PUBLISH)
    odd.UserProperty = ("sent-with", "a tool \ufffd")
    with Hub(own_broker.port, []) as hub:
        hub.client.publish(f"{root}/room/thon-5/cmd/ping", b"{}", qos=1, properties=odd)
        down(running, "unreadable-packet")
        running.wait_for(LinkChanged, lambda event: event.up, after=1)
        hub.send(f"{root}/room/thon-5/cmd/ping", {"id": "after"})
        running.wait_for(CommandReceived, lambda event: event.command.id == "after")
    assert len(running.of(LinkChanged)) == 3, "it came once"


class _Impatient(Backoff):
    """Counts the attempts of a long outage without taking its time."""

    attempts = 0

    def next_seconds(self, *, refused: bool) -> float:
        self.attempts += 1
        return 0.01


def test_our_own_state_of_before_a_long_outage_is_no_clone(
    own_broker: Broker, make_link: MakeLink
) -> None:
    backoff = _Impatient()
    running = make_link(own_broker.port, backoff=backoff)
    running.start()
    own_broker.stop()
    wait_until(lambda: backoff.attempts > 20, "many attempts")
    own_broker.start()
    running.wait_for(LinkChanged, lambda event: event.up, after=1)
    running.wait_for(RoundTripMeasured, after=len(running.of(RoundTripMeasured)))
    assert "session-taken-over" not in {event.code for event in running.of(LinkChanged)}


POISONS = {
    "levels": "/".join(["a"] * 210),
    "long": "a" * 60_000,
    "control": "a\x01b",
}


@pytest.mark.parametrize("topic", POISONS.values(), ids=POISONS)
def test_an_outbox_poisoned_by_an_older_version_does_not_end_the_link(
    broker: Broker, root: str, make_link: MakeLink, topic: str
) -> None:
    """Mosquitto delivers a Response Topic of 201 levels, and hangs up on who publishes to it."""
    running = make_link(broker.port)
    running.start()
    ack = Ack("p", "ping", "thon-5", AckState.SUCCEEDED, Code.OK, "pong", 3, datetime.now(UTC))
    running.link.publish(Outgoing(SendAck(ack, Reply(topic, b"c"), final=True), "key"))
    running.wait_for(Delivered, lambda event: event.key == "key")
    running.wait_for(RoundTripMeasured)
    assert [event.up for event in running.of(LinkChanged)] == [True]


def test_a_copy_that_ends_the_link_is_not_tried_again(
    tmp_path: Path, root: str, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a broker hangs up for: here its own limit of levels, with ours lifted."""
    monkeypatch.setattr(topics_module, "MAX_REPLY_LEVELS", 10_000)
    monkeypatch.setattr(topics_module, "MAX_REPLY_BYTES", 10_000)
    with Broker(tmp_path / "broker") as broker:
        running = make_link(broker.port)
        running.start()
        ack = Ack("p", "ping", "thon-5", AckState.SUCCEEDED, Code.OK, "pong", 3, datetime.now(UTC))
        poison = Outgoing(SendAck(ack, Reply(POISONS["levels"], b"c"), final=True), "key")
        running.link.publish(poison)
        running.wait_for(LinkChanged, lambda event: not event.up)
        running.wait_for(LinkChanged, lambda event: event.up, after=2)
        running.link.publish(poison)  # as the outbox does
        running.wait_for(Delivered, lambda event: event.key == "key")
        running.wait_for(RoundTripMeasured, after=len(running.of(RoundTripMeasured)), seconds=40)
        assert len(running.of(LinkChanged)) == 3


def test_what_the_hub_refuses_is_said_and_the_rest_flows(
    tmp_path: Path, root: str, make_link: MakeLink
) -> None:
    acl = tmp_path / "acl"
    allowed = ("state", "health", "echo", "event/#")
    lines = [f"topic readwrite {root}/room/thon-5/{one}" for one in allowed]
    acl.write_text("\n".join([*lines, f"topic read {root}/#", ""]))
    with Broker(tmp_path / "broker", [f"acl_file {acl}"]) as broker:
        running = make_link(broker.port)
        running.start()
        for number in range(60):
            ack = Ack(
                f"p{number}",
                "ping",
                "thon-5",
                AckState.SUCCEEDED,
                Code.OK,
                "",
                3,
                datetime.now(UTC),
            )
            running.link.publish(Outgoing(SendAck(ack, final=True), f"ack-{number}"))
        event = EventDocument("fault", "thon-5", "x", "y", datetime.now(UTC))
        running.link.publish(Outgoing(event, "behind"))
        running.wait_for(Delivered, lambda event: event.key == "behind")
        refused = running.of(MessageRefused)
        assert [one.key for one in refused] == [f"ack-{number}" for number in range(60)]
        assert {one.code for one in refused} == {"not-authorised"}
        assert "0x87" in refused[0].text


def test_a_shorter_keepalive_of_the_hub_is_kept_to(tmp_path: Path, make_link: MakeLink) -> None:
    """Mosquitto grants less by Server Keep Alive, and hangs up after one and a half times that."""
    with Broker(tmp_path / "broker", ["max_keepalive 10"]) as broker:
        running = make_link(broker.port, keepalive_seconds=60)
        running.start()
        running.wait_for(RoundTripMeasured, after=1, seconds=12)
        running.wait_for(RoundTripMeasured, after=2, seconds=12)
        assert [event.up for event in running.of(LinkChanged)] == [True]


def test_many_groups_and_a_small_window(tmp_path: Path, root: str, make_link: MakeLink) -> None:
    """More filters than a SUBSCRIBE may have somewhere; each is answered."""
    groups = [f"g{number}" for number in range(30)]
    with Broker(tmp_path / "broker") as broker:
        running = make_link(broker.port, groups=groups)
        running.start()
        with Hub(broker.port, []) as hub:
            hub.send(f"{root}/group/g29/cmd/ping", {"id": "last"})
            running.wait_for(CommandReceived, lambda event: event.command.id == "last")


def test_two_agents_of_one_name_are_told_of_and_slow_down(
    broker: Broker, make_link: MakeLink
) -> None:
    one, two = make_link(broker.port), make_link(broker.port)
    one.start()
    two.start()
    down(one, "session-taken-over")
    one.wait_for(
        LinkChanged, lambda event: event.up and event.code == "session-taken-over", seconds=40
    )  # so health has it while they are connected in turn
