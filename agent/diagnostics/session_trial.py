"""A media session of a few seconds, as a meeting has it, in a meeting of its own: a test picture and a tone go to
the media server and come back.

The same media process as a meeting's, with simulated devices: no camera and no microphone is opened, so no
lamp is needed. It ends as soon as a meeting begins.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import time
from collections.abc import Callable

from msgspec import Struct

from agent.core.model.commands import Endpoint, Source
from agent.core.model.documents import SessionFigures
from agent.core.model.events import Event, MediaExited, MediaReported
from agent.core.model.figures import (
    MediaFigures,
    Medium,
    StreamFigures,
    UplinkFigures,
)
from agent.core.model.media import (
    DownlinkReported,
    Measured,
    MeetingPlan,
    Ready,
    SetSources,
    UplinkReported,
)
from agent.errors import AgentError
from agent.ipc.loading import LONGEST_LOADING_SECONDS
from agent.ipc.supervisor import Supervisor
from agent.settings import Camera, Devices, Media, Microphone, Speaker

logging.getLogger("agent.ipc").addHandler(logging.NullHandler())
"""What GStreamer prints is for the daemon's log, not for a technician's terminal."""

LOAD_SECONDS = LONGEST_LOADING_SECONDS + 10
"""Never reached: who loads so long, or does nothing meanwhile, has been ended by the supervisor."""

PUBLISH_SECONDS = 20.0
"""From the first word to the server to its first word on our media. It takes tenths of a second; where no path
leads there ICE gives up after 6 s, and the second attempt waits for relays."""

ATTEMPTS = 2
"""A busy machine misses the first one's deadlines; a path that a firewall closes is closed to both."""

PLAY_SECONDS = 10.0
"""For what the server has to come back: it is asked at once, and a second later if it isn't there yet."""

MEASURE_SECONDS = 6.0
"""For figures of both ways: the media process measures every two seconds."""

LOOK_SECONDS = 0.2
"""How often it is asked whether a meeting begins."""

GENERATION = 1
OVER = ("refused", "wrong-peer")
"""Trying again changes nothing."""
SMALL = Camera(driver="simulated", width=320, height=180, framerate=10, bitrate=150_000)
DEVICES = Devices(
    camera=SMALL,
    microphone=Microphone(driver="simulated", processing=False),
    speaker=Speaker(driver="simulated"),
)
"""Of a room with nothing in it; little to encode, and little to send."""

OTHER_WAY = (
    (re.compile(r"(?<![a-z])whip(?![a-z])"), "whep"),
    (re.compile(r"(?<=[?&])dst="), "src="),
)
"""How media servers name the address that plays what another one takes; go2rtc's is the second."""


class Interrupted(AgentError):
    """A meeting began."""

    def __init__(self) -> None:
        super().__init__("meeting-began", "a meeting began, so the media session was ended")


class SessionFailed(AgentError):
    """Nothing was published: `refused`, `unreachable`, `wrong-peer`, or `crashed` for our own process."""

    @property
    def wants_token(self) -> bool:
        """The server let nobody in without one, or not with this one (401, 403)."""
        return self.code == "refused" and re.search(r"\(40[13]\)", self.text) is not None


class Tried(Struct, frozen=True):
    """What came of a session that was up."""

    figures: SessionFigures
    refused: tuple[Medium, ...] = ()
    """What the server does not take."""
    returned: str = ""
    """How far it came back: `flowing`, or the last state; empty where nobody knows the address to ask."""
    text: str = ""
    """Why it did not come back."""


def address_back(url: str) -> str | None:
    """The WHEP address of what is published to this WHIP address, as servers name it; None: nobody knows."""
    for pattern, other in OTHER_WAY:
        places = list(pattern.finditer(url))
        if places:
            start, end = places[-1].span()
            return url[:start] + other + url[end:]
    return None


def try_session(
    media: Media, endpoint: Endpoint, meeting: str, needed: Callable[[], bool]
) -> Tried:
    """Publish there and play it back. `needed`: whether a meeting needs the machine now.

    Takes 5 s at a good server. Raises Interrupted, SessionFailed.
    """
    trial = _Trial(media, needed)
    try:
        return trial.run(endpoint, meeting)
    finally:
        trial.close()


class _Trial:
    """One media process and what it says; all in one thread, with which it dies."""

    def __init__(self, media: Media, needed: Callable[[], bool]) -> None:
        self._events: queue.SimpleQueue[tuple[float, Event]] = queue.SimpleQueue()
        self._supervisor = Supervisor(self._post, DEVICES, media)
        self._needed = needed
        self._looked = time.monotonic()
        self._ready = False
        self._up = UplinkReported("connecting")
        self._trouble = self._up
        """The last that said why."""
        self._failures = 0
        self._back = DownlinkReported("", "connecting")
        self._asked_at = self._up_at = 0.0
        self._measured = MediaFigures()

    def run(self, endpoint: Endpoint, meeting: str) -> Tried:
        """Raises as `try_session`."""
        self._supervisor.start(GENERATION, _plan(endpoint, meeting))
        if not self._until(lambda: self._ready, LOAD_SECONDS):
            raise SessionFailed("crashed", "the media process was not ready in time")
        self._publish()
        address = address_back(endpoint.url)
        if address:
            self._supervisor.instruct(SetSources([Source(address, endpoint.token)]))
            self._until(lambda: self._back.state in ("flowing", *OVER), PLAY_SECONDS)
        self._until(self._all_measured, MEASURE_SECONDS)
        returned = self._back.state if address else ""
        return Tried(self._figures(), self._up.refused, returned, self._back.text)

    def close(self) -> None:
        """The sessions are ended at the server, and the process is gone."""
        self._supervisor.close()

    def _publish(self) -> None:
        """Wait for the server to take it. Raises SessionFailed."""
        if not self._until(self._answered, PUBLISH_SECONDS) or self._up.state != "flowing":
            last = self._trouble
            code = "refused" if last.state in ("connecting", "refused") else last.state
            text = last.text or f"nothing was taken within {PUBLISH_SECONDS:g} s"
            raise SessionFailed(code if last.text else "unreachable", text)

    def _answered(self) -> bool:
        return self._up.state in ("flowing", *OVER) or self._failures >= ATTEMPTS

    def _all_measured(self) -> bool:
        up, back = self._measured.uplink, self._measured.downlinks
        sent = up is not None and up.round_trip_milliseconds is not None
        played = bool(back) and back[0].sound_loss_percent is not None
        return sent and (played or self._back.state != "flowing")

    def _figures(self) -> SessionFigures:
        up, back = self._measured.uplink, self._measured.downlinks
        took = round((self._up_at - self._asked_at) * 1000)
        return session_figures(up, back[0] if back else None, set_up_milliseconds=took)

    def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Take what the media process says. Raises Interrupted, SessionFailed."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(queue.Empty):
                self._take(*self._events.get(timeout=min(left, LOOK_SECONDS)))
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked = time.monotonic()
                if self._needed():
                    raise Interrupted
        return True

    def _post(self, event: Event) -> None:
        """From the supervisor's thread, with the time."""
        self._events.put((time.monotonic(), event))

    def _take(self, at: float, event: Event) -> None:
        match event:
            case MediaExited(text=text):
                raise SessionFailed("crashed", text)
            case MediaReported(report=Ready()):
                self._ready = True
            case MediaReported(report=UplinkReported() as report):
                self._up = report
                self._trouble = report if report.text else self._trouble
                self._failures += bool(report.text)
                self._asked_at = at if report.state == "connecting" else self._asked_at
                self._up_at = at if report.state == "connected" else self._up_at
            case MediaReported(report=DownlinkReported() as report):
                self._back = report
            case MediaReported(report=Measured(figures)):
                self._measured = figures


def session_figures(
    up: StreamFigures | None, back: StreamFigures | None, set_up_milliseconds: int | None = None
) -> SessionFigures:
    """What of a session's figures a check tells: the worse of picture and sound."""
    return SessionFigures(
        set_up_milliseconds=set_up_milliseconds,
        path=up.path if up else None,
        round_trip_milliseconds=up.round_trip_milliseconds
        if isinstance(up, UplinkFigures)
        else None,
        sent_loss_percent=_loss(up),
        received_loss_percent=_loss(back),
    )


def _loss(stream: StreamFigures | None) -> float | None:
    losses = (stream.picture_loss_percent, stream.sound_loss_percent) if stream else ()
    return max((loss for loss in losses if loss is not None), default=None)


def _plan(endpoint: Endpoint, meeting: str) -> MeetingPlan:
    return MeetingPlan(
        meeting=meeting,
        room=meeting,
        publish=endpoint,
        play=[],
        microphone_live=True,
        camera_live=True,
        speaker_volume=0,
    )
