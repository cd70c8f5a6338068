"""The display keeps its power whatever happens to the agent."""

import os

from tests.system import hardware
from tests.system.host import SERVICE, keep_figure, run
from tests.system.room import Room

RESTARTS = int(os.environ.get("DIEMCAU_RESTARTS", "20"))
"""Each takes some twenty seconds of emulation."""


def test_no_restart_cuts_the_display(room: Room, gpio: hardware.Gpio) -> None:
    """A Pi's chip keeps the level of a line that is given back (persist_gpio_outputs).

    gpio-sim lets it fall to its pull instead, so here the pull plays that part. Without a meeting the
    display is held for 20 s after each start, longer than a restart takes.
    """
    assert room.command("display", power="on")["state"] == "succeeded"
    gpio.pull(hardware.RELAY, "up")
    with hardware.Trace(hardware.RELAY) as trace:
        for _ in range(RESTARTS):
            run("systemctl", "restart", SERVICE)
            assert gpio.level(hardware.RELAY) == 1
        values = [edge.value for edge in trace.edges()]
        keep_figure(f"times the relay fell in {RESTARTS} restarts", values.count(0))
        assert 0 not in values
    room.wait_for_phase("standby")
    gpio.pull(hardware.RELAY, "down")
    assert room.command("display", power="off")["state"] == "succeeded"
    assert gpio.level(hardware.RELAY) == 0
