"""A small WHIP/WHEP media server on aiortc: forwards RTP without transcoding, one address only.

`python -m tests.support.media_server --port 0` says `{"port": N}` on its first line; tests hold it
as a `MediaServer`. POST /NAME/whip publishes, POST /NAME/whep plays, DELETE on the Location ends. It
can be like other servers (`tests.support.likeness`), and refuse a medium where a test asks for that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from typing import Any, NamedTuple

from aiohttp import web
from aiortc.codecs import HEADER_EXTENSIONS
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters

from tests.support.closing import Closing
from tests.support.likeness import LIKENESSES
from tests.support.loopback import ADDRESS, stay_on_loopback
from tests.support.parent import die_with_parent
from tests.support.relay import Manner, Relay
from tests.support.tasks import keep_tasks
from tests.support.transport_feedback import URI as TRANSPORT_FEEDBACK


class Place(NamedTuple):
    """Where a server is: its address, and what begins a command in its network."""

    address: str = ADDRESS
    within: tuple[str, ...] = ()


HERE = Place()


class MediaServer(Closing):
    """The server as a child process; a context manager. `url` has no trailing slash."""

    def __init__(
        self,
        port: int = 0,
        token: str | None = None,
        *,
        adapts: bool = False,
        like: str = "plain",
        jwks: str = "",
        place: Place = HERE,
    ) -> None:
        """`adapts`: it sends a player no more than its link carries; else it only forwards. `like`: one of
        `tests.support.likeness.LIKENESSES`. `jwks`: where the keys are whose tokens it asks for.
        """
        manner = Manner(like, adapts, jwks)
        self._likeness = LIKENESSES[manner.like]
        command = [sys.executable, "-m", "tests.support.media_server", "--port", str(port)]
        command += ["--like", manner.like, "--address", place.address]
        command += ["--adapts"] if manner.adapts else []
        command += ["--jwks", jwks] if jwks else []
        self._process = subprocess.Popen(
            [*place.within, *command, *(["--token", token] if token else [])],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C at the terminal is for whoever started the server
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the media server ended with {self._process.wait()}")
        self.port: int = json.loads(line)["port"]
        host = f"[{place.address}]" if ":" in place.address else place.address
        self.url = f"http://{host}:{self.port}"
        self.pid = self._process.pid

    def whip(self, name: str, refuse: str = "") -> str:
        """`refuse`: how its answer refuses a medium (`tests.support.relay.Refused`)."""
        return with_refusal(self.url + self._likeness.whip(name), refuse)

    def whep(self, name: str, refuse: str = "") -> str:
        return with_refusal(self.url + self._likeness.whep(name), refuse)

    def sessions(self, name: str | None = None) -> list[dict[str, Any]]:
        """All of them, or those that publish or play this name."""
        with urllib.request.urlopen(f"{self.url}/sessions", timeout=60) as response:
            listing: list[dict[str, Any]] = json.load(response)
        return [session for session in listing if name in (None, session["name"])]

    def kill(self) -> None:
        """End it without a word to anybody, as a crash or a power cut would."""
        self._process.kill()
        self._process.wait(60)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()


def with_refusal(url: str, refuse: str) -> str:
    if not refuse:
        return url
    return f"{url}{'&' if '?' in url else '?'}refuse={refuse}"


async def serve(address: str, port: int, token: str | None, manner: Manner) -> None:
    for extensions in HEADER_EXTENSIONS.values():
        extensions.append(RTCRtpHeaderExtensionParameters(id=4, uri=TRANSPORT_FEEDBACK))
    keep_tasks(asyncio.get_running_loop())
    runner = web.AppRunner(Relay(token, manner).application(), handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, address, port)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    stop = asyncio.Event()
    for name in ("SIGTERM", "SIGINT"):
        asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stop.set)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0: a free one")
    parser.add_argument("--token", help="bearer token that POST and DELETE must carry")
    parser.add_argument("--adapts", action="store_true", help="to what each player's link carries")
    parser.add_argument("--like", choices=LIKENESSES, default="plain", help="another server")
    parser.add_argument("--jwks", default="", help="URL of the keys whose tokens POST must carry")
    parser.add_argument("--address", default=ADDRESS, help="the only one, of HTTP and media")
    arguments = parser.parse_args()
    manner = Manner(arguments.like, arguments.adapts, arguments.jwks)
    stay_on_loopback(arguments.address)
    die_with_parent()
    asyncio.run(serve(arguments.address, arguments.port, arguments.token, manner))


if __name__ == "__main__":
    main()
