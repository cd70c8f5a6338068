"""The hub's commands by hand, the status screen, and a doctor that leaves a meeting alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Bench
from tests.support.waiting import wait_for


@pytest.fixture
def in_meeting(healthy: Bench) -> Iterator[Bench]:
    done = healthy.run("join", "giao-ban", "--title", "Giao ban tuần")
    assert done.returncode == 0, done.stdout + done.stderr
    yield healthy
    healthy.run("leave")


def phase(bench: Bench) -> str:
    return str(bench.room.ask(type="status")["state"]["phase"])


def acks(output: str) -> list[str]:
    return re.findall(r"^ *[\d.]+ s  (\w+)", output, re.MULTILINE)


def test_join_and_leave_show_their_acks_as_they_come(healthy: Bench) -> None:
    joined = healthy.run("join", "giao-ban")
    assert acks(joined.stdout) == ["accepted", "running", "done"]
    assert joined.returncode == 0
    assert phase(healthy) == "in-meeting"
    left = healthy.run("leave")
    assert acks(left.stdout)[-1] == "done"
    assert left.returncode == 0
    assert healthy.room.open_devices() == ["display", "panel"]


@pytest.mark.parametrize("command", ["status", "mute"])
def test_a_hung_agent_is_named_with_what_to_type(healthy: Bench, command: str) -> None:
    with healthy.room.frozen():
        done = healthy.run(command, "--lang", "vi")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0].endswith("sudo systemctl restart diemcau-agent")
    assert lines[-1].startswith("diemcau: Dịch vụ đang chạy nhưng không trả lời")
    assert lines[0].startswith("Chưa có trả lời") is (command == "mute"), "what waits longer"


def test_a_refusal_is_explained_and_gives_exit_code_1(healthy: Bench) -> None:
    done = healthy.run("unmute")
    assert done.returncode == 1
    assert acks(done.stdout) == ["refused"]
    assert "The room is in no meeting: nothing to unmute" in done.stdout


@pytest.mark.parametrize(
    "command",
    [("ping",), ("mute",), ("volume", "55"), ("display", "on"), ("identify", "--seconds", "1")],
    ids=lambda command: command[0],
)
def test_a_command_succeeds(healthy: Bench, command: tuple[str, ...]) -> None:
    done = healthy.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert acks(done.stdout)[-1] == "done"


def test_a_restart_is_done_when_the_new_agent_says_so(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.room.start()
    bench.room.wait_answering()
    began = bench.room.ask(type="status")["state"]["agent"]["started"]
    done = bench.run("restart")
    assert done.returncode == 0, done.stdout + done.stderr
    assert acks(done.stdout) == ["accepted", "running", "done"]
    assert bench.room.ask(type="status")["state"]["agent"]["started"] > began


def test_what_a_join_goes_without_is_said(healthy: Bench) -> None:
    healthy.break_device("camera", "unplugged")
    try:
        done = healthy.run("join", "giao-ban")
    finally:
        healthy.run("leave")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Camera: unplugged" in done.stdout.splitlines()[-1]


def test_a_recording_is_refused_where_there_is_no_folder_for_it(in_meeting: Bench) -> None:
    assert in_meeting.run("record", "off").returncode == 0
    done = in_meeting.run("record", "on")
    assert done.returncode == 1
    assert "media.recording.directory" in done.stdout


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (("volume", "300"), "percent"),
        (("display", "half"), "half"),
        (("join", "x", "--until", "soon"), "soon: no time"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_mistake_in_the_line_is_named(
    healthy: Bench, command: tuple[str, ...], word: str
) -> None:
    done = healthy.run(*command)
    assert done.returncode == 2
    assert word in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_the_status_is_one_screen(in_meeting: Bench) -> None:
    done = in_meeting.run("status")
    lines = done.stdout.splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Lũng Cú (lung-cu): Everything is in order"
    assert lines[1].startswith("lung-cu")
    for part in ("in a meeting", "giao-ban", "Giao ban tuần", "muted", "round trip"):
        assert part in done.stdout
    assert re.search(r"^loudspeaker +ok +volume \d+ %$", done.stdout, re.MULTILINE)
    for device in ("camera", "microphone", "loudspeaker", "display", "lamp/button"):
        assert re.search(rf"^{device} +ok", done.stdout, re.MULTILINE)


def test_the_status_shows_a_fault_and_fails(healthy: Bench) -> None:
    healthy.break_device("microphone", "unplugged")
    healthy.room.ask(type="report")
    wait_for(
        lambda: (healthy.room.ask(type="health") or {}).get("status") == "failed",
        40,
        "health says failed",
    )
    done = healthy.run("status")
    assert done.returncode == 1
    assert re.search(r"^microphone +failed", done.stdout, re.MULTILINE)


def test_watch_goes_on_until_it_is_ended(healthy: Bench) -> None:
    tool = [sys.executable, "-m", "agent", "watch", "--every", "0.2"]
    with subprocess.Popen(
        [*tool, "--config", str(healthy.config)], stdout=subprocess.PIPE, text=True
    ) as watch:
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(watch.stdout or []))
        reader.start()
        wait_for(lambda: sum("lung-cu" in line for line in seen) >= 2, 20, "two looks")
        watch.send_signal(2)
        assert watch.wait(60) == 0
        reader.join()


def test_the_doctor_leaves_a_meeting_alone_and_says_what_it_left_out(in_meeting: Bench) -> None:
    opened = {kind: in_meeting.room.opened_at(kind) for kind in ("camera", "microphone", "speaker")}
    found = in_meeting.doctor()
    assert found.troubles == []
    left_out = set(found.codes("skipped"))
    assert {"camera-in-meeting", "microphone-in-meeting", "speaker-in-meeting"} <= left_out
    text = " ".join(in_meeting.run("doctor", "camera").stdout.split())
    assert "Not opened: the room is in a meeting" in text
    assert phase(in_meeting) == "in-meeting"
    assert opened == {kind: in_meeting.room.opened_at(kind) for kind in opened}


def test_a_meeting_that_begins_gets_the_camera_from_the_doctor(healthy: Bench) -> None:
    tool = [sys.executable, "-m", "agent", "doctor", "camera", "--json"]
    healthy.break_device("camera", "frozen")  # the longest look at a camera
    with subprocess.Popen(
        [*tool, "--config", str(healthy.config)], stdout=subprocess.PIPE, text=True
    ) as doctor:
        wait_for(lambda: "camera" in healthy.room.open_devices(), 20, "the doctor has the camera")
        healthy.heal()
        healthy.break_device("camera", "frozen")
        joined = healthy.run("join", "giao-ban")
        output = doctor.communicate(timeout=60)[0]
    try:
        assert joined.returncode == 0
        state = healthy.room.ask(type="status")["state"]
        assert (state["phase"], state["camera"]) == ("in-meeting", "live")
        codes = [f["code"] for s in json.loads(output)["sections"] for f in s["findings"]]
        assert codes == ["camera-meeting-began"]
    finally:
        healthy.run("leave")


def test_the_button_is_seen_when_somebody_presses_it(healthy: Bench) -> None:
    seen = threading.Event()

    def press() -> None:
        while not seen.wait(1):  # a person, again and again until the tool says so
            with (healthy.room.folder / "mute-button").open("w") as fifo:
                fifo.write("press\nrelease\n")

    person = threading.Thread(target=press)
    person.start()
    done = healthy.run("test", "button", "--seconds", "20")
    seen.set()
    person.join()
    assert done.returncode == 0
    assert "The button works" in done.stdout
