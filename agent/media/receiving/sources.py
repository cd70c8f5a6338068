"""The sources of the meeting that are played: each has a downlink, a place on the screen and in the mix.

Sources come and go with `play`; the ones that stay are not touched. All in the loop's thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from agent.core.model.commands import Source
from agent.core.model.figures import LinkState
from agent.core.model.media import DownlinkReported
from agent.media.context import Context
from agent.media.picture.notice import Notice
from agent.media.picture.screen import Screen
from agent.media.receiving.downlink import Downlink
from agent.media.receiving.lipsync import Paths
from agent.media.receiving.parting import Parting
from agent.media.receiving.picture_budget import PictureBudget
from agent.media.receiving.reception import Outlets
from agent.media.recording.recorder import Recorder
from agent.media.sound.speaker import SpeakerFeed

TICK_SECONDS = 0.25
SETTLED: tuple[LinkState, ...] = ("flowing", "refused", "unreachable", "wrong-peer")


class Sources:
    """What they bring goes to the screen, the loudspeaker (if there is one) and the recorder."""

    def __init__(
        self,
        context: Context,
        screen: Screen,
        speaker: SpeakerFeed | None,
        recorder: Recorder,
        notice: Notice,
    ) -> None:
        self._context = context
        self._screen = screen
        self._speaker = speaker
        self._recorder = recorder
        self._notice = notice
        self._tapped = False
        self._downlinks: dict[str, Downlink] = {}
        self._endings: list[threading.Thread] = []
        self._parting = Parting(context.loop, self._stop)
        self._budget = PictureBudget()
        context.loop.every(TICK_SECONDS, self._tick)

    def __iter__(self) -> Iterator[Downlink]:
        return iter(self._downlinks.values())

    @property
    def urls(self) -> list[str]:
        return list(self._downlinks)

    def play(self, sources: list[Source]) -> None:
        """Exactly these, as soon as those are there that come; one whose token or label changed is the same source."""
        wanted = {source.url: source for source in sources}
        self._parting.replace(self._downlinks, wanted)
        for url, source in wanted.items():
            if url in self._downlinks:
                self._downlinks[url].renew(source)
            else:
                made = self._make(source)
                made.begin_like(self)
                self._downlinks[url] = made
                made.start()

    def close(self) -> list[threading.Thread]:
        """The threads to wait for, each of which says DELETE."""
        return self._endings + [end for link in self for end in link.close()]

    def request_keyframes(self) -> None:
        for downlink in self:
            downlink.request_keyframe()

    def _tick(self) -> None:
        """Give up pictures, the last source's first, where the link does not carry them."""
        losses = [loss for downlink in self if (loss := downlink.loss()) is not None]
        pictures = self._budget.update(
            losses,
            len(self._downlinks),
            time.monotonic(),
            changing=any(downlink.changing for downlink in self),
            adapts=any(downlink.adapts for downlink in self),
        )
        for index, downlink in enumerate(self):
            downlink.want_picture(index < pictures)
        self._notice.narrow(any(downlink.picture_given_up for downlink in self))

    def tap(self, on: bool) -> None:
        """Whether the recorder gets what comes in, from these sources and those to come."""
        self._tapped = on
        for downlink in self:
            downlink.tap(on)

    def _make(self, source: Source) -> Downlink:
        url, recorder, screen = source.url, self._recorder, self._screen
        downlink = Downlink(
            self._context,
            source,
            report=lambda state, text: self._report(url, state, text),
            outlets=Outlets(
                on_picture=(lambda sample: screen.show(url, sample)) if screen.live else None,
                sound=self._speaker.attach(url) if self._speaker else None,
                on_sound=lambda buffer, due: recorder.take_sound(url, buffer, due),
                on_unit=lambda buffer, due: recorder.take_received(url, buffer, due),
                shown=(lambda: screen.pictures(url)) if screen.live else None,
            ),
            paths=self._paths,
            on_failed_trial=lambda: self._budget.fail_trial(time.monotonic()),
        )
        downlink.tap(self._tapped)
        screen.attach(url, source.label or "", downlink.newest_picture)
        return downlink

    def _paths(self) -> Paths:
        to_ear = self._speaker.delay_nanoseconds if self._speaker else 0
        return Paths(to_ear, self._screen.delay_nanoseconds)

    def _report(self, url: str, state: LinkState, text: str) -> None:
        self._notice.link(url, state)
        if state in SETTLED and url in self._downlinks:
            self._parting.arrived(url, self._downlinks[url].sound_delay_seconds)
        self._context.send(DownlinkReported(url, state, text))

    def _stop(self, url: str) -> None:
        self._endings = [thread for thread in self._endings if thread.is_alive()]
        self._endings += self._downlinks.pop(url).close()
        self._screen.detach(url)
        self._notice.gone(url)
        if self._speaker:
            self._speaker.detach(url)
