"""What the screen costs, one source and four, with words and without: beside the plainest way to do the same.

Sources of 1280x720 at 30 pictures a second (four at 10, which a shared machine carries both ways), already decoded, on a
screen of 1280x720 that takes them as they are. The plainest way is
GStreamer's mixer as it comes, with every name drawn on its source's picture. Both run at the same time,
so that a busy machine is as busy for each; what it takes to give the pictures away is taken off from both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from msgspec import structs

from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.picture.layout import arrange
from agent.media.picture.scene import LABEL, canvas, say
from agent.media.picture.screen import Screen
from agent.media.picture.surface import restamped
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.settings import Output
from tests.bench.row import Row

OUTPUT = Output(driver="window")
SINK = "capsfilter caps=video/x-raw,format=I420 ! fakesink name=out sync=false"
SETTLE_SECONDS, MEASURE_SECONDS = 2.0, 8.0
LIMIT_RATIO = 0.5
"""Of the plainest way's processor time."""


class Case(NamedTuple):
    """`width` and `height` are the sources'; `words`: each source's name, a title, the clock and a line of words."""

    name: str
    sources: int
    words: bool
    width: int = OUTPUT.width
    height: int = OUTPUT.height
    limit: float | None = LIMIT_RATIO
    framerate: int = 30

    @property
    def output(self) -> Output:
        return structs.replace(OUTPUT, framerate=self.framerate)


CASES = (
    Case("screen: one source", 1, words=False),
    Case("screen: one source, words", 1, words=True, limit=1.2),
    Case("screen: one source of 640x360, words", 1, words=True, width=640, height=360, limit=1.0),
    Case("screen: four sources at 10/s", 4, words=False, framerate=10),
    Case("screen: four sources at 10/s, words", 4, words=True, framerate=10),
)
NAME = "Xã Lũng Cú"
LINE = "Mọi người đang nghe phòng này"


class Spent(NamedTuple):
    """Of one core, in percent, and the pictures shown a second: a way that cannot keep up must not seem cheap."""

    percent: float
    shown: float


def measure() -> list[Row]:
    rows = []
    for number, case in enumerate(CASES):
        running = [_start(way, number) for way in WAYS]
        spent, reference, given = map(_read, running)
        own, plain = (
            (one.percent - given.percent) * case.framerate / max(one.shown, 1)
            for one in (spent, reference)
        )
        rows.append(Row(case.name, own, "%", case.limit, plain))
        rows.append(Row("... pictures shown", spent.shown, "/s", None, reference.shown))
    return rows


def _start(way: str, case: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bench.screen", way, str(case)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _read(process: subprocess.Popen[str]) -> Spent:
    said, _ = process.communicate(timeout=120)
    return Spent(*json.loads(said))


# --- one process, one way, one case


Show = Callable[[int, Any], None]


@contextmanager
def ours(case: Case) -> Iterator[tuple[Show, Any]]:
    """The room's screen, with a sink that looks at nothing."""
    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    screen = _Unseen(
        loop, SharedClock(), case.output, DeviceReporter("display", False, lambda _: None)
    )

    def begin() -> None:
        screen.start()
        for number in range(case.sources):
            screen.attach(str(number), NAME if case.words else "", lambda: None)
        if case.words:
            screen.head("Giao ban")
            screen.say(LINE)

    loop.post(begin)
    yield (lambda number, sample: screen.show(str(number), sample)), lambda: screen.rendered or 0
    loop.post(screen.close)
    loop.post(loop.stop)
    thread.join()


class _Unseen(Screen):
    def _sink(self) -> str:
        return SINK


@contextmanager
def plainest(case: Case) -> Iterator[tuple[Show, Any]]:
    """A mixer with its own scaling (cubic), names drawn on the sources' pictures."""
    pipeline = Gst.parse_launch(f"{canvas(case.output, live=True)} ! {SINK}")
    say(pipeline.get_by_name("words"), LINE if case.words else "")
    entries = []
    pace = "is-live=true do-timestamp=true max-buffers=2 leaky-type=downstream"
    for tile in arrange(case.sources, OUTPUT.width, OUTPUT.height, OUTPUT.layout):
        source = Gst.parse_bin_from_description(
            f"appsrc name=in format=time {pace} ! videoconvert ! {LABEL} ! queue name=end",
            False,
        )
        source.add_pad(Gst.GhostPad.new("src", source.get_by_name("end").get_static_pad("src")))
        pipeline.add(source)
        source.link_pads("src", pipeline.get_by_name("mix"), "sink_%u")
        pad = source.get_static_pad("src").get_peer()
        for name, value in zip(("xpos", "ypos", "width", "height"), tile, strict=True):
            pad.set_property(name, value)
        say(source.get_by_name("label"), NAME if case.words else "")
        entries.append(source.get_by_name("in"))
    pipeline.set_state(Gst.State.PLAYING)
    out = pipeline.get_by_name("out")
    yield (
        lambda number, sample: entries[number].push_sample(restamped(sample)),
        lambda: out.get_property("stats").get_value("rendered"),
    )
    pipeline.set_state(Gst.State.NULL)


@contextmanager
def nothing(case: Case) -> Iterator[tuple[Show, Any]]:
    """Pictures are given away and never looked at."""
    pipeline = Gst.parse_launch(
        "appsrc name=in format=time is-live=true ! fakesink name=out sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    entry = pipeline.get_by_name("in")
    yield (lambda number, sample: entry.push_sample(restamped(sample))), lambda: 0
    pipeline.set_state(Gst.State.NULL)


WAYS = {"ours": ours, "plainest": plainest, "nothing": nothing}


def spend(way: str, case: Case) -> Spent:
    """Feed that way for a while. A picture has noise all over, as a camera's."""
    data = os.urandom(case.width * case.height * 3 // 2)
    caps = (
        f"video/x-raw,format=I420,width={case.width},height={case.height},framerate={case.framerate}/1,"
        "pixel-aspect-ratio=1/1,interlace-mode=progressive,colorimetry=bt709,chroma-site=mpeg2"
    )
    sample = Gst.Sample.new(Gst.Buffer.new_wrapped(data), Gst.Caps.from_string(caps), None, None)
    with WAYS[way](case) as (show, rendered):
        _feed(partial(show, sample=sample), case, SETTLE_SECONDS)
        began, used, before = time.monotonic(), time.process_time(), rendered()
        _feed(partial(show, sample=sample), case, MEASURE_SECONDS)
        took = time.monotonic() - began
        return Spent(100 * (time.process_time() - used) / took, (rendered() - before) / took)


def _feed(show: Callable[[int], None], case: Case, seconds: float) -> None:
    began = time.monotonic()
    for picture in range(int(seconds * case.framerate)):
        for number in range(case.sources):
            show(number)
        time.sleep(max(0.0, began + (picture + 1) / case.framerate - time.monotonic()))


if __name__ == "__main__":
    print(json.dumps(spend(sys.argv[1], CASES[int(sys.argv[2])])))
