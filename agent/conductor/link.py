"""The conductor's MQTT link: listens to all rooms, gives them commands, says that it is there.

A thread of its own. Messages of rooms are acknowledged by the loop when they are in the journal, so the
broker gives them again to a conductor that was killed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from agent.conductor.core.model.events import LinkDown, LinkUp
from agent.conductor.core.model.seen import Seen, SeenConductor
from agent.conductor.wire import HubTopics
from agent.core.model.documents import Connection
from agent.core.model.events import Delivery
from agent.errors import HubError
from agent.hub.backoff import Backoff
from agent.hub.connection import MqttConnection, Refused
from agent.hub.limits import Attempt
from agent.hub.messages import Incoming, Published
from agent.hub.reasons import REFUSALS
from agent.settings import Hub

PROVEN_SECONDS = 10.0
"""A connection that lasted so long begins the pauses between tries anew: one that ends at once would be tried in a loop."""

GOODBYE_SECONDS = 2.0
"""For what is queued and the word `offline` to be acknowledged at the end."""

MAX_WAITING = 50_000
"""More commands than the largest hub needs at once; beyond that something is broken."""

log = logging.getLogger(__name__)


class Heard(NamedTuple):
    """Something from the broker, to be acknowledged through `ConductorLink.acknowledge`."""

    seen: Seen | None
    delivery: Delivery | None


Post = Callable[[Heard | LinkUp | LinkDown], None]


class ConductorLink:
    """From `start` to `close`. `post` puts into the loop's inbox."""

    def __init__(self, hub: Hub, client_id: str, topics: HubTopics, post: Post) -> None:
        self._hub = hub
        self._client_id = client_id
        self._topics = topics
        self._post = post
        self._backoff = Backoff()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-link", daemon=True)
        self._outgoing: deque[Published] = deque(maxlen=MAX_WAITING)
        self._acknowledged: deque[Delivery] = deque()
        self._said: SeenConductor | None = None
        self._up = False
        self._rung = False
        """The thread will look at what is queued anyway: a second wake-up only makes two threads take turns."""
        self._number = 0
        self._connection: MqttConnection | None = None

    # --- from the loop's thread ----------------------------------------------------------------

    def start(self, said: SeenConductor) -> None:
        """Connect, and again whenever the connection ends; `said` is what the hub retains of us then."""
        self._said = said
        self._thread.start()

    def send(self, topic: str, payload: bytes) -> None:
        """A command; lost while there is no link, since the core asks again then."""
        if self._up:
            self._outgoing.append(Published(topic, payload))
            self._ring()

    def acknowledge(self, delivery: Delivery) -> None:
        """The message is in the journal; one of a connection that has ended comes again, and this means nothing."""
        self._acknowledged.append(delivery)
        self._ring()

    def say(self, said: SeenConductor) -> None:
        """Our own retained document, now and after each reconnection."""
        self._said = said
        if self._up:
            self._outgoing.append(self._own(said))
            self._ring()

    def close(self) -> None:
        """Say `offline` and end; returns within GOODBYE_SECONDS and one more."""
        self._closing.set()
        os.eventfd_write(self._wake, 1)
        if self._thread.is_alive():
            self._thread.join(GOODBYE_SECONDS + 1)

    def _ring(self) -> None:
        """After something was queued."""
        if not self._rung:
            self._rung = True
            os.eventfd_write(self._wake, 1)

    # --- the link's own thread -----------------------------------------------------------------

    def _run(self) -> None:
        said_down = ""
        while not self._closing.is_set():
            began = time.monotonic()
            reason = self._one_connection()
            self._up = False
            if self._closing.is_set():
                return
            if time.monotonic() - began >= PROVEN_SECONDS:
                self._backoff.reset()
                said_down = ""
            if reason.code != said_down:
                log.warning("hub link down: %s", reason.text)
                said_down = reason.code
            self._post(LinkDown(reason.text))
            self._closing.wait(self._backoff.next_seconds(refused=reason.code in REFUSALS))

    def _one_connection(self) -> HubError:
        self._number += 1
        assert self._said is not None
        self._outgoing.clear()
        self._acknowledged.clear()
        will = self._own(msgspec.structs.replace(self._said, connection=Connection.LOST))
        connection = MqttConnection(
            self._hub, self._client_id, will, self, Attempt(self._number), self._wake
        )
        self._connection = connection
        try:
            connection.open()
            up_by = time.monotonic() + self._hub.connect_timeout_seconds
            while not self._closing.is_set():
                self._do_jobs(connection)
                connection.turn(1.0)
                if not self._up and time.monotonic() > up_by:
                    raise HubError("hub-timeout", "the hub took the connection and said nothing")
            self._say_goodbye(connection)
        except HubError as error:
            return error
        except Exception as error:
            log.exception("the hub link stumbled")
            return HubError("link-failed", f"the link failed inside: {error!r}")
        finally:
            connection.close()
        return HubError("closed", "closed")

    def _do_jobs(self, connection: MqttConnection) -> None:
        self._rung = False  # before the look: what is queued after it rings
        while self._acknowledged:
            connection.acknowledge(self._acknowledged.popleft())
        while self._up and self._outgoing and connection.has_room:
            connection.publish(self._outgoing.popleft())

    def _say_goodbye(self, connection: MqttConnection) -> None:
        deadline = time.monotonic() + GOODBYE_SECONDS
        self._do_jobs(connection)
        if self._up and self._said is not None:
            offline = msgspec.structs.replace(self._said, connection=Connection.OFFLINE)
            connection.publish(self._own(offline))
        while connection.unacknowledged() and time.monotonic() < deadline:
            connection.turn(deadline - time.monotonic())
        connection.disconnect()
        while time.monotonic() < deadline:
            connection.turn(deadline - time.monotonic())

    def _own(self, said: SeenConductor) -> Published:
        return Published(self._topics.own_state, msgspec.json.encode(said), retain=True)

    # --- agent.hub.connection.Listener -----------------------------------------------------------

    def on_connected(self) -> None:
        assert self._connection is not None
        self._connection.watch(self._topics.filters())

    def on_subscribed(self, refused: list[str]) -> None:
        if refused:
            text = f"the hub refuses us {', '.join(refused)}: is this an operator's certificate?"
            raise HubError("subscription-refused", text)
        self._up = True
        log.info("hub link up")
        assert self._said is not None
        assert self._connection is not None
        self._connection.publish(self._own(self._said))
        self._post(LinkUp())

    def on_message(self, incoming: Incoming) -> None:
        seen = self._topics.decode(incoming.topic, incoming.payload)
        if seen is None and incoming.delivery is None:
            return
        self._post(Heard(seen, incoming.delivery))

    def on_delivered(self, key: str) -> None:
        """Commands are known by their acks."""

    def on_refused(self, refused: Refused) -> None:
        if refused.topic == self._topics.own_state:
            log.error("%s: two conductors won't see each other", refused.text)
