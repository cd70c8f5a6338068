"""An X server without a screen, for what opens a window."""

from __future__ import annotations

import os
import subprocess

from tests.support.closing import Closing


class VirtualScreen(Closing):
    """A context manager; `name` is what DISPLAY has to be."""

    def __init__(self, width: int = 640, height: int = 360) -> None:
        reading, writing = os.pipe()
        # it ends with us, whatever ends us
        ending = "setpriv --pdeathsig KILL"
        screen = f"Xvfb -displayfd {writing} -screen 0 {width}x{height}x24 -nocursor"
        self._server = subprocess.Popen(
            f"{ending} {screen}".split(), pass_fds=[writing], stderr=subprocess.DEVNULL
        )
        os.close(writing)
        with os.fdopen(reading) as line:
            self.name = f":{line.readline().strip()}"

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(60)
