"""The room's bell: an urgent call between meetings is heard as soon as the daemon says so, while the engine still loads.

It needs the loudspeaker's driver and nothing else. Neither camera nor microphone is opened here, whatever comes.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import settings
from agent.core.model.announcement import Announcement, ringing
from agent.core.model.media import SetAnnouncement, StandbyPlan, Start
from agent.ipc import protocol
from agent.media.reporting import DeviceReporter, Send
from agent.media.sound.chime import Chime
from agent.ports import Speaker

MakeSpeaker = Callable[[settings.Speaker, settings.Simulation], Speaker]
"""The driver that the settings name, not yet opened."""


class Bell:
    """Heeds what the daemon says, in the thread that reads it; `close` may come from another."""

    def __init__(self, make_speaker: MakeSpeaker, send: Send) -> None:
        self._make_speaker = make_speaker
        self._send = send
        self._devices = settings.Devices()
        self._chime: Chime | None = None

    def heed(self, message: protocol.ToMedia) -> None:
        """Ring while a call is announced between meetings; in one the loudspeaker is the meeting's."""
        match message:
            case protocol.Configure(devices=devices):
                self._devices = devices
            case Start(plan=StandbyPlan(announcement=announced)):
                self._chime = self._make_chime()
                self._ring(announced)
            case SetAnnouncement(announced):
                self._ring(announced)

    def close(self) -> None:
        """Hush for good."""
        if self._chime:
            self._chime.close()

    def _make_chime(self) -> Chime | None:
        devices, speaker = self._devices, self._devices.speaker
        if speaker is None:
            return None
        reporter = DeviceReporter("speaker", speaker.required, self._send)
        return Chime(lambda: self._make_speaker(speaker, devices.simulation), reporter)

    def _ring(self, announced: Announcement | None) -> None:
        if self._chime:
            self._chime.ring(ringing(announced))
