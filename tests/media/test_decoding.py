"""What decodes a source's pictures, with a decoder that behaves as a Pi's does."""

from __future__ import annotations

import pytest

from agent.media.gst import Gst
from agent.media.receiving import decoding
from tests.support.pi_decoder import register

SENDER = (
    "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=320,height=180,framerate=30/1 "
    "! x264enc tune=zerolatency key-int-max=10 ! video/x-h264,profile=baseline ! rtph264pay ! "
)


def memory_of_first_picture(text: str) -> str:
    """What features the caps have that come out of this decoding text."""
    pipeline = Gst.parse_launch(SENDER + text.replace("sync=true", "sync=false"))
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("picture").try_pull_sample(20 * Gst.SECOND)
    pipeline.set_state(Gst.State.NULL)
    assert sample is not None
    features: str = sample.get_caps().get_features(0).to_string()
    return features


@pytest.fixture(params=["pidecoder", "avdec_h264"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    register()
    other = decoding.PICTURES["H264"]._replace(decoders=(request.param,))
    monkeypatch.setitem(decoding.PICTURES, "H264", other)
    return str(request.param)


def test_pictures_come_in_memory_that_the_screen_reads(decoder: str) -> None:
    text = decoding.picture("H264", seen=True)
    assert memory_of_first_picture(text) == "memory:SystemMemory"
    if decoder == "pidecoder":  # which would rather give what only hardware reads
        without_caps = text.replace("capsfilter name=raw caps=video/x-raw", "identity")
        assert memory_of_first_picture(without_caps) == "memory:DMABuf"
