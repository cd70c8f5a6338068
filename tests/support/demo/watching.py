"""A page on loopback that shows, once a second, what each room of the demo has on its screen."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.support.room import Room

PAGE = """<!doctype html><meta charset="utf-8"><title>diemcau</title>
<style>body{{background:#111;color:#eee;font:16px sans-serif;display:flex;flex-wrap:wrap}}
figure{{margin:8px;flex:1 1 600px}}img{{width:100%;background:#000;aspect-ratio:16/9}}</style>{figures}
<script>setInterval(()=>document.querySelectorAll("img").forEach(
i=>{{const n=new Image();n.onload=()=>i.src=n.src;n.src=i.dataset.of+"?"+Date.now()}}),1000)</script>"""

FIGURE = '<figure><img data-of="/{id}.png" alt=""><figcaption>{id}</figcaption></figure>'


class Watching:
    """Serves from entering to leaving; `url` is the page."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        self._rooms = {room.id: room for room in rooms}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def picture(self, room_id: str) -> bytes:
        """What this room sees now. Raises KeyError, OSError, AssertionError while there is nothing."""
        room = self._rooms[room_id]
        path = room.snapshot(room.folder / f"watched-{threading.get_ident()}.png")
        try:
            return path.read_bytes()
        finally:
            Path(path).unlink(missing_ok=True)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        watching = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0].strip("/")
                try:
                    body, kind = watching.answer(name)
                except Exception:  # a room that has just left shows nothing
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def answer(self, name: str) -> tuple[bytes, str]:
        """The page, or a room's picture by its name."""
        if name:
            return self.picture(name.removesuffix(".png")), "image/png"
        figures = "".join(FIGURE.format(id=room) for room in self._rooms)
        return PAGE.format(figures=figures).encode(), "text/html; charset=utf-8"
