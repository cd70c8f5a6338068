"""Whether the meeting is to be recorded, and what the media process says about it."""

from __future__ import annotations

from typing import Literal

from agent.core.context import Context
from agent.core.devices.media_process import MediaProcess
from agent.core.model.clock import Now
from agent.core.model.commands import Code
from agent.core.model.deadlines import RecordingLate
from agent.core.model.documents import EventDetail, EventDocument
from agent.core.model.effects import (
    CancelDeadline,
    InstructMedia,
    PublishEvent,
    SetDeadline,
)
from agent.core.model.media import RecordingReported, SetRecording

CONFIRM_SECONDS = 5.0
"""The media process looks at the disk before it answers; on a Pi 4."""


class RecordingControl:
    """The wish, across media processes, and what is true now."""

    def __init__(self, context: Context, process: MediaProcess) -> None:
        self._room = context.profile.room
        self._confirm_seconds = CONFIRM_SECONDS * context.profile.slowness
        self._do = context.do
        self._answers = context.answers
        self._process = process
        self._asked: dict[str, bool] = {}
        self._path = ""
        self._failure = Code.RECORDING_FAILED
        self.wanted = False
        self.on = False

    @property
    def word(self) -> Literal["on", "off"]:
        """The wish as a join has it."""
        return "on" if self.wanted else "off"

    def prepare(self, wanted: bool) -> None:
        """A meeting begins."""
        self.wanted = wanted

    def switch(self, wanted: bool, command_id: str, now: Now) -> None:
        """Ask the media process; the caller has seen to it that the room is in a meeting."""
        if wanted == self.wanted == self.on:
            text = "was recording already" if wanted else "was not recording"
            self._answers.succeed(command_id, text, now, code=Code.ALREADY)
            return
        self.wanted = wanted
        if not (wanted or self._process.in_meeting):
            self._answers.succeed(command_id, "not recording any more", now)
            return
        self._asked[command_id] = wanted
        if self._process.in_meeting:  # else the next one has it in its plan, and reports
            self._do(InstructMedia(SetRecording(wanted, command_id)))
        self._do(SetDeadline(RecordingLate(command_id), self._confirm_seconds))

    def applied(self, request: str, error: str, now: Now) -> None:
        """The media process made it so, or (with `error`) could not."""
        wanted = self._asked.pop(request, None)
        if wanted is None:
            return
        self._do(CancelDeadline(RecordingLate(request)))
        if error:
            self.wanted = self.on
            self._answers.fail(request, self._failure, error, now)
        else:
            text = "recording" if wanted else "not recording any more"
            self._answers.succeed(request, text, now)

    def not_confirmed(self, request: str, now: Now) -> None:
        """The media process did not answer in time."""
        self.applied(request, "The media process did not answer in time", now)

    def reported(self, report: RecordingReported, now: Now) -> None:
        """A file was begun or ended, or recording was refused or broke off: an event each."""
        self.on, self._path = report.on, report.path
        self._tell_of(report, now)
        if report.on or report.code != "ok":
            for request in [one for one, wanted in self._asked.items() if wanted]:
                self.applied(request, "" if report.on else report.text, now)

    def _tell_of(self, report: RecordingReported, now: Now) -> None:
        if report.on:
            self._tell("recording-started", report, now)
        elif report.code == "ok":
            self._tell("recording-stopped", report, now)
        else:
            self.wanted = False
            full = report.code == Code.DISK_FULL
            self._failure = Code.DISK_FULL if full else Code.RECORDING_FAILED
            self._tell("recording-failed", report, now)

    def process_gone(self, now: Now) -> None:
        """Whatever it recorded ends with it; the next media process begins a file if that is still wanted."""
        asked = list(self._asked.items()) if self._process.in_meeting else []
        for request, wanted in asked:
            self.applied(request, "The media process ended" if wanted else "", now)
        if self.on:
            text = "the recording broke off with the media process; the file plays up to there"
            self.reported(RecordingReported(False, self._path, "ok", text), now)

    def _tell(self, kind: str, report: RecordingReported, now: Now) -> None:
        detail = EventDetail(path=report.path or None)
        event = EventDocument(kind, self._room, report.code, report.text, now.wall, detail)
        self._do(PublishEvent(event))
