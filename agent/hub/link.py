"""The hub link: one session after the other, for ever, in a thread of its own.

Callers only put jobs into a mailbox; what happens is posted into the loop's inbox.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from agent.core.model.documents import HealthDocument, RoomState
from agent.core.model.events import Delivery, LinkChanged
from agent.errors import HubError
from agent.hub.backoff import Backoff
from agent.hub.mailbox import Mailbox
from agent.hub.reasons import REFUSALS, TAKEN_OVER, UNREADABLE
from agent.hub.session import FLUSH_SECONDS, Newest, Session
from agent.hub.topics import Topics
from agent.ports import Outgoing, Post
from agent.settings import Hub, Room

PROVEN_SECONDS = 10.0
"""How long a connection must have held for the next failure to count as a first one: a hub that
accepts and drops must not be answered with a storm, one that restarts often be found soon."""

RESOLVER_SECONDS = 60.0
"""What looking up a name may take by itself; the resolver has no deadline of ours."""

GRACE_SECONDS = 10.0
"""How much later than announced a sign of life may come on a busy machine."""

_log = logging.getLogger(__name__)


class Link:
    """`agent.ports.HubLink` over MQTT 5. `post` puts an event into the loop's inbox."""

    def __init__(self, hub: Hub, room: Room, post: Post, backoff: Backoff | None = None) -> None:
        self._hub = hub
        self._topics = Topics(hub.topic_root, room)
        self._post = post
        self._backoff = backoff or Backoff()
        self._mailbox = Mailbox()
        self._thread = threading.Thread(target=self._run, name="hub-link", daemon=True)
        self._closing = threading.Event()
        self._health: HealthDocument | None = None
        self._newest: Newest | None = None
        self._attempts: deque[str] = deque(maxlen=8)
        """Sessions whose will the hub may have, though it never said so."""
        self._spoken: deque[str] = deque(maxlen=8)
        """Sessions that were up. Before the first, the retained state is the agent's last run's."""
        self._clean_start = False
        self._number = 0
        self._said_down = ""
        self._sign_of_life_by = 0.0

    # --- agent.ports.HubLink, called from the loop's thread -----------------------------------

    def start(self, state: RoomState) -> None:
        self._newest = Newest(state, self._health)
        self._silent_for(0)
        self._thread.start()

    def acknowledge(self, delivery: Delivery) -> None:
        self._mailbox.put(delivery)

    def publish(self, outgoing: Outgoing) -> None:
        self._mailbox.put(outgoing)

    def publish_state(self, state: RoomState) -> None:
        if self._newest:
            self._newest.state = state
        self._mailbox.put(state)

    def publish_health(self, health: HealthDocument) -> None:
        self._health = health
        if self._newest:
            self._newest.health = health
        self._mailbox.put(health)

    def alive(self) -> bool:
        return self._thread.is_alive() and time.monotonic() < self._sign_of_life_by

    def close(self) -> None:
        self._closing.set()
        self._mailbox.ring()
        if self._thread.is_alive():
            self._thread.join(FLUSH_SECONDS + 1)

    # --- the link's own thread ----------------------------------------------------------------

    def _run(self) -> None:
        assert self._newest is not None
        while not self._closing.is_set():
            started = time.monotonic()
            reason = self._one_session(self._newest)
            if self._closing.is_set():
                break
            if time.monotonic() - started >= PROVEN_SECONDS:
                self._backoff.reset()
            self._say_down(reason)
            pause = self._backoff.next_seconds(refused=reason.code in REFUSALS)
            self._silent_for(pause)
            self._closing.wait(pause)

    def _one_session(self, newest: Newest) -> HubError:
        """Connect and serve; returns why it ended. Nothing that happens there ends the thread."""
        self._number += 1
        self._silent_for(RESOLVER_SECONDS + 3 * self._hub.connect_timeout_seconds)
        session = Session(
            self._hub,
            self._topics,
            newest,
            self._mailbox,
            self._post,
            number=self._number,
            previous={*self._attempts, *self._spoken} if self._spoken else (),
            clean_start=self._clean_start,
        )
        self._attempts.append(session.id)
        try:
            session.serve(self._closing, self._silent_for)
        except HubError as error:
            if session.was_up:
                self._clean_start = False
            if error.code == UNREADABLE:
                self._clean_start = True
            return TAKEN_OVER if session.clone_seen and error.code == "link-lost" else error
        except Exception as error:
            _log.exception("the hub link stumbled")
            return HubError("link-failed", f"the link failed inside: {error!r}")
        finally:
            session.close()
            if session.was_up:
                self._spoken.append(session.id)
                self._said_down = ""
        return HubError("closed", "the agent closed the link")

    def _silent_for(self, seconds: float) -> None:
        """The thread may be silent for so long; later than that it is not `alive`."""
        self._sign_of_life_by = time.monotonic() + seconds + GRACE_SECONDS

    def _say_down(self, reason: HubError) -> None:
        """Once for each reason, not for each attempt."""
        if reason.code != self._said_down:
            self._said_down = reason.code
            _log.warning("hub link down: %s", reason.text)
            self._post(LinkChanged(up=False, code=reason.code, text=reason.text))
