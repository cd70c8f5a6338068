"""What decodes a source's pictures, with decoders that behave and fail as a Pi's do."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from agent.media import decoder as decoder_module
from agent.media.decoder import ELEMENTS, Decoders, PictureDecoder
from agent.media.gst import Gst
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.receiving import decoding
from tests.support.pi_decoder import FAILING, register
from tests.support.waiting import wait_for

SENDER = (
    "videotestsrc is-live=true ! capsfilter name=size caps=video/x-raw,width=320,height=180,framerate=30/1 "
    "! x264enc tune=zerolatency key-int-max=5 ! video/x-h264,profile=baseline ! rtph264pay name=sender"
)


class Playing:
    """A sender, and what decodes its pictures."""

    def __init__(self, loop: Loop, sender: str = SENDER) -> None:
        self.errors: list[str] = []
        self.sinks: list[Any] = []
        self.pipeline = Pipeline(SharedClock(), sender, self.errors.append)
        branch = Gst.parse_bin_from_description(decoding.picture("H264"), True)
        self.pipeline.bin.add(branch)
        self.decoders = Decoders()
        source = branch.get_static_pad("src")
        self.decoder = PictureDecoder(loop, self.pipeline, source, "H264", self.decoders)
        self.decoder.start(self.sinks.append, seen=True)
        self.pipeline["sender"].link(branch)
        self.pipeline.play()

    def resize(self) -> None:
        caps = Gst.Caps.from_string("video/x-raw,width=640,height=360,framerate=30/1")
        self.pipeline["size"].set_property("caps", caps)

    def watch(self) -> int:
        """As a downlink does, how many pictures came out of the decoder that there is."""
        pictures: int = self.sinks[-1].get_property("stats").get_value("rendered")
        return pictures


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have only these decoders on this machine."""

    def have(*names: str) -> None:
        for name in names:
            if name.startswith("pi"):
                register(name)
        monkeypatch.setitem(ELEMENTS, "H264", names)

    return have


def features_of_first_picture(playing: Playing) -> str:
    sample = playing.sinks[0].try_pull_sample(20 * Gst.SECOND)
    assert sample is not None
    features: str = sample.get_caps().get_features(0).to_string()
    return features


@pytest.mark.parametrize("name", ["pidecoder", "avdec_h264"])
def test_pictures_come_in_memory_that_the_screen_reads(
    name: str, only: Any, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(name)
    playing = Playing(loop)
    assert features_of_first_picture(playing) == "memory:SystemMemory"
    playing.pipeline.close()
    if name == "pidecoder":  # which would rather give what only hardware reads
        without = decoder_module.DECODER.replace("capsfilter name=raw caps=video/x-raw", "identity")
        monkeypatch.setattr(decoder_module, "DECODER", without)
        playing = Playing(loop)
        assert features_of_first_picture(playing) == "memory:DMABuf"
        playing.pipeline.close()


@pytest.mark.parametrize("name", FAILING)
def test_another_decoder_takes_over_from_one_that_fails(
    name: str, only: Any, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_module, "HANG_SECONDS", 0.3)
    only(name, "avdec_h264")
    playing = Playing(loop)

    seen = 0

    def taken_over() -> bool:
        nonlocal seen
        before, seen = seen, playing.watch()
        if seen == before:  # as a downlink looks, but more often
            loop.post(lambda: playing.decoder.watch(0))
        return playing.decoder.name == "avdec_h264" and seen > 30

    if name == "pionesize":
        wait_for(lambda: playing.watch() > 3, 40, "its first pictures")
        playing.resize()
    wait_for(taken_over, 40, "pictures by another decoder")
    assert list(playing.decoders.failed) == [name]
    assert playing.decoders.best() == "avdec_h264", "nor is it chosen for the next session"
    assert playing.errors == [], "nothing else heard of it: neither session nor sound"
    playing.pipeline.close()


def test_a_decoder_that_hangs_is_known_by_its_pictures_where_keyframes_are_rare(
    only: Any, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a street camera, which heeds no request for one: three of them took half a minute."""
    monkeypatch.setattr(decoder_module, "HANG_SECONDS", 0.3)
    only("pisilent", "avdec_h264")
    playing = Playing(loop, SENDER.replace("key-int-max=5", "key-int-max=6000"))

    def given_up() -> bool:
        loop.post(lambda: playing.decoder.watch(0))
        return bool(playing.decoders.failed)

    wait_for(lambda: playing.watch() > 3, 40, "its first pictures")
    wait_for(given_up, 40, "that it is given up")
    assert playing.decoders.failed == {"pisilent": "it took pictures and gave none"}
    playing.pipeline.close()


def test_a_decoder_without_another_is_made_anew(
    only: Any, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_module, "AGAIN_SECONDS", 0.1)
    only("pinomemory")
    playing = Playing(loop)
    wait_for(lambda: len(playing.sinks) > 2, 40, "the decoder again, and again")
    assert playing.errors == []
    playing.pipeline.close()


def stalled_and_closed(loop: Loop, run: Any) -> weakref.ref[PictureDecoder]:
    playing = Playing(loop)
    wait_for(lambda: playing.watch() > 3, 40, "its first pictures")
    run(lambda: playing.decoder.watch(0))
    playing.pipeline.close()
    return weakref.ref(playing.decoder)


def test_a_decoder_of_a_source_that_stalled_is_freed_with_its_session(
    only: Any, loop: Loop, run: Any
) -> None:
    """It counts keyframes on the pad that it holds itself, which Python's collector does not see."""
    only("avdec_h264", "pisilent")
    decoder = stalled_and_closed(loop, run)
    run(lambda: None)  # the loop holds what it did last
    wait_for(lambda: gc.collect() >= 0 and decoder() is None, 1, "that nobody holds it")
