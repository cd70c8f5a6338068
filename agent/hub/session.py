"""One connection's conduct: subscribe, say `online`, check itself, do the loop's jobs, say `offline`.

Pairs with `agent.hub.connection`, the MQTT below it, and `agent.hub.link`, which makes the next one.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection

from msgspec.structs import replace

from agent.core.model.documents import Connection, HealthDocument, RoomState
from agent.core.model.events import Delivered, Delivery, LinkChanged, RoundTripMeasured
from agent.errors import HubError
from agent.hub import messages
from agent.hub.connection import MqttConnection
from agent.hub.mailbox import Job, Mailbox
from agent.hub.messages import Incoming, Published
from agent.hub.self_check import SelfCheck
from agent.hub.signature import Signatures
from agent.hub.topics import Topics
from agent.ports import Post
from agent.settings import Hub

FLUSH_SECONDS = 2.0
"""What the goodbye allows for the last messages."""

MAX_REMEMBERED = 4096
"""Keys of messages published on this connection; more than the outbox holds."""

_log = logging.getLogger(__name__)

_CLONE = "another agent speaks as this room in turn with us: is a cloned card running somewhere?"


class Newest:
    """The newest retained documents, as the loop gave them."""

    def __init__(self, state: RoomState, health: HealthDocument | None) -> None:
        self.state = state
        self.health = health


class Session:
    """The room on one connection. `id` is new for each; `previous` are the ids of earlier ones.

    `was_up`: commands could reach the room. `clone_seen`: another agent speaks as this room.
    """

    def __init__(
        self,
        hub: Hub,
        topics: Topics,
        newest: Newest,
        mailbox: Mailbox,
        post: Post,
        *,
        number: int,
        previous: Collection[str],
        clean_start: bool,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.clone_seen = False
        self._hub = hub
        self._topics = topics
        self._newest = newest
        self._mailbox = mailbox
        self._post = post
        self._previous = previous
        self.was_up = False
        self._group_problem = ""
        self._published: dict[str, None] = {}
        self._signatures = Signatures(hub.trusted_keys, required=hub.require_signature)
        self._check = SelfCheck(self.id, hub.keepalive_seconds)
        self._connection = MqttConnection(
            hub,
            topics.client_id,
            self._stamped(newest.state, Connection.LOST),
            self,
            number=number,
            wake=mailbox.wake,
            clean_start=clean_start,
        )

    def serve(self, closing: threading.Event, silent_for: Callable[[float], None]) -> None:
        """Connect and stay until `closing`. Raises HubError, saying why, when it ends otherwise.

        `silent_for(seconds)` announces how long it may take until the next sign of life.
        """
        self._connection.open()
        up_by = time.monotonic() + self._hub.connect_timeout_seconds
        while not closing.is_set():
            self._do_jobs()
            self._do_check()
            now = time.monotonic()
            if not self.was_up and now >= up_by:
                raise HubError("hub-timeout", "the hub took the connection and then said nothing")
            seconds = (self._check.due_at() if self.was_up else up_by) - now
            silent_for(max(0.0, seconds))
            self._connection.turn(seconds)
        self._say_goodbye()

    def close(self) -> None:
        """Drop the connection as it is."""
        self._mailbox.shut()
        self._connection.close()

    def _do_jobs(self) -> None:
        for job in self._mailbox.take():
            self._do(job)

    def _do(self, job: Job) -> None:
        match job:
            case Delivery():
                self._connection.acknowledge(job)
            case RoomState():
                self._connection.publish(self._stamped(job, Connection.ONLINE))
            case HealthDocument():
                self._connection.publish(messages.encode_health(job, self._topics))
            case _ if job.key and self._is_repeat(job.key):
                pass
            case _:
                *others, own = messages.encode_outgoing(job, self._topics)
                for message in others:
                    self._connection.publish(message)
                self._connection.publish(own, job.key)

    def _is_repeat(self, key: str) -> bool:
        """Whether this connection has it already: the outbox is resent when the link is up, and
        what was published a moment before stands in it too."""
        if key in self._published:
            return True
        self._published[key] = None
        if len(self._published) > MAX_REMEMBERED:
            del self._published[next(iter(self._published))]
        return False

    def _stamped(self, state: RoomState, connection: Connection) -> Published:
        """This state, as of this connection: the core may not know its id yet."""
        stamped = replace(state, connection=connection, session=self.id)
        return messages.encode_state(stamped, self._topics)

    def _do_check(self) -> None:
        now = time.monotonic()
        if not self.was_up:
            return
        if self._check.overdue(now):
            self._post(RoundTripMeasured(None))
            text = f"what we publish on {self._topics.echo} does not come back: the hub hangs, the network is gone, or its ACL forbids it"
            raise HubError("no-echo", text)
        payload = self._check.send(now)
        if payload is not None:
            self._connection.send(self._topics.echo, payload)

    def _say_goodbye(self) -> None:
        """Publish `offline`, wait for what is under way, disconnect."""
        deadline = time.monotonic() + FLUSH_SECONDS
        self._do_jobs()
        if self.was_up:
            self._connection.publish(self._stamped(self._newest.state, Connection.OFFLINE))
        while self._connection.unacknowledged() and time.monotonic() < deadline:
            self._connection.turn(deadline - time.monotonic())
        self._connection.disconnect()
        while time.monotonic() < deadline:
            self._connection.turn(deadline - time.monotonic())

    def _say_up(self) -> None:
        code, text = "ok", ""
        if self.clone_seen:
            code, text = "session-taken-over", _CLONE
        elif self._group_problem:
            code, text = "subscription-refused", self._group_problem
        self._post(LinkChanged(up=True, session=self.id, code=code, text=text))

    # --- agent.hub.connection.Listener --------------------------------------------------------

    def on_connected(self) -> None:
        self._mailbox.open()
        self._connection.subscribe(
            self._topics.commands(), self._topics.agendas(), self._topics.own()
        )

    def on_subscribed(self, refused: list[str]) -> None:
        """Only now can commands reach us; a group that is refused costs only that group."""
        text = f"the hub refuses us {', '.join(refused)}: check its ACL" if refused else ""
        if {self._topics.commands()[0], *self._topics.own()} & set(refused):
            raise HubError("subscription-refused", text)
        self._group_problem = text
        self.was_up = True
        _log.info("hub link up, session %s", self.id)
        self._do(self._newest.state)
        if self._newest.health is not None:
            self._do(self._newest.health)
        self._say_up()

    def on_message(self, incoming: Incoming) -> None:
        if incoming.topic == self._topics.echo:
            self._on_echo(incoming.payload)
        elif incoming.topic == self._topics.state:
            self._on_state(incoming.payload)
        elif address := self._topics.parse_agenda(incoming.topic):
            self._post(messages.decode_agenda(incoming, address, self._signatures))
            self._on_cleared(incoming)
        elif incoming.retained and not incoming.payload:
            self._on_cleared(incoming)
        else:
            if self._topics.parse_command(incoming.topic) is None:
                self._connection.unsubscribe(incoming.topic)
            self._post(messages.decode_command(incoming, self._topics, self._signatures))

    def _on_cleared(self, incoming: Incoming) -> None:
        """Acknowledge what needs no journal: a cleared retained command, as its answer said, which is no mistake; an
        agenda, which the hub retains."""
        if incoming.delivery is not None:
            self._connection.acknowledge(incoming.delivery)

    def _on_echo(self, payload: bytes) -> None:
        milliseconds = self._check.returned(payload, time.monotonic())
        if milliseconds is not None:
            self._post(RoundTripMeasured(milliseconds))

    def _on_state(self, payload: bytes) -> None:
        """A state of this room that no session of ours published: two agents take turns.

        Not every broker says "session taken over" (0x8E) to the one that it drops.
        """
        session = messages.session_of(payload)
        if self._previous and session and session not in {self.id, *self._previous}:
            self.clone_seen = True
            if self.was_up:
                self._say_up()

    def on_delivered(self, key: str) -> None:
        self._post(Delivered(key))

    def on_refused(self, topic: str, reason: str) -> None:
        """The broker took a message and threw it away."""
        if topic == self._topics.state:
            text = f"the hub refuses what we publish on {topic} ({reason}): check its ACL"
            raise HubError("publish-refused", text)
