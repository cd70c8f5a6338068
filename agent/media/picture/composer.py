"""Several sources, or words, made into one picture: a pipeline that is there only while it is needed.

Sources are scaled with two taps a side instead of GStreamer's cubic ones (a third of the cost with
four of them), and every text is drawn once and then only laid over.
"""

from __future__ import annotations

import threading
from typing import Any

from agent.media.gst import Gst
from agent.media.picture.layout import OWN, places
from agent.media.picture.lettering import Words
from agent.media.picture.scene import Branch, canvas, write
from agent.media.pipeline import OnError, OnSample, Pipeline, SharedClock
from agent.settings import Output


class Composer:
    """Playing from `play` to `close`; `on_picture` gets each composed picture in a streaming thread."""

    def __init__(
        self, clock: SharedClock, output: Output, on_picture: OnSample, on_error: OnError
    ) -> None:
        self._output = output
        text = f"{canvas(output, live=True)} ! appsink name=composed sync=false max-buffers=2 drop=true"
        self._pipeline = Pipeline(clock, text, on_error)
        self._pipeline.on_sample("composed", on_picture)
        self._pipeline.after_sound(self._pipeline.bin)
        # on the shared base time the mixer would make up for all pictures since the process began
        self._pipeline.bin.set_base_time(clock.clock.get_time())
        self._lock = threading.Lock()
        self._branches: dict[str, Branch] = {}
        self._words = Words()

    def play(self) -> None:
        self._pipeline.play()

    def close(self) -> None:
        with self._lock:
            self._branches.clear()
        self._pipeline.close()

    def write(self, words: Words) -> None:
        """These words; the pictures make room for them."""
        write(self._pipeline.bin, self._output, words)
        self._words = words
        self._arrange()

    def attach(self, key: str, label: str) -> None:
        """A place for one more source (or OWN, the room's own picture); the others make room."""
        added = Branch(label, live=True)
        self._pipeline.bin.add(added.bin)
        added.bin.link_pads("src", self._pipeline["mix"], "sink_%u")
        added.bin.sync_state_with_parent()
        with self._lock:
            self._branches[key] = added
        self._arrange()

    def show(self, key: str, sample: Any) -> bool:
        """A picture of that source, from any thread. Whether it was taken."""
        with self._lock:
            found = self._branches.get(key)
            entry = found["in"] if found else None
        return entry is not None and entry.push_sample(sample) == Gst.FlowReturn.OK

    def detach(self, key: str) -> None:
        """Its place is given to the others."""
        with self._lock:
            gone = self._branches.pop(key).bin
        pad = gone.get_static_pad("src")
        peer = pad.get_peer()
        gone.set_state(Gst.State.NULL)
        if peer:
            pad.unlink(peer)
            self._pipeline["mix"].release_request_pad(peer)
        self._pipeline.bin.remove(gone)
        self._arrange()

    def _arrange(self) -> None:
        shown = {key: made for key, made in self._branches.items() if key != OWN}
        own = self._branches.get(OWN)
        found = places(self._output, len(shown), self._words, own=own is not None)
        for made, tile in zip(shown.values(), found.sources, strict=True):
            made.place(self._output, tile)
        if own:
            own.place(self._output, found.own)
