"""Records the meeting as this room has it: its own and the received pictures, and all sound mixed.

Pictures and sound are pushed in from wherever they pass; a thread writes them to a file. A new
source or another picture size begins the next file, since a track's format can't change.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from agent.core.model.media import RecordingReported
from agent.errors import MediaError
from agent.media.pipeline import SharedClock
from agent.media.recording.folder import RecordingFolder
from agent.media.recording.part import OWN, Part, Picture, Sound
from agent.media.reporting import Send

GATHER_SECONDS = 2.0
"""For the first keyframe of every picture to come: what is there by then begins the file."""

HOLD_NANOSECONDS = 400_000_000
"""How long the mix waits for late sound."""

QUEUED_ITEMS = 3000
"""Some 15 s of a meeting, for an SD card that stalls. What comes on top is left out."""

ROUND_SECONDS = 0.1
CHECK_SECONDS = 1.0
PRUNE_SECONDS = 60.0

Item = Picture | Sound


class Recording:
    """One recording, from `start()` to `stop()`; it may end earlier by itself, and says so."""

    def __init__(
        self,
        clock: SharedClock,
        folder: RecordingFolder,
        name: tuple[str, str],
        send: Send,
        request_keyframes: Callable[[], None],
        expected: Callable[[], set[str]],
    ) -> None:
        """`name` is the room and the meeting, `expected` the pictures that there should be."""
        self._clock = clock
        self._folder = folder
        self._name = name
        self._send = send
        self._request_keyframes = request_keyframes
        self._expected = expected
        self._items: queue.Queue[Item] = queue.Queue(QUEUED_ITEMS)
        self._stopping = threading.Event()
        self._keyframes: dict[str, bytes] = {}
        self._part: Part | None = None
        self._path = ""
        self.thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """The file is whole when `thread` has ended."""
        self._stopping.set()

    def push(self, item: Item) -> None:
        """Never blocks; from any thread."""
        with contextlib.suppress(queue.Full):
            self._items.put_nowait(item)

    @property
    def on(self) -> bool:
        return self.thread.is_alive() and not self._stopping.is_set()

    # --- in the recording's thread ---------------------------------------------------------------

    def _run(self) -> None:
        code, text = "ok", "the recording ended"
        for step in (self._write, self._finish):
            try:
                step()
            except MediaError as error:
                code, text = error.code, error.text
        self._stopping.set()
        self._send(RecordingReported(False, self._path, code, text))

    def _gather(self) -> list[Item]:
        """What comes in while the first keyframes are waited for."""
        self._request_keyframes()
        items: list[Item] = []
        end = time.monotonic() + GATHER_SECONDS
        while time.monotonic() < end and not self._stopping.is_set():
            if self._keyframes and self._expected() <= self._keyframes.keys():
                break
            for item in self._come():
                items.append(item)
                if isinstance(item, Picture) and item.keyframe:
                    self._keyframes.setdefault(item.key, item.data)
        return items

    def _begin(self, items: list[Item]) -> None:
        """The next file, with a track for each picture known."""
        self._folder.check()
        self._folder.prune()
        times = [item.at_nanoseconds for item in items]
        path = self._folder.new_file(*self._name, datetime.now())
        # players show the first track unless told otherwise: the others before ourselves
        keys = sorted(self._keyframes, key=lambda key: key == OWN)
        keyframes = {key: self._keyframes[key] for key in keys}
        self._part = Part(path, keyframes, min(times, default=self._clock.now()))
        self._path = str(path)
        self._send(RecordingReported(True, self._path, "ok", f"recording to {path}"))
        for item in items:
            self._part.take(item)

    def _write(self) -> None:
        self._begin(self._gather())
        next_check = next_prune = time.monotonic() + CHECK_SECONDS
        while not self._stopping.is_set():
            for item in self._come():
                self._take(item)
            assert self._part is not None
            self._part.write_sound(self._clock.now() - HOLD_NANOSECONDS)
            now = time.monotonic()
            if now >= next_check:
                next_check = now + CHECK_SECONDS
                self._folder.check()
            if now >= next_prune:
                next_prune = now + PRUNE_SECONDS
                self._folder.prune(keep=self._part.path)

    def _take(self, item: Item) -> None:
        assert self._part is not None
        if isinstance(item, Picture) and item.keyframe:
            self._keyframes[item.key] = item.data
            if not self._part.fits(item):
                self._finish()
                self._begin([item])
                self._request_keyframes()
        self._part.take(item)

    def _finish(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.write_sound(self._clock.now())
            part.close()

    def _come(self) -> Iterator[Item]:
        """What has come in; waits a little for the first."""
        with contextlib.suppress(queue.Empty):
            yield self._items.get(timeout=ROUND_SECONDS)
            while True:
                yield self._items.get_nowait()
