"""Carries out the core's effects, in the order given, on the daemon's ports.

Runs on the loop thread. What can fail in a device comes back as an event; what can fail on disk is
logged and does not stop the room from working.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from agent.core import effects as do
from agent.core.documents import EventDocument
from agent.core.events import DisplaySwitched
from agent.errors import AgentError, DeviceAbsent, JournalError
from agent.ports import DisplayRelay, HubLink, Journal, MediaWorker, Outgoing, Panel, Post
from agent.runtime.control import ControlServer
from agent.runtime.prober import Prober
from agent.runtime.systemd import Notifier
from agent.runtime.timers import Timers

log = logging.getLogger(__name__)

RECENT_EVENTS = 20
"""What `status` shows of the past."""


class Performer:
    """The hands of the core. `ended` is set once the daemon shall end, and how."""

    def __init__(
        self,
        *,
        hub: HubLink,
        journal: Journal,
        worker: MediaWorker,
        relay: DisplayRelay | None,
        panel: Panel | None,
        control: ControlServer,
        prober: Prober,
        notifier: Notifier,
        timers: Timers,
        post: Post,
    ) -> None:
        self._hub = hub
        self._journal = journal
        self._worker = worker
        self._relay = relay
        self._panel = panel
        self._control = control
        self._prober = prober
        self._notifier = notifier
        self._timers = timers
        self._post = post
        self.recent: deque[EventDocument] = deque(maxlen=RECENT_EVENTS)
        self.ended: str | None = None
        self._actions: dict[type, Callable[[Any, float], None]] = {
            do.RecordCommand: lambda e, _: self._journal.record_command(e.command),
            do.AcknowledgeDelivery: lambda e, _: self._hub.acknowledge(e.delivery),
            do.SendAck: self._send_ack,
            do.MarkSent: lambda e, _: self._journal.mark_sent(e.key),
            do.ResendUnsent: self._resend,
            do.PublishState: lambda e, _: self._hub.publish_state(e.state),
            do.PublishHealth: lambda e, _: self._hub.publish_health(e.health),
            do.PublishEvent: self._publish_event,
            do.RememberMeeting: lambda e, _: self._journal.remember_meeting(e.record),
            do.RememberMutedByHand: self._remember_muted,
            do.StartWorker: lambda e, _: self._worker.start(e.generation, e.plan),
            do.InstructWorker: lambda e, _: self._worker.instruct(e.instruction),
            do.StopWorker: lambda e, _: self._worker.stop(),
            do.SwitchDisplay: self._switch_display,
            do.SetLamp: self._set_lamp,
            do.SetDeadline: lambda e, now: self._timers.set(e.name, e.seconds, now),
            do.CancelDeadline: lambda e, _: self._timers.cancel(e.name),
            do.Probe: lambda e, _: self._prober.request(),
            do.SetServiceStatus: lambda e, _: self._notifier.status(e.text),
            do.EndDaemon: self._end,
        }

    def perform(self, effects: list[do.Effect], now_seconds: float) -> None:
        """All of them, in order. An unwritable journal costs durability, not the meeting."""
        for effect in effects:
            try:
                self._actions[type(effect)](effect, now_seconds)
            except JournalError as error:
                log.error("the journal cannot be written: %s", error)

    def _send_ack(self, effect: do.SendAck, _now: float) -> None:
        ack = effect.ack
        log.info(
            "%s %s: %s (%s) %s", ack.type, ack.state, ack.code, ack.id, ack.text,
            extra={"COMMAND": ack.id},
        )  # fmt: skip
        outgoing = Outgoing(effect)
        try:
            if effect.final:
                outgoing = self._journal.record_result(effect)
        finally:
            self._control.deliver(ack)
            self._hub.publish(outgoing)

    def _resend(self, _effect: do.ResendUnsent, _now: float) -> None:
        for outgoing in self._journal.unsent():
            self._hub.publish(outgoing)

    def _publish_event(self, effect: do.PublishEvent, _now: float) -> None:
        event = effect.event
        log.info("%s: %s %s", event.type, event.code, event.text)
        self.recent.append(event)
        outgoing = Outgoing(event)
        try:
            outgoing = self._journal.record_event(event)
        finally:
            self._hub.publish(outgoing)

    def _remember_muted(self, effect: do.RememberMutedByHand, _now: float) -> None:
        self._journal.remember("muted_by_hand", "yes" if effect.muted else "no")

    def _switch_display(self, effect: do.SwitchDisplay, _now: float) -> None:
        error = ""
        try:
            if self._relay is None:
                raise DeviceAbsent("relay-not-open", "The display relay could not be opened")
            self._relay.switch(effect.on)
        except AgentError as problem:
            error = str(problem)
        self._post(DisplaySwitched(effect.on, error))

    def _set_lamp(self, effect: do.SetLamp, _now: float) -> None:
        if self._panel is None:
            return
        try:
            self._panel.lamp(effect.mode)
        except AgentError as problem:
            log.error("the on-air lamp: %s", problem)

    def _end(self, effect: do.EndDaemon, _now: float) -> None:
        self.ended = effect.restart
