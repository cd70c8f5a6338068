"""Between meetings: the screen with the room's name, and what is announced; a call also rings.

Neither camera nor microphone is opened here, whatever comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import structs

from agent.core.model.media import Instruction, SetAnnouncement, StandbyPlan
from agent.media.context import Context
from agent.media.picture.announcing import Announcing
from agent.media.picture.screen import Screen
from agent.media.reporting import DeviceReporter
from agent.media.sound.chime import Chime
from agent.ports import Speaker

FRAMERATE = 2
"""Nothing moves; but a cable that is plugged in, and a call, are to be seen soon."""


class Standby:
    """From `start()` to `close()`."""

    def __init__(
        self, context: Context, plan: StandbyPlan, make_speaker: Callable[[], Speaker] | None
    ) -> None:
        output = structs.replace(context.devices.display.output, framerate=FRAMERATE)
        self._plan = plan
        display = DeviceReporter("display", False, context.send)
        self._screen = Screen(context.loop, context.clock, output, display)
        speaker = context.devices.speaker
        required = speaker is not None and speaker.required
        self._chime = Chime(make_speaker, DeviceReporter("speaker", required, context.send))
        self._announcing = Announcing(self._screen, self._chime.ring, context.send)

    def start(self) -> None:
        """Show the picture; a call is heard before the screen is lit."""
        announced = self._plan.announcement
        self._chime.ring(announced if announced and announced.chime else None)
        self._screen.entitle(self._plan.room_name)
        self._screen.start()
        self._announcing.set(announced)

    def apply(self, instruction: Instruction) -> None:
        """Only announcements have a meaning here."""
        if isinstance(instruction, SetAnnouncement):
            self._announcing.set(instruction.announcement)

    def close(self) -> list[threading.Thread]:
        """Take it away, and hush."""
        hushing = threading.Thread(target=self._chime.close, daemon=True)
        hushing.start()
        self._screen.close()
        return [hushing]
