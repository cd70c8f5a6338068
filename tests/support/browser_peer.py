"""A meeting's other end in Chromium: WHIP publisher, WHEP player, or the endpoint that they talk to.

Its WebRTC is Google's and none of GStreamer's or aiortc's; HTTP is done here, as a browser's page would.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import threading
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import av
import numpy as np

from tests.support.chromium import Chromium, Page
from tests.support.closing import Closing
from tests.support.loopback import ADDRESS
from tests.support.pictures import Picture, coloured, write_number
from tests.support.sounds import RATE_HZ, Sound, tone

FRAMES_PER_SECOND = 15
HTTP_SECONDS = 10.0


def make_camera(path: Path, colour: tuple[int, int, int], seconds: int = 2) -> Path:
    """A film (YUV4MPEG2) of this colour, each picture with its number."""
    picture = coloured(colour)
    height, width = picture.shape[:2]
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F{FRAMES_PER_SECOND}:1 Ip C420jpeg\n".encode())
        for number in range(seconds * FRAMES_PER_SECOND):
            write_number(picture, number)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            film.write(b"FRAME\n" + frame.to_ndarray().tobytes())
    return path


def make_microphone(path: Path, tone_hz: int, seconds: int = 2) -> Path:
    """A WAV of whole periods, which joins itself without a click."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(tone(tone_hz, 0, seconds * RATE_HZ).tobytes())
    return path


def on_loopback(sdp: str) -> str:
    """Without candidates of other interfaces, and none of TCP."""
    lines = sdp.splitlines(keepends=True)
    return "".join(
        line
        for line in lines
        if not line.startswith("a=candidate:") or ("udp" in line and f" {ADDRESS} " in line)
    )


class BrowserPeer(Closing):
    """One peer connection in a page of its own; a context manager, which ends its session."""

    def __init__(self, browser: Chromium) -> None:
        self._page = Page(browser)
        self._resource: str | None = None

    def close(self) -> None:
        self.hang_up()
        self._page.close()

    # --- negotiating

    def publish(self, url: str) -> None:
        """Camera and microphone to a WHIP endpoint."""
        self._negotiate(url, self._page.evaluate("offerToPublish()"))

    def play(self, url: str) -> None:
        """What a WHEP endpoint has."""
        self._negotiate(url, self._page.evaluate("offerToPlay()"))

    def _negotiate(self, url: str, offer: str) -> None:
        headers = {"Content-Type": "application/sdp"}
        request = urllib.request.Request(url, on_loopback(offer).encode(), headers)
        with urllib.request.urlopen(request, timeout=HTTP_SECONDS) as reply:
            self._resource = urljoin(url, reply.headers["Location"])
            self._page.evaluate(f"accept({json.dumps(reply.read().decode())})")

    def answer(self, offer: str) -> str:
        """To a WHIP offer: it is played. To a WHEP offer: camera and microphone are sent."""
        return on_loopback(self._page.evaluate(f"answer({json.dumps(offer)})"))

    def hang_up(self) -> None:
        """End the session, where it was the client, and close the connection."""
        if self._resource:
            request = urllib.request.Request(self._resource, method="DELETE")
            self._resource = None
            # 404: the server ended it, as it does for players whose publisher has gone
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request, timeout=HTTP_SECONDS).close()
        self._page.evaluate("hangUp()")

    # --- looking and listening

    def figures(self) -> dict[str, Any]:
        """`state` of the connection; `video` and `audio`, as far as they are received, as in W3C's
        webrtc-stats, inbound-rtp."""
        found: dict[str, Any] = self._page.evaluate("figures()")
        return found

    def pictures_decoded(self) -> int:
        return int(self.figures().get("video", {}).get("framesDecoded", 0))

    def picture(self) -> Picture | None:
        """What its screen shows now; None before the first picture."""
        png = self._page.evaluate("picture()")
        if png is None:
            return None
        with av.open(io.BytesIO(base64.b64decode(png)), format="png_pipe") as file:
            return next(file.decode(video=0)).to_ndarray(format="rgb24")

    def hear(self) -> Sound:
        """The last 0.7 s that its loudspeaker played."""
        return np.array(self._page.evaluate("heard()"), np.int16)


@contextlib.contextmanager
def endpoint(peer: BrowserPeer) -> Iterator[str]:
    """The URL of a WHIP or WHEP server that is the browser itself; DELETE hangs up."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
            try:
                self._reply(201, peer.answer(offer))
            except AssertionError as error:  # Chromium's own words
                self._reply(400, str(error))

        def do_DELETE(self) -> None:
            peer.hang_up()
            self._reply(200, "")

        def _reply(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Location", "/session")
            self.send_header("Content-Type", "application/sdp")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer((ADDRESS, 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://{ADDRESS}:{server.server_port}/session"
    finally:
        server.shutdown()
        server.server_close()
