"""One connection's conduct: subscribe, say `online`, check itself, do the loop's jobs, say `offline`.

Pairs with `agent.hub.connection`, the MQTT below it, and `agent.hub.link`, which makes the next one.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from datetime import timedelta

from msgspec.structs import replace

from agent.core.model.documents import Connection, HealthDocument, RoomState
from agent.core.model.events import Delivered, LinkChanged, MessageRefused, RoundTripMeasured
from agent.errors import HubError
from agent.hub import messages
from agent.hub.connection import MqttConnection, Refused
from agent.hub.limits import Attempt
from agent.hub.mailbox import Job, Mailbox
from agent.hub.messages import Incoming, Published
from agent.hub.self_check import SelfCheck
from agent.hub.signature import Signatures
from agent.hub.topics import Topics
from agent.ports import Post
from agent.settings import Hub

FLUSH_SECONDS = 2.0
"""What the goodbye allows for the last messages."""

COPIES_AGAIN_SECONDS = 10.0
"""After a connection that a copy to a sender may have ended, the outbox is emptied without copies so long."""

CONFIRMATION_KEEPALIVES = 4.0
"""Keepalives that a PUBACK may take. A hub that echoes and confirms nothing fills the outbox."""

PAUSE_SECONDS = 0.02
"""How long the link does not read when the loop has enough to do; a command takes some milliseconds."""

_log = logging.getLogger(__name__)

_CLONE = "another agent speaks as this room in turn with us: is a cloned card running somewhere?"


class Newest:
    """The newest state, as the loop gave it."""

    def __init__(self, state: RoomState) -> None:
        self._state = state
        self._taken_at = time.monotonic()

    def take(self, state: RoomState) -> None:
        """This is the room's state from now on."""
        self._state = state
        self._taken_at = time.monotonic()

    @property
    def state(self) -> RoomState:
        """As of now: it has not changed since the loop gave it, and is said again."""
        unchanged = timedelta(seconds=time.monotonic() - self._taken_at)
        return replace(self._state, at=self._state.at + unchanged)


class Outlet:
    """What ties a session to the loop: its mailbox, where to post, and whether it has enough to do."""

    def __init__(
        self, newest: Newest, mailbox: Mailbox, post: Post, busy: Callable[[], bool]
    ) -> None:
        self.newest = newest
        self.mailbox = mailbox
        self.post = post
        self.busy = busy


class Session:
    """The room on one connection. `id` is new for each; `previous` are the ids of earlier ones.

    `was_up`: commands could reach the room. `clone_seen`: another agent speaks as this room.
    """

    def __init__(
        self,
        hub: Hub,
        topics: Topics,
        outlet: Outlet,
        attempt: Attempt,
        previous: Collection[str],
    ) -> None:
        self.id = secrets.token_hex(8)
        self.clone_seen = attempt.taken_over
        self._hub = hub
        self._topics = topics
        self._newest = outlet.newest
        self._mailbox = outlet.mailbox
        self._post = outlet.post
        self._busy = outlet.busy
        self._attempt = attempt
        self._previous = previous
        self.was_up = False
        self._up_at = 0.0
        self._group_problem = ""
        self._signatures = Signatures(hub.trusted_keys, required=hub.require_signature)
        self._check = SelfCheck(self.id, hub.keepalive_seconds)
        will = self._stamped(outlet.newest.state, Connection.LOST)
        self._connection = MqttConnection(
            hub, topics.client_id, will, self, attempt, outlet.mailbox.wake
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
            self._turn(seconds, now)
        self._say_goodbye()

    def _turn(self, seconds: float, now: float) -> None:
        """One turn of the connection. While the loop has enough to do, the hub's messages wait there."""
        if self._busy():
            self._check.heard(now)
            self._connection.turn(min(seconds, PAUSE_SECONDS), listen=False)
        else:
            self._connection.turn(seconds)

    @property
    def may_have_ended_by_a_copy(self) -> bool:
        """Whether a message to a command's sender was under way, which is all that a sender can make us send."""
        return self._connection.copies_under_way()

    def close(self) -> None:
        """Drop the connection as it is."""
        self._mailbox.shut()
        self._connection.close()

    def _do_jobs(self) -> None:
        for delivery in self._mailbox.deliveries():
            self._connection.acknowledge(delivery)
        while self.was_up and self._connection.has_room:
            job = self._mailbox.take()
            if job is None:
                break
            self._do(job)

    def _do(self, job: Job) -> None:
        match job:
            case RoomState():
                self._connection.publish(self._stamped(job, Connection.ONLINE))
            case HealthDocument():
                self._connection.publish(messages.encode_health(job, self._topics))
            case _:
                own, copy = messages.encode_outgoing(job, self._topics)
                if copy is not None and self._copies:
                    self._connection.publish(copy, copy=True)
                self._connection.publish(own, job.key)

    @property
    def _copies(self) -> bool:
        lasted = time.monotonic() - self._up_at
        return self._attempt.copies or lasted >= COPIES_AGAIN_SECONDS

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
        limit = CONFIRMATION_KEEPALIVES * self._connection.limits.keepalive_seconds
        if self._connection.unacknowledged_seconds() > limit:
            text = f"the hub has confirmed nothing of what we published for {limit:.0f} s: ask its operator"
            raise HubError("no-confirmation", text)
        payload = self._check.send(now)
        if payload is not None:
            self._connection.send(self._topics.echo, payload)

    def _say_goodbye(self) -> None:
        """Publish `offline`, wait for what is under way, disconnect."""
        deadline = time.monotonic() + FLUSH_SECONDS
        offline = not self.was_up
        while not offline and time.monotonic() < deadline:
            self._do_jobs()
            if self._connection.has_room:
                offline = True
                self._connection.publish(self._stamped(self._newest.state, Connection.OFFLINE))
            else:
                self._connection.turn(deadline - time.monotonic())
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
        elif self._connection.limits.shortcoming:
            code, text = "limited-hub", self._connection.limits.shortcoming
        self._post(LinkChanged(up=True, session=self.id, code=code, text=text))

    # --- agent.hub.connection.Listener --------------------------------------------------------

    def on_connected(self) -> None:
        limits = self._connection.limits
        self._check = SelfCheck(self.id, limits.keepalive_seconds)
        self._connection.subscribe(
            self._topics.commands(wildcards=limits.wildcards),
            self._topics.agendas(),
            self._topics.own(),
        )

    def on_subscribed(self, refused: list[str]) -> None:
        """Only now can commands reach us; a group that is refused costs only that group."""
        text = f"the hub refuses us {', '.join(refused)}: check its ACL" if refused else ""
        if {self._topics.commands()[0], *self._topics.own()} & set(refused):
            raise HubError("subscription-refused", text)
        self._group_problem = text
        self.was_up = True
        self._up_at = time.monotonic()
        _log.info("hub link up, session %s", self.id)
        self._mailbox.open()
        self._mailbox.put(self._newest.state)
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
            self._check.heard(time.monotonic())
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
        if self.clone_seen:
            return  # said already: a flood of them must not take the loop's time
        session = messages.session_of(payload)
        if self._previous and session and session not in {self.id, *self._previous}:
            self.clone_seen = True
            if self.was_up:
                self._say_up()

    def on_delivered(self, key: str) -> None:
        self._post(Delivered(key))

    def on_refused(self, refused: Refused) -> None:
        """The broker took a message and threw it away."""
        if refused.topic == self._topics.state:
            raise HubError("publish-refused", refused.text)
        _log.warning("%s", refused.text)
        self._post(MessageRefused(refused.key, refused.code, refused.text))
