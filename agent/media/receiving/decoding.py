"""What a source may send us, and the GStreamer text of what decodes it.

Pure but for the look at which decoders there are.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.media.gst import available
from agent.media.sound.mixer import RAW
from agent.media.webrtc.transport_feedback import OFFERED as OFFERED_FEEDBACK


class Codec(NamedTuple):
    """What a source may send, and the elements that decode it, best first: hardware ones register only
    where there is a device.
    """

    caps: str
    depayloader: str
    decoders: tuple[str, ...]


PICTURES = {
    "H264": Codec(
        "payload=96,packetization-mode=(string)1,profile-level-id=(string)42e01f",
        "rtph264depay",
        ("v4l2h264dec", "v4l2slh264dec", "avdec_h264", "openh264dec"),
    ),
    "VP8": Codec("payload=100", "rtpvp8depay", ("v4l2vp8dec", "v4l2slvp8dec", "vp8dec")),
    "VP9": Codec("payload=102", "rtpvp9depay", ("v4l2vp9dec", "v4l2slvp9dec", "vp9dec")),
    "H265": Codec("payload=104", "rtph265depay", ("v4l2h265dec", "v4l2slh265dec", "avdec_h265")),
}
"""In the order in which they are wanted. VP8 is offered to MediaMTX too for a source without a picture, of
which it says so (`a=inactive`) only to who knows VP8. In software 720p30 of VP8 costs about what H.264
does, of VP9 and H.265 up to twice that."""

SOUNDS = {
    "OPUS": Codec(
        "payload=111,clock-rate=48000,encoding-params=(string)2", "rtpopusdepay", ("opusdec",)
    ),
    "PCMU": Codec("payload=0,clock-rate=8000", "rtppcmudepay", ("mulawdec",)),
    "PCMA": Codec("payload=8,clock-rate=8000", "rtppcmadepay", ("alawdec",)),
}
"""PCMU is also what MediaMTX fills a source without a sound with."""


def offered() -> dict[str, str]:
    """By medium, the caps of all that this machine decodes. With feedback on each packet, a server that
    adapts what it sends learns what our link carries.
    """
    return {
        "video": ";".join(
            _caps("video", name, one) for name, one in PICTURES.items() if _usable(one)
        ),
        "audio": ";".join(
            _caps("audio", name, one) for name, one in SOUNDS.items() if _usable(one)
        ),
    }


def plays(codec: str) -> bool:
    """Whether this machine has what decodes it."""
    known = (PICTURES | SOUNDS).get(codec)
    return known is not None and _usable(known)


def _caps(medium: str, name: str, codec: Codec) -> str:
    clock = "clock-rate=90000," if medium == "video" else ""
    kind = f"application/x-rtp,media={medium},encoding-name={name},{clock}{codec.caps}"
    return f"{kind},{OFFERED_FEEDBACK}"


def _usable(codec: Codec) -> bool:
    return bool(available(codec.depayloader) and available(*codec.decoders))


PICTURE = """
 rtph264depay name=depayloader request-keyframe=true wait-for-keyframe=true ! h264parse config-interval=-1
 ! capsfilter name=units caps=video/x-h264,stream-format=byte-stream,alignment=au ! {shield}"""

OTHER_PICTURE = """
 {depayloader} name=depayloader ! {shield}"""
"""It is not recorded: a recording has H.264 as it came."""

SHIELD = "errorignore name=shield ignore-error=true ignore-notnegotiated=true convert-to=ok"
"""What a decoder fails with stays with it: upstream is the session, and the sound."""

DECODER = """
 queue name=waiting leaky=upstream max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! {decoder} name=decoder ! capsfilter name=raw caps=video/x-raw ! {sink} name=picture sync=true async=false"""
"""In system memory, which all that come after can read: given the choice, v4l2h264dec takes DMABuf (since
1.26 as DMA_DRM), which a mixer and a text overlay cannot. Without QoS events, which go up through all of
webrtcbin at each picture: a decoder can leave out only pictures that no other needs, and a call has none
such. The queue is leaky, so that a decoder that hangs holds nothing up before it; the sink waits for no first picture
to be in the state that the pipeline has."""

SOUND = f"""
 {{depayloader}} ! {{decoder}} ! {RAW} ! {{sink}} name=sound"""

OPUS = "opusdec name=speech use-inband-fec=true plc=true"
"""The decoder itself makes one channel of two."""

RESAMPLED = "{decoder} ! audioconvert ! audioresample name=speech"
BACKLOG = "queue name=backlog max-size-buffers=0 max-size-bytes=0 max-size-time=700000000 leaky=downstream"
"""What a reception decodes before it plays: where the one before has still waited for a lost packet, the
sound is taken from there."""


def decoders(codec: str) -> list[str]:
    """The elements that decode this picture on this machine, best first."""
    return [name for name in PICTURES[codec].decoders if available(name)]


def in_hardware(decoder: str) -> bool:
    """Whether this element leaves the work to the board."""
    return decoder.startswith("v4l2")


def picture(codec: str) -> str:
    """From RTP to what `decoder` takes; of H.264 `units` passes it, `depayloader` asks for keyframes."""
    text = PICTURE if codec == "H264" else OTHER_PICTURE
    return text.format(depayloader=PICTURES[codec].depayloader, shield=SHIELD)


def decoder(name: str, *, seen: bool) -> str:
    """From there to `picture`, an appsink if it is `seen`, by this element named `decoder`."""
    threads = (
        " max-threads=2 thread-type=slice output-corrupt=false" if name == "avdec_h264" else ""
    )
    sink = "appsink max-buffers=4 drop=true" if seen else "fakesink"
    return DECODER.format(decoder=f"{name}{threads}", sink=sink)


def sound(codec: str, *, heard: bool, at_once: bool) -> str:
    """From RTP to `sound`, a proxysink if it is `heard`; `speech` decodes. Unless that is so `at_once` it
    waits in `backlog`.
    """
    sink = "proxysink" if heard else "fakesink"
    decoder = SOUNDS[codec].decoders[0]
    return SOUND.format(
        depayloader=SOUNDS[codec].depayloader,
        decoder=OPUS if codec == "OPUS" else RESAMPLED.format(decoder=decoder),
        sink=sink if at_once else f"{BACKLOG} ! {sink}",
    )
