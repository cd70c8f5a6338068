"""What a source may send us, and the GStreamer text of what decodes it.

Pure but for the look at which decoders there are.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.media.decoder import SHIELD, decoders
from agent.media.gst import available
from agent.media.sound.mixer import RAW
from agent.media.webrtc.transport_feedback import OFFERED as OFFERED_FEEDBACK


class Codec(NamedTuple):
    """What a source may send; a sound has one `decoder`, a picture those of `agent.media.decoder`."""

    caps: str
    depayloader: str
    decoder: str = ""


PICTURES = {
    "H264": Codec(
        "payload=96,packetization-mode=(string)1,profile-level-id=(string)42e01f",
        "rtph264depay",
    ),
    "VP8": Codec("payload=100", "rtpvp8depay"),
    "VP9": Codec("payload=102", "rtpvp9depay"),
    "H265": Codec("payload=104", "rtph265depay"),
}
"""In the order in which they are wanted. VP8 is offered to MediaMTX too for a source without a picture, of
which it says so (`a=inactive`) only to who knows VP8. In software 720p30 of VP8 costs about what H.264
does, of VP9 and H.265 up to twice that."""

SOUNDS = {
    "OPUS": Codec(
        "payload=111,clock-rate=48000,encoding-params=(string)2", "rtpopusdepay", "opusdec"
    ),
    "PCMU": Codec("payload=0,clock-rate=8000", "rtppcmudepay", "mulawdec"),
    "PCMA": Codec("payload=8,clock-rate=8000", "rtppcmadepay", "alawdec"),
}
"""PCMU is also what MediaMTX fills a source without a sound with."""


def offered() -> dict[str, str]:
    """By medium, the caps of all that this machine decodes. With feedback on each packet, a server that
    adapts what it sends learns what our link carries.
    """
    return {
        "video": ";".join(
            _caps("video", name, one) for name, one in PICTURES.items() if plays(name)
        ),
        "audio": ";".join(_caps("audio", name, one) for name, one in SOUNDS.items() if plays(name)),
    }


def plays(codec: str) -> bool:
    """Whether this machine has what decodes it."""
    known = (PICTURES | SOUNDS).get(codec)
    if known is None or not available(known.depayloader):
        return False
    return bool(decoders(codec) if codec in PICTURES else available(known.decoder))


def _caps(medium: str, name: str, codec: Codec) -> str:
    clock = "clock-rate=90000," if medium == "video" else ""
    kind = f"application/x-rtp,media={medium},encoding-name={name},{clock}{codec.caps}"
    return f"{kind},{OFFERED_FEEDBACK}"


PICTURE = """
 rtph264depay name=depayloader request-keyframe=true wait-for-keyframe=true ! h264parse config-interval=-1
 ! capsfilter name=units caps=video/x-h264,stream-format=byte-stream,alignment=au ! {shield}"""

OTHER_PICTURE = """
 {depayloader} name=depayloader ! {shield}"""
"""It is not recorded: a recording has H.264 as it came."""

SOUND = f"""
 {{depayloader}} ! {{decoder}} ! {RAW} ! {{sink}} name=sound"""

OPUS = "opusdec name=speech use-inband-fec=true plc=true"
"""The decoder itself makes one channel of two."""

RESAMPLED = "{decoder} ! audioconvert ! audioresample name=speech"
BACKLOG = "queue name=backlog max-size-buffers=0 max-size-bytes=0 max-size-time=700000000 leaky=downstream"
"""What a reception decodes before it plays: where the one before has still waited for a lost packet, the
sound is taken from there."""


def picture(codec: str) -> str:
    """From RTP to what `decoder` takes; of H.264 `units` passes it, `depayloader` asks for keyframes."""
    text = PICTURE if codec == "H264" else OTHER_PICTURE
    return text.format(depayloader=PICTURES[codec].depayloader, shield=SHIELD)


def sound(codec: str, *, heard: bool, at_once: bool) -> str:
    """From RTP to `sound`, a proxysink if it is `heard`; `speech` decodes. Unless that is so `at_once` it
    waits in `backlog`.
    """
    sink = "proxysink" if heard else "fakesink"
    decoder = SOUNDS[codec].decoder
    return SOUND.format(
        depayloader=SOUNDS[codec].depayloader,
        decoder=OPUS if codec == "OPUS" else RESAMPLED.format(decoder=decoder),
        sink=sink if at_once else f"{BACKLOG} ! {sink}",
    )
