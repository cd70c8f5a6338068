"""The loudspeaker's share of the media child: what the sources say is mixed and played.

A loudspeaker that cannot be opened is tried again while the meeting lasts; it is never fatal.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

from agent.errors import MediaError
from agent.media.echo import SLOT_NANOSECONDS, Envelope
from agent.media.gst import Gst, available
from agent.media.pipeline import Pipeline, SharedClock, level_dbfs, unwrap
from agent.media.reporting import DeviceReporter
from agent.ports import PERIOD_BYTES, Speaker

CLOSE_SECONDS = 3.0
PERIOD_SECONDS = 0.01
QUEUED_PERIODS = 8
"""80 ms between mixer and driver; what is older is dropped, since a late voice only disturbs."""

RAW = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved"

# Not ignore-inactive-pads: in 1.22 the mixer ends for ever (EOS) when its first deadline passes
# before the first sound has come.
ECHO_PROBE = "loudspeaker"

MIX = f"""
 audiomixer name=mixer latency=20000000 output-buffer-duration=20000000
  start-time-selection=first
 ! {RAW} {{probe}} ! level name=level interval=500000000
 ! appsink name=out sync=false max-buffers=20 drop=true
 audiotestsrc is-live=true wave=silence samplesperbuffer=960 ! {RAW} ! mixer."""

INPUT = f"appsrc name=in is-live=true format=time caps={RAW} ! queue leaky=downstream"


class SpeakerFeed:
    """Plays from `start()` to `close()`; sources come with `attach` and go with `detach`."""

    def __init__(
        self,
        clock: SharedClock,
        make: Callable[[], Speaker],
        volume: int,
        reporter: DeviceReporter,
        *,
        for_canceller: bool = False,
    ) -> None:
        self._make = make
        self._volume = volume
        self._reporter = reporter
        self._closing = threading.Event()
        self._periods: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._inputs: dict[str, Any] = {}
        self._speaker: Speaker | None = None
        self._rest = b""
        self.envelope = Envelope()
        self.level_dbfs: float | None = None
        self._for_canceller = for_canceller and available("webrtcechoprobe") is not None
        probe = f"! webrtcechoprobe name={ECHO_PROBE}" if self._for_canceller else ""
        self._mix = Pipeline(clock, MIX.format(probe=probe), self._on_error)
        self._mix.on_sample("out", self._take)
        self._mix.on_message("level", self._on_level)
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)

    def start(self) -> None:
        self._mix.play()
        self._thread.start()

    def close(self) -> None:
        """The loudspeaker is closed when this returns, unless its driver hangs for 3 s."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        self._mix.close()

    def delay_seconds(self) -> float:
        """From the mixer to the ear, as far as the driver knows."""
        speaker = self._speaker
        queued = self._periods.qsize() * PERIOD_SECONDS
        return queued + (speaker.delay_seconds() if speaker else 0.0)

    def set_volume(self, percent: int) -> None:
        self._volume = percent
        if self._speaker:
            self._speaker.set_volume(percent)

    def attach(self, key: str) -> Callable[[Any, int], None]:
        """A place for one source. What is returned takes a buffer and the running time in
        nanoseconds at which it shall be heard; from any thread, and better early than late.
        """
        branch = Gst.parse_bin_from_description(INPUT, True)
        self._mix.bin.add(branch)
        branch.link_pads("src", self._mix["mixer"], "sink_%u")
        branch.sync_state_with_parent()
        self._inputs[key] = branch
        source = branch.get_by_name("in")

        def push(buffer: Any, due: int) -> None:
            if key in self._inputs:
                buffer = buffer.copy()
                buffer.pts = due
                source.push_buffer(buffer)

        return push

    def detach(self, key: str) -> None:
        """In the loop's thread. The mixer lets go first, or the branch could not stop."""
        branch = self._inputs.pop(key, None)
        if branch is None:
            return
        pad = branch.get_static_pad("src")
        peer = pad.get_peer()
        pad.unlink(peer)
        self._mix["mixer"].release_request_pad(peer)
        branch.set_state(Gst.State.NULL)
        self._mix.bin.remove(branch)

    def _take(self, sample: Any) -> None:
        due = sample.get_buffer().pts
        data = self._rest + unwrap(sample)
        whole = len(data) // PERIOD_BYTES * PERIOD_BYTES
        self._rest = data[whole:]
        for number, at in enumerate(range(0, whole, PERIOD_BYTES)):
            period = data[at : at + PERIOD_BYTES]
            if self._for_canceller:
                self.envelope.add(due + number * SLOT_NANOSECONDS, period)
            if self._periods.qsize() < QUEUED_PERIODS:
                self._periods.put(period)

    def _on_level(self, structure: Any) -> None:
        self.level_dbfs = level_dbfs(structure)

    def _on_error(self, text: str) -> None:
        self._reporter.failed(MediaError("pipeline", text))

    def _run(self) -> None:
        self._reporter.keep_trying(lambda: self._play(self._make()), self._closing)

    def _play(self, speaker: Speaker) -> None:
        try:
            self._reporter.opened(speaker.open())
            speaker.set_volume(self._volume)
            self._speaker = speaker
            while not self._closing.is_set():
                with contextlib.suppress(queue.Empty):
                    speaker.write(self._periods.get(timeout=0.2))
                if self._reporter.due():
                    self._reporter.opened(speaker.status())
        finally:
            self._speaker = None
            speaker.close()
        self._reporter.closed()
