"""The one line of words on the screen: what the people in the room should know now."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.model.documents import FloorState
from agent.core.model.media import LinkState

WORDS = {
    "vi": {
        "joining": "Đang vào cuộc họp {meeting}…",
        "reconnecting": "Mất kết nối, đang nối lại…",
        "narrow": "Đường truyền yếu, tạm bỏ bớt hình",
        "muted": "Micrô đang tắt",
        "recorded": "Đang ghi hình",
        "ask": "Nhấn nút để xin phát biểu",
        "hand": "Đã giơ tay xin phát biểu",
        "queued": "Đã giơ tay, thứ tự {position}",
        "floor": "Phòng được phát biểu",
    },
    "en": {
        "joining": "Joining meeting {meeting}…",
        "reconnecting": "Connection lost, reconnecting…",
        "narrow": "Weak link, some pictures are left out",
        "muted": "Microphone muted",
        "recorded": "Being recorded",
        "ask": "Press the button to ask for the floor",
        "hand": "Hand raised",
        "queued": "Hand raised, number {position} in the queue",
        "floor": "This room has the floor",
    },
}

UPLINK = "uplink"


class Notice:
    """Makes the line from what the parts of the meeting tell; `show` gets each new one."""

    def __init__(self, language: str, meeting: str, show: Callable[[str], None]) -> None:
        self._words = WORDS[language]
        self._meeting = meeting
        self._show = show
        self._links: dict[str, LinkState] = {}
        self._was_in = False
        self._recorded = False
        self._muted = False
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

    def muted(self, muted: bool) -> None:
        """Whether nobody can hear the room."""
        self._muted = muted
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

    def text(self) -> str:
        """The line; empty when all is as people expect it."""
        if not self._in():
            word = "reconnecting" if self._was_in else "joining"
            return self._words[word].format(meeting=self._meeting)
        states = {"recorded": self._recorded, "muted": self._muted, "narrow": self._narrow}
        line = [self._words[word] for word, holds in states.items() if holds]
        return " · ".join([*([self._floor_word(self._floor)] if self._floor else []), *line])

    def _floor_word(self, floor: FloorState) -> str:
        if floor.held:
            return self._words["floor"]
        if floor.hand_since is None:
            return self._words["ask"]
        word = "hand" if floor.position is None else "queued"
        return self._words[word].format(position=floor.position)

    def _in(self) -> bool:
        sources = [state for key, state in self._links.items() if key != UPLINK]
        heard = self._links.get(UPLINK, "flowing") == "flowing"
        return heard and ("flowing" in sources or not sources)

    def _update(self) -> None:
        self._was_in = self._was_in or (bool(self._links) and self._in())
        if self.text() != self._shown:
            self._shown = self.text()
            self._show(self._shown)
