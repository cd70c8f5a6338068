"""Bare GStreamer doing a media child's work: what the child's CPU is compared with.

`python -m tests.bench.bare publish|play URL`: the same codecs, sizes and bitrates through webrtcbin,
without devices, screen, adaptation or reports. Says `flowing` when it is.
"""

from __future__ import annotations

import argparse

from agent.core.commands import Source
from agent.media.downlink import OFFERED
from agent.media.gst import Gst, GstWebRTC
from agent.media.loop import Loop
from agent.media.network import make_network
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.session import Events, Session
from tests.support.loopback import ADDRESS

PUBLISH = """
 webrtcbin name=webrtc bundle-policy=max-bundle
 videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1
 ! x264enc speed-preset=ultrafast tune=zerolatency bitrate=1500 key-int-max=300
 ! video/x-h264,profile=constrained-baseline ! h264parse config-interval=-1
 ! rtph264pay pt=96 ssrc=1 config-interval=-1 aggregate-mode=zero-latency mtu=1200
 ! application/x-rtp,media=video,encoding-name=H264,payload=96,ssrc=(uint)1,clock-rate=90000,
  packetization-mode=(string)1 ! webrtc.
 audiotestsrc is-live=true samplesperbuffer=480 ! audio/x-raw,rate=48000,channels=1
 ! opusenc bitrate=32000 audio-type=voice inband-fec=true packet-loss-percentage=5
 ! rtpopuspay pt=111 ssrc=2
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,ssrc=(uint)2,clock-rate=48000,
  encoding-params=(string)2 ! webrtc."""

RAW = "audio/x-raw,format=S16LE,rate=48000,channels=1"
PLAY = f"""
 webrtcbin name=webrtc bundle-policy=max-bundle latency=40
 audiomixer name=mixer force-live=true output-buffer-duration=20000000
 ! {RAW} ! level interval=500000000 ! fakesink sync=true"""
DECODE = {
    "video": "queue ! rtph264depay ! h264parse ! avdec_h264 max-threads=2 ! fakesink sync=true",
    "audio": "queue ! rtpopusdepay ! opusdec use-inband-fec=true ! audioconvert ! audioresample "
    f"! capsfilter caps={RAW}",
}
"""Several sources are mixed, and health tells the level: that is the same work."""


def publish(pipeline: Pipeline) -> None:
    for index in range(2):
        transceiver = pipeline["webrtc"].emit("get-transceiver", index)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        transceiver.set_property("do-nack", True)


def play(pipeline: Pipeline) -> None:
    webrtc = pipeline["webrtc"]
    for caps in OFFERED.values():
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        transceiver = webrtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
        transceiver.set_property("do-nack", True)

    def decode(_webrtc: Gst.Element, pad: Gst.Pad) -> None:
        if pad.direction == Gst.PadDirection.SRC:
            media = pad.get_current_caps().get_structure(0).get_string("media")
            branch = Gst.parse_bin_from_description(DECODE[media], True)
            pipeline.bin.add(branch)
            branch.sync_state_with_parent()
            pad.link(branch.get_static_pad("sink"))
            if media == "audio":
                branch.link_pads("src", pipeline["mixer"], "sink_%u")

    webrtc.connect("pad-added", decode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["publish", "play"])
    parser.add_argument("url")
    arguments = parser.parse_args()
    loop = Loop()
    description = PUBLISH if arguments.work == "publish" else PLAY
    pipeline = Pipeline(SharedClock(), description, print)
    {"publish": publish, "play": play}[arguments.work](pipeline)
    events = Events(lambda: print("flowing", flush=True), lambda error: print(error, flush=True))
    endpoint = Source(arguments.url)
    Session(loop, pipeline, endpoint, make_network(ADDRESS), events).start()
    loop.run()


if __name__ == "__main__":
    main()
