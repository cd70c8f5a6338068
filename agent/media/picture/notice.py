"""The words on the screen: what the people in the room should know now, most urgent first."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.model.documents import DeviceStatus, FloorState, Status
from agent.core.model.figures import LinkState
from agent.locale import gettext as _

UPLINK = "uplink"

LINES = 2
"""As many things are said at once: more is not read. A fault takes a line for what to look at."""


DEVICES = ("camera", "microphone", "speaker", "display")
"""Of which people in the room can look at a cable."""


class Notice:
    """Makes the lines from what the parts of the meeting tell; `show` gets each new text."""

    def __init__(self, meeting: str, show: Callable[[str], None]) -> None:
        self._meeting = meeting
        self._show = show
        self._links: dict[str, LinkState] = {}
        self._faults: dict[str, str] = {}
        self._was_in = False
        self._recorded = False
        self._muted_by: str | None = None
        self._heard = False
        self._camera_off = False
        self._narrow = False
        self._floor: FloorState | None = None
        self._shown = ""

    def link(self, key: str, state: LinkState) -> None:
        """A session's state changed; UPLINK is ours, the others are sources."""
        self._links[key] = state
        self._update()

    def gone(self, key: str) -> None:
        """A source is not played any more."""
        self._links.pop(key, None)
        self._update()

    def recorded(self, recorded: bool) -> None:
        """Whether the meeting goes to a file."""
        self._recorded = recorded
        self._update()

    def muted(self, muted: bool, by_hand: bool = False) -> None:
        """Whether nobody can hear the room, and whether its own button did that."""
        self._heard = not muted
        self._muted_by = ("hand" if by_hand else "chair") if muted else None
        self._update()

    def camera(self, *, off_by_hand: bool) -> None:
        """Whether the room's own button closed it."""
        self._camera_off = off_by_hand
        self._update()

    def floor(self, floor: FloorState | None) -> None:
        """How it stands with the floor; None where everybody may speak."""
        self._floor = floor
        self._update()

    def narrow(self, narrow: bool) -> None:
        """Whether pictures are given up for the sound."""
        if narrow != self._narrow:
            self._narrow = narrow
            self._update()

    def device(self, kind: str, status: DeviceStatus) -> None:
        """How a device does; a fault is said in a sentence with what to look at."""
        self._faults.pop(kind, None)
        if status.status is not Status.OK:
            self._faults[kind] = trouble(kind, status.code).replace(": ", ":\n", 1)
        self._update()

    def text(self) -> str:
        """The lines: how it is with the meeting, then what is wrong or whether the room is heard."""
        if not self._in():
            said = (
                _("Connection lost, reconnecting…")
                if self._was_in
                else _("Joining meeting {meeting}…").format(meeting=self._meeting)
            )
            return "\n".join([said, *self._faults.values()][:LINES])
        lines = [
            *self._faults.values(),
            *([_("Weak link: some pictures are left out")] if self._narrow else []),
            *self._room(),
        ]
        recorded = [_("Being recorded")] if self._recorded else []
        return "\n".join([*lines[: LINES - len(recorded)], *recorded])

    def _room(self) -> list[str]:
        """What the others hear and see of it: in one line, which a recording's line must not push out."""
        *before, last = ["", *self._sound()]
        camera = _("Camera off by your button") if self._camera_off else ""
        line = " · ".join(word for word in (last, camera) if word)
        return [word for word in (*before, line) if word]

    def _sound(self) -> list[str]:
        """Whether the others hear the room: two kinds of muted are two different things to do."""
        floor = self._floor
        if floor is not None and not floor.held:
            return [_floor_word(floor)]
        had = [_("This room has the floor")] if floor else []
        match self._muted_by:
            case "hand":
                return [*had, _("Muted by your button: press it to speak")]
            case "chair":
                return [*had, _("Muted by the chair")]
        return had or ([_("You are heard")] if self._heard else [])

    def _in(self) -> bool:
        sources = [state for key, state in self._links.items() if key != UPLINK]
        heard = self._links.get(UPLINK, "flowing") == "flowing"
        return heard and ("flowing" in sources or not sources)

    def _update(self) -> None:
        self._was_in = self._was_in or (bool(self._links) and self._in())
        if self.text() != self._shown:
            self._shown = self.text()
            self._show(self._shown)


def _floor_word(floor: FloorState) -> str:
    """For a room that may not speak now."""
    if floor.hand_since is None:
        return _("Press the button to ask for the floor")
    if floor.position is None:
        return _("Hand raised")
    text = _("Hand raised, number {position} in the queue")
    return text.format(position=floor.position)


def trouble(kind: str, code: str) -> str:
    """What the official can look at, without a technician."""
    if (kind, code) in (("microphone", "dead"), ("microphone", "too-quiet")):
        return _("Nobody hears the microphone: look at its mute switch and its cable")
    if (kind, code) == ("microphone", "clipping"):
        return _("The microphone is too loud: speak further from it")
    if (kind, code) == ("camera", "black"):
        return _("The camera sees nothing: open its cover, switch the light on")
    return {
        "camera": _("The camera does not work: look at its cable"),
        "microphone": _("The microphone does not work: look at its cable"),
        "speaker": _("The loudspeaker does not work: look at its cable and power"),
        "display": _("The screen does not work: look at its cable"),
    }.get(kind, _("A device does not work: call the technician"))
