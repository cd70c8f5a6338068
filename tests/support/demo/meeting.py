"""`./scripts/demo --meeting`: a hub with its conductor and page, and a meeting of three rooms from call to end."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from agent.conductor.core.model.acts import End, Give, Message, Mode, Next, StartMeeting
from agent.conductor.core.refused import Refused
from agent.conductor.requests import ShowMinutes
from tests.support.chromium import Chromium
from tests.support.console_page import ConsolePage
from tests.support.demo.timeline import Timeline
from tests.support.real_hub import PATIENCE_SECONDS, RealHub, real_hub
from tests.support.waiting import wait_for

ROOMS = CHAIR, ONE, TWO = "tinh", "lung-cu", "dat-mui"
MEETING, ACCOUNT = "giao-ban", "demo"


class MeetingPlay:
    """Call, roster, a hand, the floor, its hand-overs, a roll call, the end; each looked at and listened to."""

    def __init__(
        self, timeline: Timeline, pictures: Path, handed_over_to: Sequence[str] = (TWO,)
    ) -> None:
        """`pictures` is where the page's goes. ONE is the first to speak."""
        self._timeline = timeline
        self._pictures = pictures
        self._speakers = [ONE, *handed_over_to]
        self._password = secrets.token_urlsafe(9)

    def run(self, *, keep: bool) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="diemcau-demo-") as folder,
            real_hub(Path(folder), ROOMS) as hub,
        ):
            self.meet(hub)
            if keep:
                self._wait(hub)
            self.end(hub)

    def meet(self, hub: RealHub) -> None:
        """Of these rooms, until the roll call."""
        conductor = hub.site.conductor
        conductor.add_account(ACCOUNT, "operator", self._password)
        self._timeline.act("the conductor calls three rooms")
        conductor.ask(
            StartMeeting(MEETING, list(ROOMS), chair=CHAIR, title="Giao ban", mode=Mode.ONE_BY_ONE)
        )
        self._check("all are on the roster", lambda: hub.wait_for_all(MEETING))
        self._floor(hub)
        self._roll_call(hub)

    def _floor(self, hub: RealHub) -> None:
        conductor = hub.site.conductor
        self._timeline.act("a hand is raised, and gets the floor")
        hub.site.rooms[ONE].ask(type="floor", state="queued")
        self._check(
            f"{ONE}'s hand is in the queue",
            lambda: wait_for(lambda: conductor.meeting(MEETING).queue == [ONE], 20, "the hand"),
        )
        conductor.ask(Next(MEETING))
        self._seen(hub, ONE)
        for speaker in self._speakers[1:]:
            self._timeline.act("the floor is handed over")
            conductor.ask(Give(MEETING, speaker))
            self._seen(hub, speaker)

    def _seen(self, hub: RealHub, holder: str) -> None:
        for room in ROOMS:
            wanted = ", ".join(sorted({CHAIR, holder} - {room}))
            self._timeline.say(room, f"shall see and hear {wanted}, and nobody else")
        self._check("so it is", lambda: hub.wait_for_floor(CHAIR, holder))

    def _roll_call(self, hub: RealHub) -> None:
        conductor = hub.site.conductor
        self._timeline.act("a roll call, and the page as it looks")
        conductor.ask(Message(MEETING, "Có mặt?", answers=["Có", "Vắng"]))
        if not shutil.which("chromium"):
            self._timeline.say("page", "no picture of it: ./scripts/setup installs Chromium")
            return
        url = self._url(hub)
        nothing = self._pictures / "nothing"
        nothing.touch()
        with Chromium(nothing, nothing) as browser, ConsolePage(browser) as page:
            page.resize(1280, 1100)
            page.open(url)
            page.login(ACCOUNT, self._password)
            page.click("#pictures")
            self._check("the page plays all pictures", lambda: self._see_pictures(hub, page))
            self._check(
                "the page has the roll call",
                lambda: page.see("document.body.textContent.includes('Có mặt?')", "it"),
            )
            shot = page.screenshot()
        nothing.unlink()
        (self._pictures / "console.png").write_bytes(shot)

    def _see_pictures(self, hub: RealHub, page: ConsolePage) -> None:
        """Each room's, in its tile, and the speaker's large."""
        speaker = self._speakers[-1]
        for room in ROOMS:
            place = ".speaker" if room == speaker else f".tile[data-room={room}]"
            wait_for(
                lambda place=place, room=room: (
                    hub.assembly.seen(page.picture(place)) == frozenset({room})
                ),
                PATIENCE_SECONDS,
                f"{room} in {place}",
            )

    def end(self, hub: RealHub) -> None:
        conductor = hub.site.conductor
        self._timeline.act("the meeting ends")
        with suppress(Refused):  # by the page, where somebody tried it by hand
            conductor.ask(End(MEETING))
        self._check(
            "no session is left at the media server",
            lambda: wait_for(lambda: not hub.server.sessions(), PATIENCE_SECONDS, "none"),
        )
        found = conductor.ask(ShowMinutes(MEETING)).minutes
        spoke = [] if found is None else [span.room for span in found.floor]
        self._timeline.check(spoke == self._speakers, "the minutes say who spoke", ", ".join(spoke))

    def _url(self, hub: RealHub) -> str:
        return f"http://127.0.0.1:{hub.site.conductor.settings['console']['port']}/"

    def _wait(self, hub: RealHub) -> None:
        print(
            f"\nThe page: {self._url(hub)}  name {ACCOUNT}, password {self._password}",
            "The meeting goes on until Ctrl-C. In another terminal:",
            f"  export DIEMCAU_CONDUCTOR={hub.site.conductor.config}",
            f"  .venv/bin/python -m agent meeting show {MEETING}",
            "  .venv/bin/python -m agent rooms --watch",
            sep="\n",
            flush=True,
        )
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
        print()

    def _check(self, what: str, wait: Callable[[], object]) -> None:
        def attempt() -> tuple[bool, str]:
            wait()
            return True, "yes"

        self._timeline.attempt(what, attempt)
