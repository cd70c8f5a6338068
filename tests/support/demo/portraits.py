"""Makes the pictures of docs/ from real runs: `python -m tests.support.demo.portraits`.

The screen is a room's own, in a meeting of three, shown on an X server without a screen; the terminal is
tmux with 80 columns and 24 lines, in which the tool is typed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.broker import Broker
from tests.support.demo import recordings
from tests.support.media_server import MediaServer
from tests.support.room import Room
from tests.support.virtual_screen import VirtualScreen
from tests.support.waiting import wait_for

DOCS = Path(__file__).parents[3] / "docs"
MEETING = "giao-ban"
TITLE = "Giao ban đầu tuần"
SECONDS_TO_SETTLE = 12.0
"""Until the window has been drawn and the words stand in it."""


class Stage:
    """Three rooms, a hub and a media server in one folder."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.broker = stack.enter_context(Broker(self.folder / "broker"))
        self.server = stack.enter_context(MediaServer())
        video = self.folder / "photograph.mp4"
        recordings.make_video(video, 640, 360, 15)
        self.others = [self._room("dat-mui", "Đất Mũi"), self._room("ba-vi", "Ba Vì")]
        self.others[0].devices["camera"]["source"] = str(video)
        self.room = self._room("lung-cu", "Lũng Cú")
        for room in self.others:
            self._start(stack, room)
            joined(room, play=[])

    def _room(self, id: str, name: str) -> Room:
        room = Room(id, name, self.folder / id)
        room.use_hub(self.broker.port, "diemcau/v1")
        room.settings["media"] |= {
            "publish_url": f"{self.server.url}/{{meeting}}-{{room}}/whip",
            "play_urls": [],
        }
        return room

    def _start(self, stack: contextlib.ExitStack, room: Room, **environment: str) -> None:
        room.start(environment=os.environ | environment)
        stack.callback(room.stop)
        room.wait_online(20)

    def show(self, stack: contextlib.ExitStack, language: str) -> VirtualScreen:
        """The first room in the meeting, its screen in a window."""
        screen = stack.enter_context(VirtualScreen(1280, 720))
        output = {"driver": "window", "language": language, "width": 1280, "height": 720}
        self.room.devices["display"]["output"] = output
        self._start(stack, self.room, DISPLAY=screen.name)
        url = f"{self.server.url}/{MEETING}-"
        play = [
            {"url": f"{url}{one.id}/whep", "label": one.settings["room"]["name"]}
            for one in self.others
        ]
        joined(self.room, play=play, microphone="live")
        return screen


def joined(room: Room, **fields: Any) -> None:
    meeting = {"id": MEETING, "title": TITLE}
    room.ask(type="join", id=f"portrait-{room.id}", meeting=meeting, **fields)
    wait_for(
        lambda: room.ask(type="status")["state"]["phase"] == "in-meeting", 30, "in the meeting"
    )


def grab(screen: VirtualScreen, path: Path) -> None:
    """The window as it is now, small."""
    subprocess.run(
        [
            *(
                "ffmpeg",
                "-loglevel",
                "error",
                "-y",
                "-f",
                "x11grab",
                "-draw_mouse",
                "0",
                "-t",
                "0.2",
            ),
            *("-video_size", "1280x720"),
            *("-i", screen.name, "-frames:v", "1"),
            *("-vf", "scale=800:-1:flags=lanczos,split[a][b];[a]palettegen[p];[b][p]paletteuse"),
            str(path),
        ],
        check=True,
        timeout=60,
    )


def screens() -> None:
    for language, suffix, act in (("vi", "", None), ("en", "-en", trouble)):
        with contextlib.ExitStack() as stack:
            stage = Stage(stack)
            screen = stage.show(stack, language)
            if act is not None:
                act(stage.room)
            time.sleep(SECONDS_TO_SETTLE)
            grab(screen, DOCS / f"screen{suffix}.png")


def trouble(room: Room) -> None:
    """A covered camera, and the chair mutes."""
    (room.folder / "camera").write_text("black")
    room.ask(type="mute", id="portrait-mute")
    wait_for(
        lambda: room.ask(type="health")["devices"]["camera"]["code"] == "black",
        30,
        "a black camera",
    )


def terminals() -> None:
    with contextlib.ExitStack() as stack:
        stage = Stage(stack)
        stage.room.devices["simulation"]["echo"] = True
        stage._start(stack, stage.room)
        config = stage.room.folder / "agent.yaml"
        (stage.room.folder / "camera").write_text("black")
        (stage.room.folder / "microphone").write_text("dead")
        type_in(config, "diemcau doctor", DOCS / "doctor.png", "thing")
        type_in(config, "diemcau --lang vi doctor", DOCS / "doctor-vi.png", "chỗ bị lỗi")
        type_in(config, "diemcau --lang vi status", DOCS / "status-vi.png", "hub ")


def type_in(config: Path, command: str, path: Path, until: str) -> None:
    """The command in tmux, 80x24, photographed once `until` stands there."""
    name = f"portrait-{os.getpid()}"
    tool = f"PATH={Path(sys.executable).parent}:$PATH DIEMCAU_CONFIG={config}"
    tmux(
        "new-session", "-d", "-s", name, "-x", "80", "-y", "24", f"{tool} PS1='$ ' LANG=C.UTF-8 sh"
    )
    try:
        tmux("send-keys", "-t", name, f"clear; {command}", "Enter")
        wait_for(lambda: until in capture(name), 90, until)
        time.sleep(1.0)
        photograph(capture(name, "-e"), path)
    finally:
        tmux("kill-session", "-t", name)


def tmux(*arguments: str) -> str:
    return subprocess.run(
        ["tmux", "-L", "portraits", *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def capture(name: str, *options: str) -> str:
    return tmux("capture-pane", "-p", *options, "-t", name)


def photograph(ansi: str, path: Path) -> None:
    """The terminal's text with its colours as PNG, by a browser's own drawing."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=80, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(Text.from_ansi(ansi.rstrip()), end="")
    html = console.export_html(
        inline_styles=True,
        code_format='<body style="background:#111;color:#ddd;margin:12px"><pre style="font:15px/1.25 '
        "'DejaVu Sans Mono',monospace\">{code}</pre></body>",
    )
    page = path.with_suffix(".html")
    html = html.replace("background-color: #ffffff", "").replace("color: #000000", "color: #dddddd")
    page.write_text(html, "utf-8")
    lines = ansi.rstrip().count("\n") + 1
    try:
        subprocess.run(
            [
                *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *(f"--window-size=760,{30 + 19 * lines}", f"--screenshot={path}", str(page)),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
    finally:
        page.unlink()


if __name__ == "__main__":
    wanted: dict[str, Callable[[], None]] = {"screens": screens, "terminals": terminals}
    for act in sys.argv[1:] or list(wanted):
        wanted[act]()
