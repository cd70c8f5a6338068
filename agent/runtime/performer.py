"""Carries out the core's effects, in the order given, on the daemon's ports.

Runs on the loop thread. What can fail in a device comes back as an event; what is to be kept goes
through `agent.runtime.recorder` first.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

from agent.core.model import effects as do
from agent.core.model.commands import FINAL_STATES, Ack, AckState
from agent.core.model.documents import EventDocument, Phase, RoomState
from agent.core.model.events import DisplaySwitched, LampSet
from agent.ports import Outgoing
from agent.runtime.outflow import Outflow
from agent.runtime.outside import Outside
from agent.runtime.recorder import ACTS, Recorder, segments

log = logging.getLogger(__name__)

ACK_MESSAGE_ID = "5c1f3a0a8d0f4f0e9a6f3d2b7c4e1a01"
EVENT_MESSAGE_ID = "5c1f3a0a8d0f4f0e9a6f3d2b7c4e1a02"
"""For `journalctl MESSAGE_ID=...`: all answers to commands; all events (docs/install.md)."""

RECENT_EVENTS = 20
"""What `status` shows of the past."""


class Performer:
    """The hands of the core. `ended` is set once the daemon shall end: `no`, `agent` or `host`."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._recorder = Recorder(outside.journal)
        self.recent: deque[EventDocument] = deque(maxlen=RECENT_EVENTS)
        self.failed_join: Ack | None = None
        """The last join's answer, if it did not come true."""
        self.ended: str | None = None
        self.outflow = Outflow(outside.journal, outside.hub)
        self._meeting = ""
        self._phase = Phase.STANDBY

    def perform(self, effects: list[do.Effect]) -> None:
        """All of them; what is to be kept is on disk before anything that comes after it is done."""
        for segment in segments(effects):
            outgoing = self._recorder.record(segment)
            act = segment[-1] if isinstance(segment[-1], ACTS) else None
            said = segment[:-1] if act else segment
            with self._outside.hub.together() if len(said) > 1 else nullcontext():
                for effect, message in zip(said, outgoing, strict=False):
                    self._perform(effect, message)
            if act:  # the hub hears of it before it is begun
                self._perform(act, None)

    def _perform(  # noqa: PLR0912 - one line an effect
        self, effect: do.Effect, outgoing: Outgoing | None
    ) -> None:
        out = self._outside
        match effect:
            case do.AcknowledgeDelivery(delivery):
                out.hub.acknowledge(delivery)
            case do.SendAck(ack) if outgoing is not None:
                self._send_ack(ack, outgoing)
            case do.ResendUnsent(refused):
                self.outflow.resend(refused=refused)
            case do.MarkSent(key) | do.SetAside(key):
                self.outflow.settled(key)
            case do.PublishState(state):
                self._note(state)
                out.hub.publish_state(state)
            case do.PublishHealth(health):
                out.hub.publish_health(health)
            case do.PublishEvent(event) if outgoing is not None:
                self._publish_event(event, outgoing)
            case do.SetDeadline(deadline, seconds):
                out.timers.set(deadline, seconds, out.clock.now().monotonic_seconds)
            case do.CancelDeadline(deadline):
                out.timers.cancel(deadline)
            case do.Probe():
                out.prober.request()
            case do.SetServiceStatus(text):
                out.notifier.status(text)
            case do.EndDaemon(restart):
                self.ended = restart
            case _:
                self._act(effect)

    def _note(self, state: RoomState) -> None:
        """What log lines and `status` go by. Once the room is in, no join has failed any more, if it got in by itself."""
        self._meeting = state.meeting.id if state.meeting else ""
        if state.phase is Phase.IN_MEETING and self._phase is not Phase.IN_MEETING:
            self.failed_join = None
        self._phase = state.phase

    def _act(self, effect: do.Effect) -> None:
        """What moves something in the room."""
        match effect:
            case do.StartMedia() if self._outside.code.replaced() and self._may_start_anew():
                log.warning(
                    "the agent was upgraded meanwhile: it starts anew before a media process does"
                )
                self.ended = "agent"
            case do.StartMedia(generation, plan):
                self._outside.supervisor.start(generation, plan)
            case do.InstructMedia(instruction):
                self._outside.supervisor.instruct(instruction)
            case do.StopMedia():
                self._outside.supervisor.stop()
            case do.SwitchDisplay(on):
                self._switch_display(on)
            case do.SetLamp(mode):
                self._set_lamp(mode)
            case do.StartCheck(number, check):
                self._outside.checker.start(number, check)
            case do.StopCheck():
                self._outside.checker.stop()

    def _may_start_anew(self) -> bool:
        """Only the new daemon surely knows how to speak with the new media process, and the journal has the meeting; but
        with settings that can't be used there would be no new daemon, and a meeting at the worst that fails is less."""
        if problem := self._outside.settings_problem():
            log.error(
                "upgraded meanwhile, but not started anew: the settings can't be used: %s", problem
            )
        return not problem

    def _send_ack(self, ack: Ack, outgoing: Outgoing) -> None:
        fields = {"COMMAND": ack.id, "MEETING": self._meeting, "MESSAGE_ID": ACK_MESSAGE_ID}
        log.info("%s %s (%s): %s", ack.type, ack.state, ack.code, ack.text, extra=fields)
        if ack.type in ("join", "call") and ack.state in FINAL_STATES:
            no_failure = ack.state in (AckState.SUCCEEDED, AckState.SUPERSEDED)
            self.failed_join = None if no_failure else ack
        self._outside.control.deliver(ack)
        self.outflow.publish(outgoing)

    def _publish_event(self, event: EventDocument, outgoing: Outgoing) -> None:
        fields = {"MEETING": self._meeting, "MESSAGE_ID": EVENT_MESSAGE_ID}
        log.info("%s (%s): %s", event.type, event.code, event.text, extra=fields)
        self.recent.append(event)
        self.outflow.publish(outgoing)

    def _switch_display(self, on: bool) -> None:
        relay = self._outside.relay
        error = "The display relay could not be opened"
        self._outside.post(
            DisplaySwitched(on, _error_of(partial(relay.switch, on)) if relay else error)
        )

    def _set_lamp(self, mode: str) -> None:
        panel = self._outside.panel
        error = "the panel could not be opened"
        self._outside.post(LampSet(_error_of(partial(panel.lamp, mode)) if panel else error))


def _error_of(act: Callable[[], None]) -> str:
    """What went wrong in a device, or empty: a library's mistake must not end the daemon."""
    try:
        act()
    except Exception as problem:
        return str(problem)
    return ""
