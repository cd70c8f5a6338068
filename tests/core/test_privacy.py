"""What must hold whatever happens, in whatever order: thousands of random days of one room.

The lamp is on before anything can be opened and until everything is closed; who muted by hand is not
heard until the hand says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import get_args

import pytest
from msgspec import structs

from agent.core.model.documents import DeviceStatus, Status
from agent.core.model.effects import (
    Effect,
    InstructMedia,
    RememberMutedByHand,
    SetLamp,
    StartMedia,
)
from agent.core.model.events import (
    DisplaySwitched,
    HostSampled,
    LampSet,
    LineChanged,
    LinkChanged,
    PanelLine,
    Restored,
)
from agent.core.model.media import DeviceReported, SetCamera, SetMicrophone
from tests.core.playbook import HOST, PROFILE, Playbook, kinds

DAYS = 400
STEPS = 60


class Day:
    """Random things happen to a room; after each the promises are looked at."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.play = Playbook()
        self.lamp = "off"
        self.media_process = False
        self.history: list[str] = []
        self._happenings: list[Callable[[], list[Effect]]] = [
            lambda: self.play.join(self._either("a", "b"), replace=self._coin(), **self._live()),
            lambda: self.play.command("leave"),
            lambda: self.play.command("mute"),
            lambda: self.play.command("unmute"),
            lambda: self.play.command("identify", seconds=1),
            lambda: self.play.command("volume", speaker=30),
            self._press,
            self._exit,
            self._flow,
            lambda: self.play.tell(DisplaySwitched(True)),
            lambda: self.play.tell(LinkChanged(up=self._coin())),
            lambda: self.play.wait(self._chance.uniform(0, 40)),
        ]

    def pass_by(self) -> None:
        self._check(self.play.tell(Restored(None, [], cold=False, muted_by_hand=self._coin())))
        for _ in range(STEPS):
            happening = self._chance.choice(self._happenings)
            self._check(happening())

    def _check(self, effects: list[Effect]) -> None:
        self.history += [type(effect).__name__ for effect in effects]
        for effect in effects:
            if isinstance(effect, SetLamp):
                self.lamp = effect.mode
            if isinstance(effect, StartMedia):
                self.media_process = True
            assert self.lamp != "off" or not self.media_process, self.history[-30:]
            if self.play.room.microphone.muted_by_hand:
                assert not _lets_sound_out(effect), self.history[-30:]
            if self.play.room.lifecycle.camera.off_by_hand:
                assert not _lets_pictures_out(effect), self.history[-30:]

    def _press(self) -> list[Effect]:
        button = self._chance.choice(get_args(PanelLine))
        pressed = self.play.tell(LineChanged(button, True))
        return pressed + self.play.tell(LineChanged(button, False))

    def _exit(self) -> list[Effect]:
        if not self.media_process:
            return []
        self.media_process = False
        return self.play.exit(self._either("", "killed by SIGKILL"))

    def _flow(self) -> list[Effect]:
        if not self.media_process:
            return []
        device = DeviceReported("camera", self._coin(), DeviceStatus(Status.OK, "ok", ""))
        return self.play.flow() + self.play.report(device)

    def _live(self) -> dict[str, str]:
        return {
            "microphone": self._either("live", "muted"),
            "camera": self._either("live", "off"),
        }

    def _either(self, *words: str) -> str:
        return self._chance.choice(words)

    def _coin(self) -> bool:
        return self._chance.random() < 0.5


def _lets_sound_out(effect: Effect) -> bool:
    if isinstance(effect, StartMedia):
        return effect.plan.microphone_live
    if isinstance(effect, InstructMedia):
        return isinstance(effect.instruction, SetMicrophone) and effect.instruction.live
    return False


def _lets_pictures_out(effect: Effect) -> bool:
    if isinstance(effect, StartMedia):
        return effect.plan.camera_live
    if isinstance(effect, InstructMedia):
        return isinstance(effect.instruction, SetCamera) and effect.instruction.live
    return False


@pytest.mark.parametrize("first", range(0, DAYS, 100))
def test_the_lamp_and_the_hand_are_believed(first: int) -> None:
    for seed in range(first, first + 100):
        day = Day(seed)
        try:
            day.pass_by()
        except AssertionError as error:
            raise AssertionError(f"day {seed}: {error}") from error


def test_a_lamp_that_does_not_obey_is_a_fault_until_it_does() -> None:
    play = Playbook()
    play.join()
    play.tell(LampSet("GPIO line 27: device busy"))
    play.tell(LampSet("GPIO line 27: device busy"))
    assert play.events().count("fault") == 1
    panel = play.room.health.devices["panel"]
    assert (panel.status, panel.code) == (Status.FAILED, "lamp-failed")
    assert "GPIO line 27" in panel.text
    play.tell(LampSet())
    assert "panel" not in play.room.health.devices


@pytest.mark.parametrize("required", [True, False])
def test_a_lamp_that_is_required_fails_the_room(required: bool) -> None:
    names = {"panel"} if required else set()
    play = Playbook(structs.replace(PROFILE, required=frozenset(names)))
    play.join()
    play.tell(LampSet("GPIO line 27: device busy"))
    play.tell(HostSampled(HOST))
    status = play.room.health.latest.status
    assert status is (Status.FAILED if required else Status.DEGRADED)


def test_a_room_without_a_lamp_has_no_fault_of_it() -> None:
    play = Playbook(structs.replace(PROFILE, fitted=PROFILE.fitted - {"panel"}))
    play.join()
    play.tell(LampSet("there is none"))
    assert play.events() == []


def test_who_only_watches_opens_no_camera() -> None:
    play = Playbook()
    play.join(publish=None)
    assert not play.all(StartMedia)[-1].plan.camera_live


def test_a_mute_by_hand_does_not_wait_for_the_sd_card() -> None:
    play = Playbook()
    play.enter(microphone="live")
    effects = kinds(play.tell(LineChanged("mute-button", True)))
    assert effects.index(InstructMedia) < effects.index(RememberMutedByHand)
