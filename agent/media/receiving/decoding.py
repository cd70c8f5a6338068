"""What a source may send us, and the GStreamer text of what decodes it.

Pure but for the look at which decoders there are.
"""

from __future__ import annotations

from agent.media.gst import available
from agent.media.sound.mixer import RAW
from agent.media.webrtc.transport_feedback import OFFERED as OFFERED_FEEDBACK

OFFERED = {
    "video": (
        "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
        f"packetization-mode=(string)1,profile-level-id=(string)42e01f,{OFFERED_FEEDBACK}"
    ),
    "audio": (
        "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
        f"encoding-params=(string)2,{OFFERED_FEEDBACK}"
    ),
}
"""With feedback on each packet, a server that adapts what it sends learns what our link carries."""

DECODERS = ("v4l2h264dec", "v4l2slh264dec", "avdec_h264", "openh264dec")
"""Best first; the hardware ones register only where there is a device."""

PICTURE = """
 queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000
 ! rtph264depay name=depayloader request-keyframe=true wait-for-keyframe=true ! h264parse config-interval=-1
 ! capsfilter name=units caps=video/x-h264,stream-format=byte-stream,alignment=au
 ! {decoder} ! {sink} name=picture sync=true"""
"""Without QoS events, which go up through all of webrtcbin at each picture: a decoder can leave out only
pictures that no other needs, and a call has none such."""

SOUND = f"""
 rtpopusdepay ! opusdec name=speech use-inband-fec=true plc=true ! {RAW} ! {{sink}} name=sound"""
"""The decoder itself makes one channel of two."""

BACKLOG = "queue name=backlog max-size-buffers=0 max-size-bytes=0 max-size-time=700000000 leaky=downstream"
"""What a reception decodes before it plays: where the one before has still waited for a lost packet, the
sound is taken from there."""


def best_decoder() -> str | None:
    """The element that decodes H.264 best on this machine; None if there is none."""
    return available(*DECODERS)


def picture(decoder: str | None, *, seen: bool) -> str:
    """From RTP to `picture`, an appsink if it is `seen`; `units` passes H.264, `depayloader` asks for
    keyframes.
    """
    threads = (
        " max-threads=2 thread-type=slice output-corrupt=false" if decoder == "avdec_h264" else ""
    )
    sink = "appsink max-buffers=4 drop=true" if seen else "fakesink"
    return PICTURE.format(decoder=f"{decoder}{threads}", sink=sink)


def sound(*, heard: bool, at_once: bool) -> str:
    """From RTP to `sound`, a proxysink if it is `heard`; `speech` decodes. Unless that is so `at_once` it
    waits in `backlog`.
    """
    sink = "proxysink" if heard else "fakesink"
    return SOUND.format(sink=sink if at_once else f"{BACKLOG} ! {sink}")
