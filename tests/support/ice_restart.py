"""ICE anew within a session of the test server (RFC 9725, 4.3.2), which neither aiortc nor aioice can."""

from __future__ import annotations

import re
from typing import Any

from aioice import Candidate, Connection


class RestartableIce:
    """Of one peer connection, made before it connects. `restart` takes a fragment and answers with one."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._using = transport._connection
        self.restarts = 0
        transport._recv, transport._send = self._recv, self._send

    async def _recv(self) -> bytes:
        while True:
            using = self._using
            try:
                data: bytes = await using.recv()
                return data
            except ConnectionError:
                if using is self._using:
                    raise

    async def _send(self, data: bytes) -> None:
        await self._using.send(data)

    async def restart(self, fragment: str) -> tuple[str, Connection]:
        """The server's own fragment, and what is to be checked: the old way serves until the new one is found."""
        new = Connection(ice_controlling=False)
        new.remote_username, new.remote_password = (
            re.findall(rf"^a=ice-{name}:(\S+)", fragment, flags=re.M)[0]
            for name in ("ufrag", "pwd")
        )
        for one in re.findall(r"^a=candidate:(.*?)\r?$", fragment, flags=re.M):
            if candidate := usable(one):
                await new.add_remote_candidate(candidate)
        await new.add_remote_candidate(None)
        await new.gather_candidates()
        lines = [f"a=ice-ufrag:{new.local_username}", f"a=ice-pwd:{new.local_password}"]
        lines += [f"a=candidate:{one.to_sdp()}" for one in new.local_candidates]
        return "".join(f"{line}\r\n" for line in [*lines, "a=end-of-candidates"]), new

    async def check(self, new: Connection) -> None:
        """Until a way is found, or none."""
        try:
            await new.connect()
        except ConnectionError:
            await new.close()
            return
        self._stop_watching()
        before, self._using = self._using, new
        self._transport._connection = new
        self.restarts += 1
        await before.close()

    def _stop_watching(self) -> None:
        """Who ends the session when the old way is closed."""
        name = "_RTCIceTransport__monitor_task"
        if task := getattr(self._transport, name, None):
            task.cancel()
            setattr(self._transport, name, None)


def usable(line: str) -> Candidate | None:
    """Of the first component and by UDP: all that aioice knows."""
    words = line.split()
    fits = len(words) >= 8 and words[1] == "1" and words[2].lower() == "udp"
    return Candidate.from_sdp(line) if fits else None
