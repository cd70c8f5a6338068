"""The supervisor with real processes: every way in which a media process can end or misbehave."""

import gc
import logging
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent.core.model.commands import Endpoint, Source
from agent.core.model.events import Event, MediaExited, MediaReported
from agent.core.model.media import Applied, Fault, MeetingPlan, Ready, SetSources, SetVolume
from agent.ipc import loading, spawned_process
from agent.ipc.supervisor import Supervisor
from agent.settings import Devices, Media
from tests.support.waiting import wait_for

FAKE_MEDIA_PROCESS = Path(__file__).parent.parent / "support" / "fake_media_process.py"
TOKEN = "token-nobody-may-read"


def plan() -> MeetingPlan:
    return MeetingPlan(
        meeting="giao-ban",
        room="room-a",
        publish=Endpoint(url="http://127.0.0.1:1/whip", token=TOKEN),
        play=[],
        microphone_live=False,
        camera_live=True,
        speaker_volume=70,
    )


class Room:
    """A supervisor whose events are kept, and what a test asks of them."""

    def __init__(self, behaviour: str) -> None:
        self.events: list[Event] = []
        command = (sys.executable, "-I", "-S", str(FAKE_MEDIA_PROCESS), behaviour)
        self.supervisor = Supervisor(self.events.append, Devices(), Media(), command)

    def start(self, generation: int = 1) -> None:
        self.supervisor.start(generation, plan())

    def reports(self, kind: type) -> list:
        reported = [event.report for event in self.events if isinstance(event, MediaReported)]
        return [report for report in reported if isinstance(report, kind)]

    def wait_ready(self) -> Ready:
        return wait_for(lambda: self.reports(Ready), 10, "the media process says Ready")[0]

    def exits(self) -> list[MediaExited]:
        return [event for event in self.events if isinstance(event, MediaExited)]

    def wait_exit(self, seconds: float = 15) -> MediaExited:
        wait_for(self.exits, seconds, "the media process has exited")
        assert self.events[-1] == self.exits()[0], "nothing is reported after the exit"
        return self.exits()[0]


@pytest.fixture
def room(request):
    room = Room(request.param)
    yield room
    room.supervisor.close()


def as_room(behaviour: str):
    return pytest.mark.parametrize("room", [behaviour], indirect=True)


@as_room("obedient")
def test_a_media_process_is_configured_started_instructed_and_ended(room: Room):
    room.start(generation=7)
    pid = room.wait_ready().pid
    room.supervisor.instruct(SetVolume(speaker=30))
    heard = wait_for(lambda: len(room.reports(Applied)) == 3 and room.reports(Applied), 5, "echo")
    kinds = [report.request for report in heard]
    assert kinds == ["configure", "start", "volume"]
    assert {event.generation for event in room.events} == {7}
    room.supervisor.stop()
    exit = room.wait_exit()
    assert (exit.generation, exit.status) == (7, 0)
    assert f"media process {pid} ended after" in exit.text
    assert not psutil.pid_exists(pid)


@as_room("obedient")
def test_nothing_happens_without_a_media_process(room: Room):
    room.supervisor.instruct(SetVolume(speaker=30))
    room.supervisor.stop()
    room.supervisor.close()
    room.supervisor.close()
    assert room.events == []


@as_room("deaf")
def test_a_deaf_media_process_gets_sigterm_after_two_seconds(room: Room):
    room.start()
    room.wait_ready()
    asked = time.monotonic()
    room.supervisor.stop()
    assert time.monotonic() - asked < spawned_process.TERM_AFTER_SECONDS, "stop does not block"
    assert room.wait_exit().status == 0
    assert time.monotonic() - asked >= spawned_process.TERM_AFTER_SECONDS


@as_room("stubborn")
def test_a_stubborn_media_process_gets_sigkill_after_four_and_close_is_bounded(room: Room):
    room.start()
    room.wait_ready()
    asked = time.monotonic()
    room.supervisor.close()
    assert spawned_process.KILL_AFTER_SECONDS <= time.monotonic() - asked <= 15
    exit = room.wait_exit(seconds=0)
    assert exit.status == -9
    assert "because it did not stop within 4 s" in exit.text


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines of loading in seconds instead of minutes."""
    monkeypatch.setattr(loading, "LIFELESS_SECONDS", 1.0)
    monkeypatch.setattr(loading, "LONGEST_LOADING_SECONDS", 30.0)
    monkeypatch.setattr(loading, "POLL_SECONDS", 0.1)


@as_room("slow_to_load")
def test_a_process_that_hangs_while_it_loads_is_killed(room: Room, impatient):
    room.start()
    assert "s and did nothing for 1 s" in room.wait_exit().text


@pytest.mark.parametrize("room", ["loads_long", "scans_long"], indirect=True)
def test_a_process_that_still_loads_is_waited_for(room: Room, impatient):
    """The first load on a slow board takes far longer than one that hangs is given."""
    room.start()
    room.wait_ready()


@as_room("computes_for_ever")
def test_a_process_that_computes_for_ever_is_killed_in_the_end(room: Room, impatient, monkeypatch):
    monkeypatch.setattr(loading, "LONGEST_LOADING_SECONDS", 2.0)
    room.start()
    assert "because it was not ready within 2 s" in room.wait_exit().text


@pytest.mark.parametrize(
    ("room", "status", "text"),
    [
        ("segfault", -11, "was killed by SIGSEGV after"),
        ("fault", 3, "ended with exit code 3 after"),
        ("garbage", -9, "because it said what no media process says: line from the media process"),
        ("endless_line", -9, "because it said what no media process says: a line of more than"),
        ("flood", -9, "because it flooded the daemon: more than 100 reports a second"),
        ("hang_up", -9, "because it closed its control line and stayed"),
    ],
    indirect=["room"],
)
def test_the_end_of_a_bad_media_process_says_what_happened(room: Room, status: int, text: str):
    room.start()
    exit = room.wait_exit()
    assert exit.status == status
    assert text in exit.text
    assert len(room.events) < 700, "the inbox is not flooded"


@as_room("segfault")
def test_the_last_line_on_stderr_stands_in_the_exit_text(room: Room):
    room.start()
    assert room.wait_exit().text.endswith("codec: something is off")


@as_room("fault")
def test_a_fault_is_reported_before_the_exit_and_stands_in_its_text(room: Room):
    room.start()
    assert room.wait_exit().text.endswith("the camera was unplugged")
    assert room.reports(Fault) == [Fault("camera-lost", "the camera was unplugged")]


@as_room("deaf")
def test_a_media_process_that_takes_no_instructions_is_killed_and_never_blocks(room: Room):
    room.start()
    room.wait_ready()
    sources = SetSources([Source("http://127.0.0.1/" + "x" * 2000, token="y" * 4000)] * 4)
    began = time.monotonic()
    while not room.exits() and time.monotonic() - began < 10:
        room.supervisor.instruct(sources)
    assert "because it took no instructions any more" in room.wait_exit().text


@as_room("chatty")
def test_stderr_is_logged_without_secrets_and_not_without_end(room: Room, caplog):
    caplog.set_level(logging.INFO)
    room.start()
    exit = room.wait_exit()
    assert "sending token=***" in caplog.text
    assert "Bearer ***" in caplog.text
    assert TOKEN not in caplog.text
    assert "s3cr3t" not in caplog.text
    assert "\x1b" not in caplog.text
    assert len(caplog.records) < 200
    assert "more lines not logged" in caplog.text
    assert exit.status == 0


@as_room("with_grandchild")
def test_what_the_media_process_started_dies_with_it(room: Room):
    room.start()
    room.wait_ready()
    grandchild = psutil.Process(int(room.reports(Applied)[0].request))
    room.supervisor.stop()
    room.wait_exit()
    wait_for(
        lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE,
        5,
        "the grandchild is gone",
    )


@as_room("obedient")
def test_a_new_start_replaces_a_media_process_that_is_still_there(room: Room):
    room.start(generation=1)
    room.wait_ready()
    room.start(generation=2)
    wait_for(lambda: len(room.reports(Ready)) == 2, 10, "the second media process is ready")
    exit = wait_for(room.exits, 5, "the first media process has exited")[0]
    assert (exit.generation, exit.status) == (1, -9)
    assert "was replaced" in exit.text


def test_a_media_process_that_cannot_be_spawned_is_an_exit_like_any_other():
    events: list[Event] = []
    Supervisor(events.append, Devices(), Media(), ("/no/such/python",)).start(5, plan())
    (exit,) = events
    assert isinstance(exit, MediaExited)
    assert (exit.generation, exit.status) == (5, 127)
    assert "cannot start the media process /no/such/python" in exit.text


def test_the_media_process_inherits_no_secrets_and_no_sockets_of_systemd(monkeypatch):
    for name in ("NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "MQTT_PASSWORD", "WATCHDOG_USEC"):
        monkeypatch.setenv(name, "x")
    room = Room("obedient")
    with open("/dev/null") as other_file:
        os.set_inheritable(other_file.fileno(), True)
        room.start()
        process = psutil.Process(room.wait_ready().pid)
        files = os.listdir(f"/proc/{process.pid}/fd")
        environment = process.environ()
    room.supervisor.close()
    assert not {"NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "MQTT_PASSWORD"} & set(environment)
    assert "WATCHDOG_USEC" not in environment
    assert "PATH" in environment
    assert len(files) == 4, "stdin, stdout, stderr and the control line"


def test_fifty_media_processes_leave_no_file_thread_or_process_behind():
    room = Room("obedient")
    me = psutil.Process()
    threads, others = me.num_threads(), me.children()

    def cycle() -> None:
        room.events.clear()
        room.start()
        room.wait_ready()
        room.supervisor.stop()
        room.wait_exit()

    cycle()
    gc.collect()
    wait_for(lambda: me.num_threads() <= threads, 5, "the first media process's thread is gone")
    files = me.num_fds()
    for _ in range(50):
        cycle()
    wait_for(lambda: me.num_threads() <= threads, 5, "the last media process's thread is gone")
    assert me.num_fds() == files
    assert me.children() == others
