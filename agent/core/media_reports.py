"""What the media process says, and that it is gone: passed on to everybody whom it concerns.

The order counts: what the media process has open is known before its end changes the phase.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.core.audit import DeviceAudit
from agent.core.devices.media_process import MediaProcess
from agent.core.devices.microphone import MicrophoneControl
from agent.core.devices.recording import RecordingControl
from agent.core.health import HealthBoard
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.meeting.membership import MediaLink, Membership
from agent.core.model.clock import Now
from agent.core.model.documents import Status
from agent.core.model.media import (
    Applied,
    DeviceReported,
    DownlinkReported,
    Measured,
    MediaReport,
    RecordingReported,
    SessionsReported,
    UplinkReported,
)


class MediaReports:
    """The reports of the media process that counts; the caller has seen to it that it does."""

    def __init__(
        self,
        process: MediaProcess,
        lifecycle: Lifecycle,
        health: HealthBoard,
        audit: DeviceAudit,
        microphone: MicrophoneControl,
        recording: RecordingControl,
    ) -> None:
        self._process = process
        self._lifecycle = lifecycle
        self._health = health
        self._audit = audit
        self._microphone = microphone
        self._recording = recording
        self.on_shown: Callable[[str, str, Now], None] = lambda request, error, now: None
        """Whoever waits for an announcement to be on the screen; set by the room."""

    def take(self, report: MediaReport, now: Now) -> None:
        """It said something."""
        if not self._process.ready:
            self._process.ready = True
            self._microphone.process_ready()
            self._lifecycle.camera.process_ready()
        match report:
            case UplinkReported() | DownlinkReported():
                self._link(report, now)
            case DeviceReported():
                self._device(report, now)
            case SessionsReported(open):
                self._process.hold(open)
            case Measured(figures):
                self._health.figures = figures
            case Applied(request, error):
                self._microphone.applied(request, error, now)
                self._lifecycle.camera.applied(request, error)
                self._recording.applied(request, error, now)
                self._lifecycle.changes.applied(request, error, now)
                self.on_shown(request, error, now)
            case RecordingReported():
                self._recording.reported(report, now)

    def _link(self, report: UplinkReported | DownlinkReported, now: Now) -> None:
        if membership := self._lifecycle.membership:
            link = MediaLink(report.state, report.text)
            if isinstance(report, UplinkReported):
                if _is_of(report.url, membership):
                    membership.uplink = link
                    membership.refused = report.refused
            elif report.url in membership.downlinks:
                membership.downlinks[report.url] = link
            if report.state == "wrong-peer":
                self._audit.wrong_peer(report.text, membership.command, now)
            self._lifecycle.check(now)
        self._health.change(now)

    def _device(self, report: DeviceReported, now: Now) -> None:
        self._health.reported(report, now)
        if membership := self._lifecycle.membership:
            membership.device(report.device, report.status)
        by_hand = self._lifecycle.camera.cause if report.device == "camera" else None
        broken = not report.open and report.status.status is not Status.OK
        held = self._lifecycle.held
        command, why = by_hand if by_hand and held else self._lifecycle.closing
        closing = command, report.status.text if broken else why
        opening = by_hand or self._lifecycle.opening
        self._audit.observe(self._health.open_devices, opening, closing, now)

    def exited(self, text: str, now: Now) -> None:
        """It is gone, and whatever it had open is closed."""
        self._health.process_gone(now)
        command, why = self._lifecycle.closing
        closing = command, f"{why} ({text})" if text else why
        self._audit.observe(self._health.open_devices, self._lifecycle.opening, closing, now)


def _is_of(url: str, membership: Membership) -> bool:
    """Whether this is the stream that counts: the one to the place where the room shall publish now."""
    if url:
        return membership.publish is not None and url == membership.publish.url
    return membership.published_before is None
