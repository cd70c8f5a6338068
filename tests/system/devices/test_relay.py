"""The display keeps its power whatever happens to the agent."""

from tests.system import hardware
from tests.system.host import OUT, SERVICE, run
from tests.system.room import Room

RESTARTS = 20


def test_no_restart_cuts_the_display(room: Room, gpio: hardware.Gpio) -> None:
    """A Pi's chip keeps the level of a line that is given back (persist_gpio_outputs).

    gpio-sim lets it fall to its pull instead, so here the pull plays that part.
    """
    assert room.command("display", power="on")["state"] == "succeeded"
    gpio.pull(hardware.RELAY, "up")
    with hardware.Trace(hardware.RELAY) as trace:
        for _ in range(RESTARTS):
            run("systemctl", "restart", SERVICE)
            assert gpio.level(hardware.RELAY) == 1
        (OUT / "relay-edges.txt").write_text(" ".join(map(str, trace.values())) + "\n")
        assert 0 not in trace.values()
    room.wait_for_phase("standby")
    gpio.pull(hardware.RELAY, "down")
    assert room.command("display", power="off")["state"] == "succeeded"
    assert gpio.level(hardware.RELAY) == 0
