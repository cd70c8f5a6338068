"""A picture's packets leave evenly on a narrow link, all of them and in their order."""

from __future__ import annotations

import time

from agent.media.gst import Gst
from agent.media.pipeline import Pipeline, SharedClock, unwrap, wrap
from agent.media.sending.pacing import PACE, Pacer
from tests.support.waiting import wait_for

PACKETS, PACKET_BYTES = 20, 1000
BITS_PER_SECOND = 160_000
FRAME_SECONDS = PACKETS * PACKET_BYTES * 8 / (PACE * BITS_PER_SECOND)


class Line:
    """Frames go in as lists of packets, as a payloader gives them out."""

    def __init__(self) -> None:
        self.came: list[tuple[float, int]] = []
        self._pipeline = Pipeline(
            SharedClock(), "appsrc name=in ! appsink name=out sync=false", print
        )
        self._pipeline.on_sample("out", self._take)
        self.pacer = Pacer(self._pipeline["in"].get_static_pad("src"))
        self._pipeline.play()

    def _take(self, sample: object) -> None:
        self.came.append((time.monotonic(), unwrap(sample)[0]))

    def send(self, first: int) -> None:
        packets = Gst.BufferList.new()
        for number in range(first, first + PACKETS):
            packets.insert(-1, wrap(bytes([number]) * PACKET_BYTES))
        self._pipeline["in"].push_buffer_list(packets)

    def wait(self, count: int) -> None:
        wait_for(lambda: len(self.came) >= count, 20, f"{count} packets")

    def close(self) -> None:
        self._pipeline.close()


def test_a_keyframe_is_spread_over_the_time_that_its_bitrate_takes() -> None:
    line = Line()
    line.pacer.follow(BITS_PER_SECOND)
    line.send(0)
    line.wait(PACKETS)
    line.close()
    times = [at for at, _ in line.came]
    assert times[-1] - times[0] >= 0.9 * FRAME_SECONDS * (PACKETS - 1) / PACKETS
    assert [number for _, number in line.came] == list(range(PACKETS))


def test_none_is_lost_when_the_pace_changes() -> None:
    line = Line()
    paces = [None, 10 * BITS_PER_SECOND, 5 * BITS_PER_SECOND, None]
    for index, pace in enumerate(paces):
        line.pacer.follow(pace)
        line.send(index * PACKETS)
        line.wait((index + 1) * PACKETS)
    line.close()
    assert [number for _, number in line.came] == list(range(len(paces) * PACKETS))
