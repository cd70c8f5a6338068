"""The room's screen: the sources side by side, on KMS, in a window, or nowhere.

With no output snapshots show what would be seen. A screen that breaks (no display, held by somebody else) is opened again while the meeting lasts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct

from agent.core.model.documents import DeviceStatus, Status
from agent.errors import MediaError
from agent.ipc.patience import patience
from agent.media.gst import Gst
from agent.media.loop import Loop, Timer
from agent.media.picture.composer import Composer
from agent.media.picture.kms import Card, open_card
from agent.media.picture.layout import OWN
from agent.media.picture.lettering import Words
from agent.media.picture.putting_out import PuttingOut
from agent.media.picture.scene import Scene
from agent.media.picture.strain import Eased, Strain, less
from agent.media.picture.surface import Surface, restamped
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.settings import Output

WINDOW_SINK = "videoscale ! videoconvert ! ximagesink name=out sync=false"
"""Not autovideosink: on Debian 13 it tries kmssink first, which takes nine seconds to find no card."""
RETRY_SECONDS = 3.0
PROVEN_SECONDS = 1.0
TICK_SECONDS = 0.5

STILL_SECONDS = 5.0
"""A sink that is given pictures and shows none for so long hangs in its driver: one that only waits for the refresh
shows some, on however busy a machine."""

FRESH_SECONDS = 1.0
"""A source without a picture for so long is not shown alone: the last one would stand still."""


LEAST_WIDE = 0.97
"""Of the screen's shape."""


class Shown(Struct):
    """One source on the screen: its name, its newest picture, how many were shown and when the last."""

    label: str
    newest: Callable[[], Any | None]
    pictures: int = 0
    last_seconds: float = 0.0
    wide: bool = True
    """Its picture is as wide as the screen when it is as high: words beside it have the whole width."""


class Seen(NamedTuple):
    """At one look: the source that is shown alone, how many of its pictures were given, how many of all were shown, and how
    many gaps the sound had had.
    """

    alone: str | None
    given: int
    rendered: int
    gaps: int
    at_seconds: float


class Screen:
    """From `start()` to `close()`; all but the pictures in the loop's thread.

    A source that is alone goes straight to the sink, with its words drawn beside it; all else is composed first. Of a
    machine that cannot keep up less is asked (`Strain`): the sink enlarges what is composed at half its size, or a lone
    source with its words; then half as many pictures are composed; then `on_eased` is for whoever can spare more.
    """

    def __init__(
        self, loop: Loop, clock: SharedClock, output: Output, reporter: DeviceReporter
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._output = output
        self._reporter = reporter
        self._lock = threading.Lock()
        self._sources: dict[str, Shown] = {}
        self._surface: Surface | None = None
        self._composer: Composer | None = None
        self._alone: str | None = None
        """The source that goes straight to the surface."""
        self._card: Card | None = None
        self._ending = PuttingOut()
        self._timers: list[Timer] = []
        self._strain = Strain()
        self._seen: Seen | None = None
        self._words = ""
        self._head = ""
        self._title = self._announced = ""
        self.sound_gaps: Callable[[], int] = lambda: 0
        """How often the room's sound had a gap so far."""
        self.late_seconds: Callable[[], float] = lambda: 0.0
        """How much later than due the slowest decoder is."""
        self.on_eased: Callable[[Eased], None] = lambda eased: None
        self.on_lit: Callable[[], None] = lambda: None
        """Told when the screen has proven to work, also after it was broken."""

    # --- life

    def start(self) -> None:
        """Light the screen; without an output there is nothing to light."""
        if self._output.driver == "none":
            return
        if self._ending.under_way:  # the card is still its own
            self._timers = [self._loop.later(RETRY_SECONDS, self.start)]
            return
        try:
            self._surface = Surface(self._clock, self._output, self._sink(), self._on_error)
            self._surface.play()
            self._surface.ease(self._strain.overloaded)
            self._compose()
        except Exception as error:  # MediaError; GLib.Error: the sink is not installed
            self._fail(f"the screen cannot be made: {error}")
            return
        self._timers = [
            self._loop.later(PROVEN_SECONDS, partial(self._prove, self._surface)),
            self._loop.every(TICK_SECONDS, self._tick),
        ]

    def _sink(self) -> str:
        if self._output.driver == "window":
            size = f"video/x-raw,width={self._output.width},height={self._output.height}"
            return WINDOW_SINK.replace("videoscale", f"videoscale ! {size}")
        self._card = open_card(self._output.connector, self._output)
        return self._card.sink

    def _put_out(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        with self._lock:
            composer, self._composer = self._composer, None
            surface, self._surface = self._surface, None
            self._alone = None
        card, self._card = self._card, None
        self._ending.put_out(composer, surface, card)

    def _prove(self, surface: Surface) -> None:
        """Say that it works once it has done so for a moment, or faults would come and go."""
        if surface is self._surface and not surface.rendered:
            self._timers.append(self._loop.later(PROVEN_SECONDS, partial(self._prove, surface)))
        elif surface is self._surface:
            text = f"Display: shown by {self._output.driver}"
            self._reporter.opened(DeviceStatus(Status.OK, "ok", text, required=False))
            self.on_lit()

    def close(self) -> None:
        """The screen belongs to somebody else again."""
        lit = self.lit
        self._put_out()
        if lit:
            self._reporter.closed()

    def _on_error(self, text: str) -> None:
        self._loop.post(lambda: self._fail(text))

    def _fail(self, text: str) -> None:
        self._put_out()
        hint = "check the display's cable and that nothing else uses the screen"
        self._reporter.failed(MediaError("no-screen", f"Display: {text}; {hint}"))
        self._timers = [self._loop.later(RETRY_SECONDS, self.start)]

    # --- what is on it

    def say(self, words: str) -> None:
        """The line of words; empty for none."""
        self._words = words
        self._write()

    def head(self, text: str) -> None:
        """What stands before the time of the day: the meeting's title."""
        self._head = text
        self._write()

    def entitle(self, title: str) -> None:
        """Large words in the middle of an otherwise empty screen."""
        self._title = title
        self._write()

    def announce(self, text: str) -> None:
        """Words for everybody in the room; empty for none: large on an empty screen, in place of the
        title, else in a band across the pictures."""
        self._announced = text
        self._write()

    @property
    def lit(self) -> bool:
        """Whether what is written is seen, as far as one knows."""
        return self._surface is not None

    @property
    def live(self) -> bool:
        """Whether there is an output that wants each picture."""
        return self._output.driver != "none"

    @property
    def delay_nanoseconds(self) -> int:
        """From the moment when a picture is due to when it is seen, as measured."""
        own = self._output.delay_milliseconds * int(Gst.MSECOND)
        return own + (self._surface.delay_nanoseconds if self._surface else 0)

    def pictures(self, key: str) -> int:
        """How many of this source were shown."""
        source = self._sources.get(key)
        return source.pictures if source else 0

    @property
    def rendered(self) -> int | None:
        """How many the sink has shown; None while nothing is open."""
        return self._surface.rendered if self._surface else None

    @property
    def sink_milliseconds(self) -> int | None:
        """How long the sink holds a picture; None while nothing is open."""
        surface = self._surface
        return round(surface.sink_nanoseconds / int(Gst.MSECOND)) if surface else None

    @property
    def overloaded(self) -> bool | None:
        """Whether this machine cannot show all that it should; None while nothing is open."""
        return self._strain.overloaded if self._surface else None

    @property
    def eased(self) -> Eased:
        """What is asked less of, since this machine cannot show all that it should."""
        return self._strain.eased

    def attach(self, key: str, label: str, newest: Callable[[], Any | None]) -> None:
        """A place for one source (or OWN), whose newest picture can be asked for at any time."""
        with self._lock:
            self._sources[key] = Shown(label, newest)
        if self._composer:
            self._composer.attach(key, label)
            self._write()
        self._compose()

    def show(self, key: str, sample: Any) -> None:
        """A picture that is due now, from any thread."""
        with self._lock:
            source = self._sources.get(key)
            surface = self._surface if self._alone == key else None
            composer = None if surface else self._composer
        picture = restamped(sample)
        if source is None:
            return
        source.last_seconds = time.monotonic()
        form, output = sample.get_caps().get_structure(0), self._output
        width, height = form.get_value("width"), form.get_value("height")
        source.wide = width * output.height >= LEAST_WIDE * height * output.width
        if (surface and surface.show(picture)) or (composer and composer.show(key, picture)):
            source.pictures += 1

    def detach(self, key: str) -> None:
        """The source's place is given to the others."""
        with self._lock:
            del self._sources[key]
        if self._composer:
            self._composer.detach(key)
            self._write()
        self._compose()

    def _write(self) -> None:
        self._compose()
        if self._surface and self._alone:
            self._surface.write(self._sources[self._alone].label, self._written())
        if self._composer:
            self._composer.write(self._written())

    def _written(self) -> Words:
        """Large words stand in the middle while there are no sources, else below them."""
        if self._shown_sources():
            return Words(self._head, self._words, band=self._announced)
        return Words(self._head, self._words, title=self._announced or self._title)

    def _shown_sources(self) -> dict[str, Shown]:
        """Without the room's own picture."""
        return {key: source for key, source in self._sources.items() if key != OWN}

    # --- composed, or one source alone

    def _tick(self) -> None:
        surface = self._surface
        if surface is None:
            return
        still = surface.still_seconds()
        if still > STILL_SECONDS and still > patience(STILL_SECONDS):
            self._fail("it shows no picture any more")
            return
        surface.measure()
        self._compose()
        self._judge(surface)

    def _judge(self, surface: Surface) -> None:
        """Whether as much was shown since the last look as there was to show."""
        alone, before = self._alone, self._seen
        given = self._sources[alone].pictures if alone else 0
        gaps = self.sound_gaps()
        seen = self._seen = Seen(alone, given, surface.rendered, gaps, time.monotonic())
        if before is None or before.alone != alone or seen.rendered < before.rendered:
            self._strain.forget()
            return
        due = self._pace().framerate * (seen.at_seconds - before.at_seconds)
        wanted = min(due, given - before.given) if alone else due
        was = self._strain.eased
        shown = seen.rendered - before.rendered
        self._strain.update(
            wanted,
            shown,
            seen.at_seconds,
            gaps=max(0, seen.gaps - before.gaps),
            late_seconds=self.late_seconds(),
        )
        if self._strain.eased != was:
            self._ease(surface)

    def _pace(self) -> Output:
        """The output, as large and with as many pictures a second as this machine can compose."""
        return less(self._output, self._strain.eased)

    def _ease(self, surface: Surface) -> None:
        """Ask less of this machine, or more again."""
        surface.ease(self._strain.overloaded)
        self.on_eased(self._strain.eased)
        self._seen = None
        if self._composer:
            with self._lock:
                gone, self._composer = self._composer, None
            gone.close()
            self._compose()

    def _lone_source(self) -> str | None:
        """The source that can go straight to the surface: alone, without large words, and with pictures."""
        if len(self._sources) != 1 or OWN in self._sources or self._announced:
            return None
        key, source = next(iter(self._sources.items()))
        if not source.wide and (source.label or self._head or self._words):
            return None
        return key if time.monotonic() - source.last_seconds < FRESH_SECONDS else None

    def _compose(self) -> None:
        """Have a composer exactly while one is needed."""
        surface, alone = self._surface, self._lone_source()
        if surface is None or (alone == self._alone and bool(self._composer) != bool(alone)):
            return
        gone = self._composer if alone else None
        made = None if alone or self._composer else self._make_composer(surface)
        if not alone:
            surface.write()
        with self._lock:
            self._alone = alone
            self._composer = None if alone else self._composer or made
        if gone:
            gone.close()
        if made:
            made.play()
        self._write()

    def _make_composer(self, surface: Surface) -> Composer:
        def on_picture(sample: Any) -> None:
            surface.show(restamped(sample))

        made = Composer(self._clock, self._pace(), on_picture, self._on_error)
        for key, source in self._sources.items():
            made.attach(key, source.label)
        return made

    # --- for whoever wants to see it

    def scene(self) -> Scene:
        """As it is shown now."""
        with self._lock:
            shown, own = self._shown_sources(), self._sources.get(OWN)
        pictures = [(source.label, source.newest()) for source in shown.values()]
        return Scene(pictures, self._written(), own.newest() if own else None)

    @property
    def alone(self) -> bool:
        """Whether no source has shown a picture just now."""
        now = time.monotonic()
        sources = self._shown_sources().values()
        return all(now - source.last_seconds >= FRESH_SECONDS for source in sources)
