"""Bare GStreamer doing a media process's work: what its CPU is compared with.

`python -m tests.bench.bare publish|play URL`: the same camera, codecs, sizes and bitrates through webrtcbin,
without other devices, screen, adaptation or reports. Says `flowing` when it is.
"""

from __future__ import annotations

import argparse

from agent.core.model.commands import Source
from agent.core.model.hosts import AllowedHosts
from agent.devices import registry
from agent.media.gst import Gst, GstWebRTC
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.receiving.decoding import offered
from agent.media.webrtc.session import Events, MediaSession
from agent.settings import Camera, Simulation
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.session_network import make_network

PUBLISH = """
 webrtcbin name=webrtc bundle-policy=max-bundle
 appsrc name=picture is-live=true format=time do-timestamp=true
  caps=video/x-h264,stream-format=byte-stream,alignment=au
 ! h264parse config-interval=-1
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
    camera = registry.camera(Camera(driver="simulated"), Simulation())
    push = pipeline["picture"].push_buffer
    camera.start(lambda unit: push(Gst.Buffer.new_wrapped(unit.data)), lambda status: None)


def play(pipeline: Pipeline) -> None:
    webrtc = pipeline["webrtc"]
    for caps in offered().values():
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
    MediaSession(
        loop, pipeline, endpoint, make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS))), events
    ).start()
    loop.run()


if __name__ == "__main__":
    main()
