"""Headless Chromium, driven over the DevTools protocol through a pipe of its own.

It sees loopback only, its camera and microphone are files, and it ends when its pipe is closed. Tests hold
one `Chromium` and open a page each; what a page does as a meeting's peer is in `tests.support.browser_peer`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.support.closing import Closing
from tests.support.waiting import wait_for

PAGE = Path(__file__).with_suffix(".html")
ANSWER_SECONDS = 60.0
LOAD_SECONDS = END_SECONDS = 10.0
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--mute-audio",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--remote-debugging-pipe",
]


class Chromium(Closing):
    """A context manager. `camera` (Y4M) and `microphone` (WAV) are played round and round."""

    def __init__(self, camera: Path, microphone: Path) -> None:
        program = shutil.which("chromium")
        assert program, "chromium is not installed: ./scripts/setup does it"
        self._profile = tempfile.TemporaryDirectory(prefix="diemcau-chromium-")
        self._pipe, theirs = socket.socketpair()
        self._pipe.settimeout(ANSWER_SECONDS)
        self._received = b""
        self._number = 0
        self._lock = threading.Lock()
        files = [
            f"--use-file-for-fake-video-capture={camera}",
            f"--use-file-for-fake-audio-capture={microphone}",
            f"--user-data-dir={self._profile.name}",
        ]
        # the protocol's ends are descriptors 3 and 4
        redirected = f'exec "$@" 3<&{theirs.fileno()} 4>&{theirs.fileno()}'
        self._process = subprocess.Popen(
            ["bash", "-c", redirected, "bash", program, *FLAGS, *files, "about:blank"],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; its result. Raises AssertionError for an error."""
        with self._lock:
            self._number += 1
            message = {"id": self._number, "method": method, "params": parameters}
            if session:
                message["sessionId"] = session
            self._pipe.sendall(json.dumps(message).encode() + b"\0")
            while (reply := self._next_message()).get("id") != self._number:
                """An event."""
        assert "error" not in reply, f"{method}: {reply['error']}"
        result: dict[str, Any] = reply["result"]
        return result

    def _next_message(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            received = self._pipe.recv(1 << 20)
            assert received, "Chromium ended"
            self._received += received
        message, _, self._received = self._received.partition(b"\0")
        document: dict[str, Any] = json.loads(message)
        return document

    def close(self) -> None:
        self._pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._profile.cleanup()


class Page(Closing):
    """A tab with tests/support/chromium.html; a context manager."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session: str = attached["sessionId"]
        self._send("Page.navigate", url=PAGE.as_uri())
        loaded = "document.readyState === 'complete' && document.title !== ''"
        wait_for(lambda: self.evaluate(loaded), LOAD_SECONDS, f"{PAGE.name} is there")

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of JavaScript, awaited. Raises AssertionError for an exception."""
        done = self._send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
