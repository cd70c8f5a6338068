"""Uplinks of mobile networks, as they were measured: when the radio may send, packet by packet.

The shape of two published traces (github.com/ravinet/mahimahi, folder traces; each line of theirs is the millisecond at
which one packet of 1500 bytes crosses the link, recorded by the Saturator of Winstein et al., NSDI 2013). The traces
themselves are not here, since their licence is another; these are the rates and pauses that one reads off them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

PACKET_BYTES = 1500


class Stretch(NamedTuple):
    """For so long the radio may send so many packets a second, in grants so many seconds apart; of those a share is left
    out, and what it would have carried goes with the next.
    """

    seconds: float
    packets_per_second: float
    grant_seconds: float = 0.01
    left_out: float = 0.4


DRIVING = (
    Stretch(22.3, 77, 0.01, 0.45),
    Stretch(4.8, 1, 1.0, 0.0),
    Stretch(8.0, 78, 0.01, 0.45),
)
"""ATT-LTE-driving.up, its first 36 s: 0.9 Mbit/s in steps of 10 ms, pauses of 50 ms with up to five packets after them,
and at 23.3 s almost nothing for 4.8 s (a handover that fails)."""

HIGHWAY = (
    Stretch(0.13, 0, 0.13),
    Stretch(2.65, 700),
    Stretch(0.23, 250),
    Stretch(2.5, 48, 0.02, 0.2),
    Stretch(0.8, 100),
    Stretch(0.7, 380),
    Stretch(0.07, 0, 0.07),
    Stretch(1.3, 78),
    Stretch(1.25, 190),
    Stretch(0.085, 0, 0.085),
    Stretch(1.65, 170),
)
"""orange-4G-traces-highway-up.pps, its first 11.3 s: at 110 km/h from 8.4 Mbit/s to 0.6 within a quarter of a second, for
2.5 s, and back in steps; nothing for 130, 68 and 85 ms in between."""


def grants(
    stretches: tuple[Stretch, ...], seconds: float, seed: int
) -> Iterator[tuple[float, int]]:
    """When the radio may send, and how many packets then; the stretches again and again for so many seconds."""
    dice = random.Random(seed)
    began = owed = 0.0
    while began < seconds:
        for stretch in stretches:
            steps = max(1, round(stretch.seconds / stretch.grant_seconds))
            for step in range(steps):
                owed += stretch.packets_per_second * stretch.grant_seconds
                if owed >= 1 and dice.random() >= stretch.left_out:
                    yield began + step * stretch.grant_seconds, int(owed)
                    owed -= int(owed)
            began += stretch.seconds
