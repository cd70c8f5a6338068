"""Narrow links and a server that is killed: what is kept, what is given up, how soon all is back.

A room at 720p and 1.5 Mbit/s is heard and seen by another. The sound is judged from the moment when
the link narrows, in pieces of 20 ms, as the other room's loudspeaker played it. All crosses the line, HTTP as well: needs
root, or a user namespace in which the bench is root (unshare --user --map-root-user --net).
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from agent.core.model.figures import DownlinkFigures
from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from agent.settings import Devices, Media, Speaker
from tests.bench.media import SENDING, TONE_HZ, plan
from tests.bench.row import Row
from tests.support.impairment import Conditions
from tests.support.line import FAR, Line
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.sounds import RATE_HZ, purity, read_wav

DELAY_SECONDS = 0.05
NARROW, NARROWEST = 500_000, 100_000
NARROW_SECONDS = 30.0
SETTLE_SECONDS = 6.0
LIMIT_SOUND_PERCENT, LIMIT_FORWARDED_SOUND_PERCENT = 98.0, 97.0
"""The second of a downlink from a server that only forwards."""

LIMIT_PICTURES = 10.0
LIMIT_BACK_SECONDS = 15.0
FULL_PICTURES = 27.0
KILLS = 3
LIMIT_NOTICED_SECONDS, LIMIT_RETURN_SECONDS = 5.0, 3.0
PIECE = RATE_HZ // 50
MEDIA = Media(allowed_hosts=["*", f"{FAR}/32"])
Within = tuple[str, ...]


def measure() -> list[Row]:
    rows = [*narrow("uplink"), *narrow("downlink"), *narrow("downlink", adapts=True)]
    return rows + kills(KILLS)


class Watch:
    """The other room: what it saw and heard while something was the matter."""

    def __init__(self, process: MediaProcess, recording: Path) -> None:
        self._process = process
        self._recording = recording

    def pictures(self) -> float:
        """A second, by the newest figures."""
        return figures(self._process).frames_per_second or 0.0

    def heard_percent(self, seconds: float) -> float:
        """Of the last so many seconds."""
        sound = read_wav(self._recording)[-int(seconds * RATE_HZ) :]
        pieces = [sound[at : at + PIECE] for at in range(0, len(sound) - PIECE, PIECE)]
        return round(100 * float(np.mean([purity(piece, TONE_HZ) > 0.9 for piece in pieces])), 1)


def figures(process: MediaProcess) -> DownlinkFigures:
    """The newest of the one source that it plays."""
    return process.said(Measured)[-1].figures.downlinks[0]


def narrow(side: str, *, adapts: bool = False) -> list[Row]:
    """The link of one side is cut to 500 and then 100 kbit/s, and then it is wide again; a server that
    only forwards cannot send a player a smaller picture.
    """
    kind = "adapting " if adapts else ""
    forwards = side == "downlink" and not adapts
    least = LIMIT_FORWARDED_SOUND_PERCENT if forwards else LIMIT_SOUND_PERCENT
    with (
        Line() as line,
        MediaServer(place=line.place, adapts=adapts) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        line.set(Conditions(delay_seconds=DELAY_SECONDS))
        near, far = line.near.within, line.far.within
        ends = (near, far) if side == "uplink" else (far, near)
        with meeting(server, ends, Path(folder) / "heard.wav") as room:
            sounds, pictures = [], []
            for bits in (NARROW, NARROWEST):
                line.set(Conditions(delay_seconds=DELAY_SECONDS, bits_per_second=bits))
                time.sleep(NARROW_SECONDS)
                sounds.append(room.heard_percent(NARROW_SECONDS))
                pictures.append(room.pictures())
            line.set(Conditions(delay_seconds=DELAY_SECONDS))
            back = seconds_until(lambda: room.pictures() >= FULL_PICTURES)
    return [
        Row(f"{kind}{side} 500 kbit/s: sound", sounds[0], "%", least, at_least=True),
        *(
            [Row("... pictures", pictures[0], "/s", LIMIT_PICTURES, at_least=True)]
            if not forwards
            else []
        ),
        Row(f"{kind}{side} 100 kbit/s: sound", sounds[1], "%", least, at_least=True),
        Row("... all back after", back, "s", LIMIT_BACK_SECONDS),
    ]


@contextlib.contextmanager
def meeting(server: MediaServer, ends: Sequence[Within], recording: Path) -> Iterator[Watch]:
    """`ends`: the networks of who is heard and seen, and of who hears and sees."""
    receiving = Devices(speaker=Speaker(driver="simulated", record=str(recording)))
    with (
        MediaProcess(SENDING, MEDIA, within=ends[0]) as sender,
        MediaProcess(receiving, MEDIA, within=ends[1]) as receiver,
    ):
        sender.start(plan(publish=server.whip("narrow")))
        sender.wait(UplinkReported, lambda r: r.state == "flowing", 20)
        receiver.start(plan(play=server.whep("narrow")))
        receiver.wait(DownlinkReported, lambda r: r.state == "flowing", 20)
        time.sleep(SETTLE_SECONDS)
        yield Watch(receiver, recording)


def seconds_until(condition: Callable[[], bool], most: float = 60.0) -> float:
    started = time.monotonic()
    while not condition() and time.monotonic() - started < most:
        time.sleep(0.1)
    return round(time.monotonic() - started, 1)


def kills(times: int) -> list[Row]:
    """The worst of so many, of both ways."""
    noticed, back = [], []
    server = MediaServer()
    with MediaProcess(SENDING) as process:
        process.start(plan(publish=server.whip("killed"), play=server.whep("killed")))
        both(process, "flowing", 0)
        for _ in range(times):
            told = len(process.reports)
            server.kill()
            noticed.append(both(process, "stalled", told))
            told = len(process.reports)
            server = MediaServer(server.port)
            back.append(both(process, "flowing", told))
    server.close()
    return [
        Row(f"{times} servers killed: noticed", max(noticed), "s", LIMIT_NOTICED_SECONDS),
        Row("... media again after its return", max(back), "s", LIMIT_RETURN_SECONDS),
    ]


def both(process: MediaProcess, state: str, after: int) -> float:
    """Seconds until the ways out and in are in this state."""
    started = time.monotonic()
    for kind in (UplinkReported, DownlinkReported):
        process.wait(kind, lambda report: report.state == state, 30, after)
    return round(time.monotonic() - started, 2)
