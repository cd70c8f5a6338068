"""A TCP line with the delay of a mobile network, which can be cut.

Stands between a client and a server on loopback; used where a test needs 3G.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Self


class SlowLine:
    """Forwards `port` to `target_port` on loopback; each direction takes `delay_seconds`."""

    def __init__(
        self, target_port: int, delay_seconds: float = 0.0, host: str = "127.0.0.1"
    ) -> None:
        self.port = 0
        self.host = host
        self.delay_seconds = delay_seconds
        self._target_port = target_port
        self._writers: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, self.host, 0), self._loop
        ).result(60)
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def cut(self) -> None:
        """Break the connections that there are; new ones can be made."""
        asyncio.run_coroutine_threadsafe(self._abort(), self._loop).result(60)

    async def _abort(self) -> None:
        while self._writers:
            self._writers.pop().transport.abort()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every chunk leaves its delay after it came; what comes meanwhile does not wait for it."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                loop.call_later(self.delay_seconds, writer.write, chunk)
        await asyncio.sleep(self.delay_seconds)
        writer.close()
