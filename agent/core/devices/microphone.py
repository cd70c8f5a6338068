"""Who may be heard: the hub's mute, the hand's mute, and the promise that a mute is true.

A mute counts only when the media process confirmed it. A media process that doesn't answer in time is ended,
because then no sample leaves the room for certain.
"""

from __future__ import annotations

from msgspec import Struct

from agent.core.context import Context
from agent.core.devices.lamp import Lamp
from agent.core.devices.media_process import MediaProcess
from agent.core.model.clock import Now
from agent.core.model.commands import AckState, Code
from agent.core.model.deadlines import HandMuteOver, InstructionLate
from agent.core.model.effects import (
    CancelDeadline,
    InstructMedia,
    RememberMutedByHand,
    RememberVolume,
    SetDeadline,
    StopMedia,
)
from agent.core.model.events import OrderedVolume
from agent.core.model.media import SetMicrophone, SetVolume

CONFIRM_SECONDS = 3.0
"""A local media process answers within milliseconds; this is for a Pi 4 under full load."""

LONGEST_CONFIRM_SECONDS = 9.0
"""However slow a board is: nobody waits longer for a mute to be true, or for the media to end."""

BY_HAND = "by-hand"
"""With a slash and a number: no command's id may look so."""

HAND_SECONDS = 300.0
"""How long what the people in the room switched off by hand stays off after its meeting; the camera too."""


class Wish(Struct):
    """An instruction on its way to the media process; `mutes` is None where it is not about muting."""

    text: str
    mutes: bool | None = None


class MicrophoneControl:
    """The microphone's and the loudspeaker's wanted state, across media processes."""

    def __init__(self, context: Context, process: MediaProcess, lamp: Lamp) -> None:
        self._do = context.do
        slowness = context.profile.slowness
        self._confirm_seconds = min(CONFIRM_SECONDS * slowness, LONGEST_CONFIRM_SECONDS)
        self._answers = context.answers
        self._process = process
        self._lamp = lamp
        self._wishes: dict[str, Wish] = {}
        self._presses = 0
        self._before_press: tuple[bool, bool] | None = None
        """Whether it was live and muted by hand, while nobody but the press has changed that."""
        self._in_doubt = False
        """A media process that did not confirm is being ended: until it is gone it may be heard."""
        self.live = False
        self.muted_by_hand = False
        self.gated = False
        """The meeting's floor is not this room's: nobody is heard, whoever unmutes."""
        self._volume_of_settings = context.profile.speaker_volume
        self.volume = self._volume_of_settings

    def restore(self, muted_by_hand: bool, volume: OrderedVolume | None) -> None:
        """What was ordered before a restart; a volume, unless the settings were changed since."""
        self.muted_by_hand = muted_by_hand
        if volume is not None and volume.instead_of == self._volume_of_settings:
            self.volume = volume.percent

    def prepare(self, live: bool) -> None:
        """A meeting begins; the hand's mute is stronger than the command's wish."""
        self.live = live and not (self.muted_by_hand or self.gated)
        self._do(CancelDeadline(HandMuteOver()))

    @property
    def heard(self) -> bool:
        """Whether a sample may leave the room, as far as the media process has confirmed."""
        return self.live or self._in_doubt or any(wish.mutes for wish in self._wishes.values())

    def rest(self) -> None:
        """The meeting is over. The hand's mute holds on for a while, so that no leave and join, nor
        one meeting in place of another, takes it back."""
        self.live = False
        if self.muted_by_hand:
            self._do(SetDeadline(HandMuteOver(), HAND_SECONDS))

    def rested(self) -> None:
        """The room was in standby for long enough: the next meeting begins with a clean slate."""
        if self.muted_by_hand and not self._process.in_meeting:
            self._set_by_hand(False)

    def mute(self, command_id: str, now: Now) -> None:
        """Let nothing leave the room; a media process that is there must confirm it, whatever we believe."""
        self._before_press = None
        if not self._process.in_meeting and not self.live:
            self._answers.succeed(command_id, "was muted already", now, code=Code.ALREADY)
            return
        self._switch(False, command_id, "muted", now)

    def unmute(self, command_id: str, now: Now) -> None:
        """Let the room be heard. The caller has seen to the hand's mute."""
        self._switch(True, command_id, "live", now)

    def follow_floor(self, held: bool, command_id: str, text: str, now: Now) -> None:
        """The chair gave or took the floor: the command is answered with `text` once that is true of the microphone."""
        self._switch(held, command_id, text, now)

    def follow_join(self, live: bool, request: str, now: Now) -> None:
        """As a repeated join names it; the caller has seen to the hand's mute, and waits for `Applied`."""
        self._switch(live, request, "live" if live else "muted", now)

    def set_volume(self, percent: int, command_id: str, now: Now) -> None:
        """Kept for the next meeting when there is none, and for the next start."""
        self.volume = percent
        self._do(RememberVolume(OrderedVolume(percent, self._volume_of_settings)))
        self._instruct(SetVolume(percent, command_id), command_id, Wish(f"volume {percent}"), now)

    def pressed(self, now: Now) -> None:
        """The button in the room: mutes, or takes a mute back, whoever muted."""
        mutes, before = self.live, (self.live, self.muted_by_hand)
        self._presses += 1
        self._switch(not mutes, f"{BY_HAND}/{self._presses}", "by hand", now, by_hand=mutes)
        self._before_press = before
        self._set_by_hand(mutes)  # kept afterwards: a slow SD card must not hold up a mute

    def take_back_press(self, now: Now) -> None:
        """The press meant something else: as it was before, unless somebody else has had a word since."""
        if self._before_press is not None:
            live, by_hand = self._before_press
            self._presses += 1
            request = f"{BY_HAND}/{self._presses}"
            self._switch(live, request, "by hand", now, by_hand=by_hand)
            self._set_by_hand(by_hand)

    def silence(self, now: Now) -> None:
        """The floor is gone: nothing leaves the room, whoever let it be heard."""
        self._presses += 1
        self._switch(False, f"{BY_HAND}/{self._presses}", "muted: no floor", now)

    def forgive_hand(self) -> None:
        """The press that muted was the beginning of a long one, which means something else."""
        self._set_by_hand(False)

    def _set_by_hand(self, muted: bool) -> None:
        self.muted_by_hand = muted
        self._do(RememberMutedByHand(muted))

    def _switch(
        self, live: bool, request: str, text: str, now: Now, *, by_hand: bool | None = None
    ) -> None:
        self._before_press = None
        self.live = live = live and not self.gated
        if live:
            self._lamp.going_live()
        by_hand = self.muted_by_hand if by_hand is None else by_hand
        instruction = SetMicrophone(live, request, by_hand and not live)
        self._instruct(instruction, request, Wish(text, mutes=not live), now)

    def _instruct(
        self, instruction: SetMicrophone | SetVolume, request: str, wish: Wish, now: Now
    ) -> None:
        if not self._process.in_meeting:
            self._answers.succeed(request, f"{wish.text} (nothing is open)", now)
            return
        self._wishes[request] = wish
        self._do(InstructMedia(instruction))
        if self._process.ready:  # else it has its time from then on
            self._do(SetDeadline(InstructionLate(request), self._confirm_seconds))

    def process_ready(self) -> None:
        """It comes to what it was told meanwhile."""
        for request in self._wishes:
            self._do(SetDeadline(InstructionLate(request), self._confirm_seconds))

    def applied(self, request: str, error: str, now: Now) -> None:
        """The media process made it so, or (with `error`) could not."""
        wish = self._wishes.pop(request, None)
        if wish is None:
            return
        self._do(CancelDeadline(InstructionLate(request)))
        if not error:
            self._answers.succeed(request, wish.text, now)
            return
        self._answers.fail(request, Code.DEVICE_FAILED, error, now)
        if wish.mutes is not None:  # which of both is true now, nobody knows
            self.live = False
            self._in_doubt = True
            self._do(StopMedia())

    def not_confirmed(self, request: str, now: Now) -> None:
        """The media process did not answer in time."""
        self.applied(request, "The media process did not confirm in time; it is started anew", now)

    def process_gone(self, now: Now, *, goes_on: bool) -> None:
        """Nothing is open any more; if the meeting `goes_on`, the next media process starts with what is
        wanted now."""
        self._in_doubt = False
        for request, wish in list(self._wishes.items()):
            self._do(CancelDeadline(InstructionLate(request)))
            if wish.mutes is False and not (goes_on and self.live):
                text = "the room left or was muted before it was heard"
                self._answers.finish(request, AckState.SUPERSEDED, Code.WITHDRAWN, text, now)
            else:
                self._answers.succeed(request, f"{wish.text} (with the next media process)", now)
        self._wishes.clear()
