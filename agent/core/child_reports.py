"""What the media child says, and that it is gone: passed on to everybody whom it concerns.

The order counts: what the child has open is known before its end changes the phase.
"""

from __future__ import annotations

from agent.core.meeting.membership import Link
from agent.core.audit import DeviceAudit
from agent.core.model.clock import Now
from agent.core.health import HealthBoard
from agent.core.model.media import (
    Applied,
    DeviceReported,
    DownlinkReported,
    Measured,
    MediaReport,
    RecordingReported,
    UplinkReported,
)
from agent.core.media_child import MediaChild
from agent.core.microphone import Microphone
from agent.core.recording import Recording
from agent.core.meeting.lifecycle import Stay


class ChildReports:
    """The reports of the child that counts; the caller has seen to it that it does."""

    def __init__(
        self,
        child: MediaChild,
        stay: Stay,
        health: HealthBoard,
        audit: DeviceAudit,
        microphone: Microphone,
        recording: Recording,
    ) -> None:
        self._child = child
        self._stay = stay
        self._health = health
        self._audit = audit
        self._microphone = microphone
        self._recording = recording

    def take(self, report: MediaReport, now: Now) -> None:
        """It said something."""
        if not self._child.ready:
            self._child.ready = True
            self._microphone.child_ready()
        match report:
            case UplinkReported() | DownlinkReported():
                self._link(report, now)
            case DeviceReported():
                self._device(report, now)
            case Measured(figures):
                self._health.figures = figures
            case Applied(request, error):
                self._microphone.applied(request, error, now)
                self._recording.applied(request, error, now)
            case RecordingReported():
                self._recording.reported(report, now)

    def _link(self, report: UplinkReported | DownlinkReported, now: Now) -> None:
        if attendance := self._stay.attendance:
            link = Link(report.state, report.text)
            if isinstance(report, UplinkReported):
                attendance.uplink = link
            elif report.url in attendance.downlinks:
                attendance.downlinks[report.url] = link
            self._stay.check(now)
        self._health.change(now)

    def _device(self, report: DeviceReported, now: Now) -> None:
        self._health.reported(report, now)
        if attendance := self._stay.attendance:
            attendance.device(report.device, report.status)
        self._audit.observe(self._health.open_devices, self._stay.opening, self._stay.closing, now)

    def exited(self, text: str, now: Now) -> None:
        """It is gone, and whatever it had open is closed."""
        self._health.child_gone(now)
        command, why = self._stay.closing
        closing = command, f"{why} ({text})" if text else why
        self._audit.observe(set(), self._stay.opening, closing, now)
