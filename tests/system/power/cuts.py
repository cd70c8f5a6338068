"""A room whose power is cut at random times, in meetings and in the middle of commands.

The room is a virtual machine with a disk that stays, and that loses what it was not told to keep. Its
hub is here and sees all of its lives. Started by ./scripts/test-power-cuts, which makes the disk.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.broker import Broker, Hub, wait_until
from tests.system.power.answers import Answers
from tests.system.power.disk import Disk
from tests.system.power.film import films
from tests.system.power.machine import Machine
from tests.system.power.nbd import Server

ROOM = "diemcau/v1/room/xa-lung-cu"
DEADLINE_SECONDS = 150
"""For anything: the machine is emulated."""

MOST_ANSWERS = 12
"""In a life. On a slow machine more commands than that are under way when the power goes."""

LOST_SECONDS = 2.0
"""The most that a power cut may take of a recording (docs/privacy.md, docs/media.md)."""

SLOW_SECONDS = 2.0
"""The machine is one slow processor, which does all that a Pi does on four, and a media server besides."""

SHORTEST_RECORDING_SECONDS = 4
"""Recorded, by the machine's clock, before the power may go: else nothing could be lost."""

MOVES = 0.3
"""Of the lives but the first, whose power goes while a recording is made: one that has just begun has nothing to lose."""

LONGEST_LIFE_SECONDS = 60
LONGEST_DELAY_SECONDS = 6
LONGEST_PAUSE_SECONDS = 1.0
HARMLESS = [("volume", {"speaker": 30}), ("mute", {}), ("unmute", {}), ("ping", {}), ("report", {})]


class Trial:
    """The hub's side of it: what it sent, and what the room said in this life."""

    def __init__(self, hub: Hub, chance: random.Random) -> None:
        self._hub = hub
        self._chance = chance
        self._born = 0
        self.sent: list[str] = []
        self.meetings: list[str] = []

    def send(self, kind: str, **fields: Any) -> None:
        command = f"{kind}-{len(self.sent)}"
        self.sent.append(command)
        self._hub.send(f"{ROOM}/cmd/{kind}", {"id": command, **fields})

    def join(self) -> None:
        """Call the room into a new meeting, out of the one that it is in."""
        self.meetings.append(f"meeting-{len(self.meetings)}")
        meeting = {"id": self.meetings[-1]}
        self.send("join", meeting=meeting, replace=True, timeout_seconds=300, recording="on")

    def begin_life(self) -> None:
        self._born = len(self._hub.seen)

    def states(self) -> list[dict[str, Any]]:
        """What the room said of itself in this life, in order."""
        said = [one for one in self._hub.seen[self._born :] if one.topic == f"{ROOM}/state"]
        online = [one.document for one in said if not one.retained and one.document]
        return [document for document in online if document["connection"] == "online"]

    def unmuted_since(self, moment: str) -> list[str]:
        """Those of its `unmute`s that the room carried out after this moment of its own clock."""
        acks = [
            one.document
            for one in list(self._hub.seen)
            if one.topic.startswith(f"{ROOM}/ack/unmute-")
        ]
        return [ack["id"] for ack in acks if ack["state"] == "succeeded" and ack["at"] >= moment]

    def recorded_since(self) -> float | None:
        """Since when, by the room's clock, the meeting that it was called into last is recorded; None: it is not, as far
        as the room said in this life."""
        told = [one for one in list(self._hub.seen[self._born :]) if "/event/" in one.topic]
        kinds = ("recording-started", "recording-stopped", "recording-failed", "media-restarted")
        about = [one for one in told if one.topic.rsplit("/", 1)[1] in kinds]
        last = about[-1] if about else None
        if last is None or not last.topic.endswith("recording-started"):
            return None
        there = last.document["detail"]["path"].endswith(f"_{self.meetings[-1]}.mp4")
        began = datetime.fromisoformat(last.document["at"]).timestamp()
        return began if there and not self.unanswered_joins() else None

    def recording_ended(self, after: float, before: float) -> bool:
        """Whether the room said meanwhile, perhaps only in its next life, that a recording had come to its end by then."""
        ends = ("recording-stopped", "recording-failed", "media-restarted")
        told = [one for one in list(self._hub.seen) if one.topic.rsplit("/", 1)[1] in ends]
        moments = [datetime.fromisoformat(one.document["at"]).timestamp() for one in told]
        return any(after < moment < before for moment in moments)

    def unanswered_joins(self) -> list[str]:
        return self.answers().missing(one for one in self.sent if one.startswith("join-"))

    def wait_for(self, phase: str) -> dict[str, Any]:
        """The first state with this phase; what the broker kept for the room may change it at once."""

        def found() -> dict[str, Any] | None:
            return next((state for state in self.states() if state["phase"] == phase), None)

        def told() -> str:
            return f"phase {phase}; the room said {self.states()[-1:]}"

        state: dict[str, Any] = wait_until(found, told, DEADLINE_SECONDS)
        return state

    def events(self) -> set[str]:
        said = [one.topic for one in self._hub.seen[self._born :]]
        return {topic.rsplit("/", 1)[1] for topic in said if topic.startswith(f"{ROOM}/event/")}

    def live(self, *, moves: bool) -> None:
        """Commands, until some are answered and a little longer; perhaps the meeting changes, if it `moves`."""
        enough = self.answers().count() + self._chance.randrange(MOST_ANSWERS)
        self._command_until(lambda: self.answers().count() >= enough, LONGEST_LIFE_SECONDS)
        if moves and self._chance.random() < MOVES:
            self.join()
        # else the power would always go just after an answer, when all is on the disk
        self._command_until(lambda: False, self._chance.uniform(0, LONGEST_DELAY_SECONDS))

    def _command_until(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            kind, fields = self._chance.choice(HARMLESS)
            self.send(kind, **fields)
            time.sleep(self._chance.uniform(0, LONGEST_PAUSE_SECONDS))

    def answers(self) -> Answers:
        acks = [one for one in list(self._hub.seen) if one.topic.startswith(f"{ROOM}/ack/")]
        return Answers(ack.document for ack in acks)


def awake(trial: Trial, machine: Machine, life: int) -> float:
    """Seconds until the room is in its meeting; it got there by itself except for the first time."""
    started = time.monotonic()
    trial.begin_life()
    if life == 0:
        trial.wait_for("standby")
        trial.join()
    state = trial.wait_for("in-meeting")
    assert state["meeting"]["id"] in trial.meetings[-2:], state
    journal = re.findall(r"journal: (.*?)\r?$", machine.console(), re.MULTILINE)
    assert journal, f"the journal was not looked at:\n{machine.console()}"
    if life:
        assert_muted_until_somebody_unmutes(trial, state)
        wait_until(
            lambda: {"power-restored", "resumed"} <= trial.events(),
            lambda: f"events of the power cut; the room told of {trial.events()}",
            DEADLINE_SECONDS,
        )
        assert journal[0].startswith("ok,"), journal
    assert "EXT4-fs error" not in machine.console(), machine.console()
    print(f"life {life + 1}: {time.monotonic() - started:.0f} s to the meeting", end="; ")
    print(f"journal {journal[0]}", end="; ", flush=True)
    return time.monotonic() - started


def assert_muted_until_somebody_unmutes(trial: Trial, state: dict[str, Any]) -> None:
    """After a power cut nobody is heard (docs/privacy.md), except by an `unmute` that the broker kept for the room meanwhile."""
    if state["microphone"] == "muted":
        return
    wait_until(
        lambda: bool(trial.unmuted_since(state["agent"]["started"])),
        f"an answer to the `unmute` without which nobody may be heard; the room said {state}",
        DEADLINE_SECONDS,
    )


class Broken(NamedTuple):
    """The recording that a power cut broke off: its meeting, and by the room's clock its beginning and the cut."""

    meeting: str
    began: float
    cut: float


def record(trial: Trial, machine: Machine) -> None:
    """Until there is something of this life's recording that a power cut could take."""
    wait_until(
        lambda: machine.clock() > (trial.recorded_since() or inf) + SHORTEST_RECORDING_SECONDS,
        lambda: f"the meeting is recorded; its events are {sorted(trial.events())}",
        DEADLINE_SECONDS,
    )


def broken(trial: Trial, machine: Machine) -> Broken | None:
    """What was recorded when the power went; None between two meetings."""
    began = trial.recorded_since()
    return None if began is None else Broken(trial.meetings[-1], began, machine.clock())


def assert_recorded(trial: Trial, kept: Path, broken: Broken | None) -> bool:
    """What was recorded plays, and what the power cut broke off nearly to its end; whether it broke off something."""
    found = films(kept)
    seconds = sum(film.seconds for film in found)
    assert seconds, f"nothing plays in {kept}: {found}"
    print(f"{seconds:.0f} s recorded", end="", flush=True)
    if broken is None or trial.recording_ended(broken.began, broken.cut):
        print(", none at the cut", end="; ", flush=True)
        return False
    ends = [film.ends for film in found if film.meeting == broken.meeting]
    assert ends, f"{broken.meeting} was recorded, and there are {found}"
    lost = max(0.0, broken.cut - max(ends))
    print(f", {lost:.1f} s lost of the last", end="; ", flush=True)
    assert lost <= LOST_SECONDS + SLOW_SECONDS, f"{lost:.1f} s are lost of {broken}: {found}"
    return True


def settle(trial: Trial) -> None:
    """The hub waits for the answers that are still open."""
    wait_until(
        lambda: not trial.answers().missing(trial.sent),
        lambda: f"a final answer to each command; missing: {trial.answers().missing(trial.sent)}",
        DEADLINE_SECONDS,
    )
    assert not trial.answers().contradictions(), trial.answers().contradictions()


def run(stack: ExitStack, arguments: argparse.Namespace) -> Trial:
    chance = random.Random(arguments.seed)
    folder = arguments.folder
    broker = stack.enter_context(Broker(folder / "hub", persistent=True))
    trial = Trial(stack.enter_context(Hub(broker.port)), chance)
    disk = Server(Disk(folder / "room.img", chance), folder / "disk.sock")
    recording: Broken | None = None
    broken_off = 0
    for life in range(arguments.cuts + 1):
        console = folder / f"console-{life + 1}"
        machine = Machine(arguments.qemu, disk, broker.port, console)
        stack.callback(machine.end)
        awake(trial, machine, life)
        if life:
            broken_off += assert_recorded(trial, machine.kept, recording)
        if life < arguments.cuts:
            record(trial, machine)
            trial.live(moves=life > 0)
            cut = machine.cut()
            recording = broken(trial, machine)
            print(
                f"{trial.answers().count()} of {len(trial.sent)} commands answered; {cut.lost} of"
                f" {cut.unflushed} unflushed sectors lost ({cut.written} written, {cut.flushes} flushes)",
                flush=True,
            )
    assert broken_off, "no power cut broke off a recording"
    settle(trial)
    return trial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--folder", type=Path, required=True, help="with room.img")
    parser.add_argument("qemu", nargs="+", help="QEMU's command line without disk and network")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and nothing is left running
    with ExitStack() as stack:
        trial = run(stack, arguments)
    print(
        f"{arguments.cuts} power cuts, {len(trial.sent)} commands, each with one final answer;"
        f" {len(trial.answers().interrupted())} of them were interrupted by a cut"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
