"""The hub link: one session after the other, for ever, in a thread of its own.

Callers only put jobs into a mailbox; what happens is posted into the loop's inbox.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec import structs

from agent.core.model.documents import HealthDocument, RoomState
from agent.core.model.events import Delivery, LinkChanged
from agent.errors import HubError
from agent.hub.backoff import Backoff
from agent.hub.limits import Attempt
from agent.hub.mailbox import Mailbox
from agent.hub.reasons import REFUSALS, TAKEN_OVER, UNREADABLE
from agent.hub.session import FLUSH_SECONDS, Newest, Outlet, Session
from agent.hub.topics import Topics
from agent.ports import Outgoing, Post
from agent.settings import Hub, Room

PROVEN_SECONDS = 10.0
"""How long a connection must have held for the next failure to count as a first one: a hub that
accepts and drops must not be answered with a storm, one that restarts often be found soon."""

CLONE_PROVEN_SECONDS = 300.0
"""The same after another agent has taken our place: two of a name throw each other out for ever, and each
time costs both their messages."""

TIMEOUTS_A_CONNECTION = 4
"""Connect timeouts that one attempt may take: resolving and dialling, TLS, the websocket, the CONNACK."""

GRACE_SECONDS = 10.0
"""How much later than announced a sign of life may come on a busy machine."""

_log = logging.getLogger(__name__)


class Link:
    """`agent.ports.HubLink` over MQTT 5. `post` puts an event into the loop's inbox; while that is `busy`,
    nothing is read from the hub."""

    def __init__(
        self,
        hub: Hub,
        room: Room,
        post: Post,
        backoff: Backoff | None = None,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._hub = hub
        self._topics = Topics(hub.topic_root, room)
        self._post = post
        self._backoff = backoff or Backoff()
        self._mailbox = Mailbox()
        self._thread = threading.Thread(target=self._run, name="hub-link", daemon=True)
        self._closing = threading.Event()
        self._newest: Newest | None = None
        self._attempts: deque[str] = deque(maxlen=8)
        """Sessions whose will the hub may have, though it never said so."""
        self._spoken: deque[str] = deque(maxlen=8)
        """Sessions that were up. Before the first, the retained state is the agent's last run's."""
        self._busy = busy
        self._attempt = Attempt(number=0)
        self._said_down = ""
        self._logged: set[str] = set()
        """Reasons in the log since the link was last up: two that alternate are no news."""
        self._taken_over_at: float | None = None
        self._sign_of_life_by = 0.0

    # --- agent.ports.HubLink, called from the loop's thread -----------------------------------

    def start(self, state: RoomState) -> None:
        self._newest = Newest(state)
        self._silent_for(0)
        self._thread.start()

    def acknowledge(self, delivery: Delivery) -> None:
        self._mailbox.put(delivery)

    def publish(self, outgoing: Outgoing) -> None:
        self._mailbox.put(outgoing)

    def publish_state(self, state: RoomState) -> None:
        if self._newest:
            self._newest.take(state)
        self._mailbox.put(state)

    def publish_health(self, health: HealthDocument) -> None:
        self._mailbox.put(health)

    def together(self) -> AbstractContextManager[None]:
        return self._mailbox.together()

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
        outlet = Outlet(self._newest, self._mailbox, self._post, self._busy)
        while not self._closing.is_set():
            started = time.monotonic()
            reason = self._one_session(outlet)
            if self._closing.is_set():
                break
            if time.monotonic() - started >= self._proven_seconds(reason):
                self._backoff.reset()
            self._say_down(reason)
            pause = self._backoff.next_seconds(refused=reason.code in REFUSALS)
            self._silent_for(pause)
            self._closing.wait(pause)

    def _proven_seconds(self, reason: HubError) -> float:
        if reason.code == TAKEN_OVER.code:
            self._taken_over_at = time.monotonic()
            return CLONE_PROVEN_SECONDS
        return PROVEN_SECONDS

    def _one_session(self, outlet: Outlet) -> HubError:
        """Connect and serve; returns why it ended. Nothing that happens there ends the thread."""
        at = self._taken_over_at
        taken_over = at is not None and time.monotonic() - at < CLONE_PROVEN_SECONDS
        number = self._attempt.number + 1
        attempt = structs.replace(self._attempt, number=number, taken_over=taken_over)
        self._silent_for(TIMEOUTS_A_CONNECTION * self._hub.connect_timeout_seconds)
        previous = {*self._attempts, *self._spoken} if self._spoken else ()
        session = Session(self._hub, self._topics, outlet, attempt, previous)
        self._attempts.append(session.id)
        error = HubError("closed", "the agent closed the link")
        try:
            session.serve(self._closing, self._silent_for)
        except HubError as problem:
            error = problem
            if session.clone_seen and error.code == "link-lost":
                error = TAKEN_OVER
        except Exception as problem:
            _log.exception("the hub link stumbled")
            error = HubError("link-failed", f"the link failed inside: {problem!r}")
        finally:
            suspicious = session.may_have_ended_by_a_copy
            session.close()
            if session.was_up:
                self._spoken.append(session.id)
                self._said_down = ""
                self._logged.clear()
        self._attempt = _next_attempt(attempt, error, up=session.was_up, suspicious=suspicious)
        return error

    def _silent_for(self, seconds: float) -> None:
        """The thread may be silent for so long; later than that it is not `alive`."""
        self._sign_of_life_by = time.monotonic() + seconds + GRACE_SECONDS

    def _say_down(self, reason: HubError) -> None:
        """Once for each reason, not for each attempt."""
        if reason.code == self._said_down:
            return
        self._said_down = reason.code
        if reason.code not in self._logged:
            self._logged.add(reason.code)
            _log.warning("hub link down: %s", reason.text)
        self._post(LinkChanged(up=False, code=reason.code, text=reason.text))


HONEST_ENDS = frozenset({"no-echo", "hub-stopping", "session-taken-over", "closed"})
"""Ends that no message of ours can have been the reason for."""


def _next_attempt(last: Attempt, error: HubError, *, up: bool, suspicious: bool) -> Attempt:
    """What the end of a connection teaches for the next one."""
    return structs.replace(
        last,
        clean_start=error.code == UNREADABLE or (last.clean_start and not up),
        will_retain=last.will_retain and error.code != "no-retain",
        will_qos=0 if error.code == "no-qos-1" else last.will_qos,
        copies=not (suspicious and error.code not in HONEST_ENDS) if up else last.copies,
    )
