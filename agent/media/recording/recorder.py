"""The recording's switch, and the taps where pictures and sound pass on their way.

What it hears of the room's own sound has passed the mute: a muted room is silent in the file too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from agent.core.model.media import RecordingReported
from agent.errors import MediaError
from agent.media.gst import Gst
from agent.media.pipeline import SharedClock
from agent.media.recording.folder import RecordingFolder
from agent.media.recording.part import OWN, Picture, Sound
from agent.media.recording.recording import Recording
from agent.media.reporting import Send
from agent.ports import AccessUnit


class Recorder:
    """At most one recording at a time; the taps cost nothing while there is none."""

    def __init__(
        self,
        clock: SharedClock,
        folder: RecordingFolder,
        send: Send,
        new_recording: Callable[[], Recording],
    ) -> None:
        self._clock = clock
        self._folder = folder
        self._send = send
        self._new_recording = new_recording
        self._recording: Recording | None = None

    @property
    def on(self) -> bool:
        return self._recording is not None and self._recording.on

    def tap_own_sound(self, send: Callable[[Any], None]) -> Callable[[Any], None]:
        """`send` for buffers of the microphone, and the recording hears them too."""

        def pass_on(buffer: Any) -> None:
            send(buffer)
            if recording := self._recording:
                recording.push(Sound(OWN, buffer.pts, contents(buffer)))

        return pass_on

    def take_sound(self, key: str, buffer: Any, due: int) -> None:
        """Decoded sound of this source, and when it is due."""
        if recording := self._recording:
            recording.push(Sound(key, due, contents(buffer)))

    def take_received(self, key: str, buffer: Any, due: int) -> None:
        """An access unit of this source, as received."""
        if recording := self._recording:
            keyframe = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
            recording.push(Picture(key, due, contents(buffer), keyframe))

    def take_own(self, unit: AccessUnit) -> None:
        """An access unit of the room's camera."""
        if recording := self._recording:
            at = self._clock.at(unit.captured_monotonic_seconds)
            recording.push(Picture(OWN, at, unit.data, unit.keyframe))

    def start(self) -> None:
        """Begin, unless it is on. Raises MediaError when it can't be, and reports that too."""
        if self.on:
            return
        try:
            self._folder.check()
        except MediaError as error:
            self._send(RecordingReported(False, "", error.code, error.text))
            raise
        self._recording = self._new_recording()
        self._recording.start()

    def stop(self) -> list[threading.Thread]:
        """End it: the thread to wait for, if there is one."""
        recording, self._recording = self._recording, None
        if recording is None:
            return []
        recording.stop()
        return [recording.thread]


def contents(buffer: Any) -> bytes:
    """A copy of the buffer's bytes."""
    return bytes(buffer.extract_dup(0, buffer.get_size()))
