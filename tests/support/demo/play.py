"""What happens in the demo, act by act, and what is checked in each.

The stage has been set by `tests.support.demo.stage`; the timeline prints and keeps the verdict.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.demo import listening, looking
from tests.support.demo.senses import Outcome, Senses, wait_for_silence
from tests.support.demo.stage import GROUP, Stage
from tests.support.demo.timeline import Timeline
from tests.support.peers import Receiver
from tests.support.pictures import Picture, framed
from tests.support.room import Room
from tests.support.sounds import RATE_HZ, Sound
from tests.support.waiting import wait_for

MEETING = "giao-ban"
MEETING_DEVICES = {"camera", "microphone", "speaker"}
ANSWER_SECONDS = 60
STATE_SECONDS = 10
PATIENCE_SECONDS = 40
LISTEN_AGAIN_SECONDS = 0.5


class Refused(Exception):
    """A command did not come true, so the play cannot go on."""


class Play:
    """Two rooms come online, meet, are muted, leave and go."""

    def __init__(self, timeline: Timeline, stage: Stage, pictures: Path) -> None:
        self._timeline = timeline
        self._stage = stage
        self._pictures = pictures
        self._senses = Senses(stage.folder / "words.wav", stage.folder / "photograph.mp4")

    def meet(self) -> None:
        """From two daemons to a meeting that is seen and heard by all."""
        for room in self._stage.rooms:
            self._stage.hub.wait_for_state(room.id, STATE_SECONDS, connection="online")
        self._timeline.act("the hub calls the group into a meeting")
        self._command("join", meeting={"id": MEETING, "title": "Giao ban"}, microphone="live")
        with contextlib.ExitStack() as stack:
            watched = {
                room.id: stack.enter_context(Receiver(self._stage.server.whep(self._stream(room))))
                for room in self._stage.rooms
            }
            self._timeline.act("what is seen and heard")
            self._look_and_listen(watched)
            self._timeline.act("one room is muted and unmuted")
            self._mute(watched[self._stage.lung_cu.id])

    def leave(self) -> None:
        """The meeting ends; cameras and microphones are closed, nothing is left at the server."""
        self._timeline.act("the group leaves")
        self._command("leave")
        for room in self._stage.rooms:
            self._timeline.attempt(
                f"{room.id}: camera, microphone and speaker are closed",
                lambda room=room: closed(room),
            )
        self._timeline.attempt("media server: no session is left", self._no_sessions)

    def go(self) -> None:
        """The daemons are stopped as systemd would stop them."""
        for room in self._stage.rooms:
            code = room.stop()
            self._stage.hub.wait_for_state(room.id, STATE_SECONDS, connection="offline")
            self._timeline.check(code == 0, f"{room.id}: stopped", f"exit code {code}")

    def _stream(self, room: Room) -> str:
        return f"{MEETING}-{room.id}"

    def _command(self, kind: str, room: Room | None = None, **fields: Any) -> None:
        """To the group or to one room. Raises Refused unless every final answer is `succeeded`."""
        command_id = f"demo-{kind}"
        address = f"room/{room.id}" if room else f"group/{GROUP}"
        details = f" {MEETING}" if kind == "join" else ""
        self._timeline.sending(command_id, f"{kind}{details} -> {address}")
        self._stage.hub.command(address, kind, id=command_id, **fields)
        for asked in [room] if room else self._stage.rooms:
            answer = self._stage.hub.wait_for_answer(asked.id, command_id, ANSWER_SECONDS).document
            if answer["state"] != "succeeded":
                raise Refused(f"{asked.id}: {kind} {answer['state']}: {answer['text']}")

    def _look_and_listen(self, watched: dict[str, Receiver]) -> None:
        first, second = self._stage.rooms
        for room, other in ((first, second), (second, first)):
            self._timeline.attempt(
                f"hub sees {room.id}", lambda room=room: self._hub_sees(room, watched[room.id])
            )
            self._timeline.attempt(
                f"{other.id} sees {room.id}",
                lambda room=room, other=other: self._room_sees(other, room),
            )
            self._timeline.attempt(
                f"hub hears {room.id}", lambda room=room: self._hub_hears(room, watched[room.id])
            )
            self._timeline.attempt(
                f"{other.id} hears {room.id}",
                lambda room=room, other=other: self._room_hears(other, room),
            )
        seen = [self._received(room, other) for room, other in ((first, second), (second, first))]
        looking.write_png(self._pictures / "two-rooms.png", looking.side_by_side(*seen))

    def _hub_sees(self, room: Room, receiver: Receiver) -> Outcome:
        picture = receiver.wait_for_picture()
        looking.write_png(self._pictures / f"hub-sees-{room.id}.png", picture)
        return self._senses.see(room, picture)

    def _room_sees(self, room: Room, other: Room) -> Outcome:
        return self._senses.see(other, framed(self._received(room, other)))

    def _received(self, room: Room, other: Room) -> Picture:
        """The picture that the room shows now, also kept as a file."""
        path = room.snapshot(self._pictures / f"{room.id}-sees-{other.id}.png")
        return next(looking.read_pictures(path))

    def _hub_hears(self, room: Room, receiver: Receiver) -> Outcome:
        seconds = self._senses.seconds_needed(room)
        return listen(lambda: self._senses.hear(room, receiver.hear(seconds)))

    def _room_hears(self, room: Room, other: Room) -> Outcome:
        seconds = self._senses.seconds_needed(other)
        return listen(lambda: self._senses.hear(other, heard_lately(room, seconds)))

    def _mute(self, receiver: Receiver) -> None:
        """One room is muted and unmuted by the hub."""
        muted, other = self._stage.rooms
        self._command("mute", muted)
        self._timeline.attempt(
            f"hub hears nothing of {muted.id}", lambda: wait_for_silence(receiver.hear, 3)
        )
        self._timeline.attempt(
            f"{other.id} hears nothing",
            lambda: wait_for_silence(lambda seconds: heard_from_now(other, seconds), 3),
        )
        self._command("unmute", muted)
        self._timeline.attempt(
            f"hub hears {muted.id} again", lambda: self._hub_hears(muted, receiver)
        )

    def _no_sessions(self) -> Outcome:
        wait_for(lambda: not self._stage.server.sessions(), 5, "no session at the media server")
        return True, "all ended with DELETE"


def listen(hear: Callable[[], Outcome]) -> Outcome:
    """As a person would: go on listening for a while before saying that it is not right."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        outcome = hear()
        if outcome[0] or time.monotonic() > end:
            return outcome
        time.sleep(LISTEN_AGAIN_SECONDS)


def heard_lately(room: Room, seconds: float) -> Sound:
    """The end of what the room's loudspeaker has played, as soon as it has played enough."""
    wanted = int(seconds * RATE_HZ)
    recording = room.speaker_recording
    wait_for(
        lambda: recording.exists() and recording.stat().st_size > 2 * wanted + 44,
        seconds + 5,
        f"{seconds:.1f} s of sound in {room.id}'s loudspeaker",
    )
    return listening.read_growing_wav(recording)[-wanted:]


def heard_from_now(room: Room, seconds: float) -> Sound:
    """What the room's loudspeaker plays next; nothing for a while is silence."""
    before = len(listening.read_growing_wav(room.speaker_recording))
    wanted = int(seconds * RATE_HZ)
    end = time.monotonic() + seconds + 0.5
    while len(heard := listening.read_growing_wav(room.speaker_recording)[before:]) < wanted:
        if time.monotonic() > end:
            break
        time.sleep(0.02)
    return np.concatenate((heard, np.zeros(max(0, wanted - len(heard)), dtype=np.int16)))


def closed(room: Room) -> Outcome:
    """Whether nothing that sees, hears or speaks is open; relay and panel always are."""
    wait_for(lambda: not MEETING_DEVICES & set(room.open_devices()), 5, "closed")
    return True, "yes"
