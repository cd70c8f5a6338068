"""The hub link: keeps one connection after the other going, for ever, in a thread of its own.

Pairs with `agent.hub.connection`, which is one of them. Callers only put work into a mailbox, and
what happens is posted into the loop's inbox.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import deque

from msgspec.structs import replace

from agent.core.documents import Connection, HealthDocument, RoomState
from agent.core.events import Delivered, Delivery, LinkChanged, RoundTripMeasured
from agent.errors import HubError
from agent.hub import messages
from agent.hub.backoff import Backoff
from agent.hub.connection import MqttConnection
from agent.hub.messages import Incoming, Published
from agent.hub.reasons import REFUSALS
from agent.hub.self_check import SelfCheck
from agent.hub.topics import Topics
from agent.ports import Outgoing, Post
from agent.settings import Hub, Room

FLUSH_SECONDS = 2.0
"""What `close` allows for the last messages."""

MAX_MAILBOX = 2000
"""Jobs that wait for the link's thread; it takes them at once unless something is broken."""

PROVEN_SECONDS = 60.0
"""How long a connection must have held for the next failure to count as a first one: two clones of
one card, or a hub that accepts and drops, must not be answered with a storm."""

RESOLVER_SECONDS = 60.0
"""What looking up a name may take by itself; the resolver has no deadline of ours."""

_log = logging.getLogger(__name__)


class _Send:
    """A job for the link's thread: publish this, and report the key."""

    def __init__(self, message: Published, key: str = "") -> None:
        self.message = message
        self.key = key


class Link:
    """`agent.ports.HubLink` over MQTT 5. `post` puts an event into the loop's inbox."""

    def __init__(self, hub: Hub, room: Room, post: Post, backoff: Backoff | None = None) -> None:
        self._hub = hub
        self._topics = Topics(hub.topic_root, room)
        self._post = post
        self._backoff = backoff or Backoff()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="hub-link", daemon=True)
        self._closing = threading.Event()
        self._mailbox: deque[_Send | Delivery] = deque()
        self._state: RoomState | None = None
        self._health: HealthDocument | None = None
        self._session = ""
        self._connected = False
        self._up = False
        self._said_down = ""
        self._number = 0
        self._connection: MqttConnection | None = None
        self._check = SelfCheck("", hub.keepalive_seconds)
        self._sign_of_life_due = 0.0

    # --- agent.ports.HubLink, called from the loop's thread -----------------------------------

    def start(self, state: RoomState) -> None:
        self._state = state
        self._expect_life_within(self._attempt_seconds())
        self._thread.start()

    def acknowledge(self, delivery: Delivery) -> None:
        self._put(delivery)

    def publish(self, outgoing: Outgoing) -> None:
        *others, own = messages.encode_outgoing(outgoing, self._topics)
        for message in others:
            self._put(_Send(message))
        self._put(_Send(own, outgoing.key))

    def publish_state(self, state: RoomState) -> None:
        self._state = state
        self._put(_Send(self._encoded_state(Connection.ONLINE)))

    def publish_health(self, health: HealthDocument) -> None:
        self._health = health
        self._put(_Send(messages.encode_health(health, self._topics)))

    def alive(self) -> bool:
        return self._thread.is_alive() and time.monotonic() < self._sign_of_life_due

    def close(self) -> None:
        self._closing.set()
        self._wake_up()
        if self._thread.is_alive():
            self._thread.join(FLUSH_SECONDS + 1)

    # --- between the threads ------------------------------------------------------------------

    def _put(self, job: _Send | Delivery) -> None:
        """While there is no connection nothing is kept: see the port's contract."""
        if self._connected:
            self._mailbox.append(job)
            self._wake_up()

    def _wake_up(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _expect_life_within(self, seconds: float) -> None:
        self._sign_of_life_due = time.monotonic() + seconds

    def _attempt_seconds(self) -> float:
        """The longest that an attempt to connect may leave the thread silent."""
        return RESOLVER_SECONDS + 3 * self._hub.connect_timeout_seconds

    # --- the link's own thread ----------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            self._expect_life_within(self._attempt_seconds())
            started = time.monotonic()
            reason = self._one_connection()
            if self._closing.is_set():
                break
            if time.monotonic() - started >= PROVEN_SECONDS:
                self._backoff.reset()
            self._say_down(reason)
            pause = self._backoff.next_seconds(refused=reason.code in REFUSALS)
            self._expect_life_within(pause + 10)
            self._closing.wait(pause)

    def _one_connection(self) -> HubError:
        """Connect and serve; returns why it ended. Nothing that happens there ends the thread."""
        try:
            self._serve(self._new_connection())
        except HubError as error:
            return error
        except Exception as error:
            _log.exception("the hub link stumbled")
            return HubError("link-failed", f"the link failed inside: {error!r}")
        finally:
            self._connected = self._up = False
            self._mailbox.clear()
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        return HubError("closed", "the agent closed the link")

    def _new_connection(self) -> MqttConnection:
        self._number += 1
        self._session = secrets.token_hex(8)
        self._check = SelfCheck(self._session, self._hub.keepalive_seconds)
        self._connection = MqttConnection(
            self._hub,
            self._topics.client_id,
            self._encoded_state(Connection.LOST),
            self,
            number=self._number,
            wake=self._wake,
        )
        return self._connection

    def _serve(self, connection: MqttConnection) -> None:
        connection.open()
        up_by = time.monotonic() + self._hub.connect_timeout_seconds
        while not self._closing.is_set():
            self._do_jobs(connection)
            self._do_check(connection)
            now = time.monotonic()
            if not self._up and now >= up_by:
                raise HubError("hub-timeout", "the hub took the connection and then said nothing")
            seconds = (self._check.due_at() if self._up else up_by) - now
            self._expect_life_within(max(0.0, seconds) + 10)
            connection.turn(seconds)
        self._say_goodbye(connection)

    def _do_jobs(self, connection: MqttConnection) -> None:
        if len(self._mailbox) > MAX_MAILBOX:
            raise HubError("backlog", "more messages than the link can take to the hub")
        while self._mailbox:
            job = self._mailbox.popleft()
            if isinstance(job, Delivery):
                connection.acknowledge(job)
            else:
                connection.publish(job.message, job.key)

    def _do_check(self, connection: MqttConnection) -> None:
        if not self._up:
            return
        now = time.monotonic()
        if self._check.overdue(now):
            self._post(RoundTripMeasured(None))
            text = f"what we publish on {self._topics.echo} does not come back: the hub hangs, the network is gone, or its ACL forbids it"
            raise HubError("no-echo", text)
        payload = self._check.send(now)
        if payload is not None:
            connection.send(self._topics.echo, payload)

    def _say_goodbye(self, connection: MqttConnection) -> None:
        """Publish `offline`, wait for what is under way, disconnect."""
        deadline = time.monotonic() + FLUSH_SECONDS
        self._do_jobs(connection)
        if self._connected:
            connection.publish(self._encoded_state(Connection.OFFLINE))
        while connection.unacknowledged() and time.monotonic() < deadline:
            connection.turn(deadline - time.monotonic())
        connection.disconnect()
        while time.monotonic() < deadline:
            connection.turn(deadline - time.monotonic())

    def _encoded_state(self, connection: Connection) -> Published:
        """The newest state, with this connection's session: the core may not know it yet."""
        assert self._state is not None, "start() comes first"
        state = replace(self._state, connection=connection, session=self._session)
        return messages.encode_state(state, self._topics)

    def _say_down(self, reason: HubError) -> None:
        """Once for each reason, not for each attempt."""
        if reason.code != self._said_down:
            self._said_down = reason.code
            _log.warning("hub link down: %s", reason.text)
            self._post(LinkChanged(up=False, code=reason.code, text=reason.text))

    # --- agent.hub.connection.Listener --------------------------------------------------------

    def on_connected(self) -> None:
        self._connected = True
        if self._connection:
            self._connection.subscribe(self._topics.commands(), self._topics.echo)

    def on_subscribed(self, refused: list[str]) -> None:
        """Only now can commands reach us; a group that is refused costs only that group."""
        text = f"the hub refuses us {', '.join(refused)}: check its ACL" if refused else ""
        if {self._topics.commands()[0], self._topics.echo} & set(refused):
            raise HubError("subscription-refused", text)
        self._up = True
        self._said_down = ""
        self._put(_Send(self._encoded_state(Connection.ONLINE)))
        if self._health is not None:
            self._put(_Send(messages.encode_health(self._health, self._topics)))
        code = "subscription-refused" if refused else "ok"
        self._post(LinkChanged(up=True, session=self._session, code=code, text=text))

    def on_message(self, incoming: Incoming) -> None:
        if incoming.topic == self._topics.echo:
            milliseconds = self._check.returned(incoming.payload, time.monotonic())
            if milliseconds is not None:
                self._post(RoundTripMeasured(milliseconds))
            return
        if self._topics.parse_command(incoming.topic) is None and self._connection:
            self._connection.unsubscribe(incoming.topic)
        self._post(messages.decode_command(incoming, self._topics))

    def on_delivered(self, key: str) -> None:
        self._post(Delivered(key))
