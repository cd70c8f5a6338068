"""A WHIP server whose media can be reached by TCP alone, as where a firewall lets no UDP through."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent.media.gst import Gst, GstSdp, GstWebRTC, shared
from tests.support.closing import Closing
from tests.support.loopback import ADDRESS


class TcpPeer(Closing):
    """A context manager; `arrived` is set when media has come, `answer` is what the server said."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.answer = ""
        self._pipelines: list[Any] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
                body = peer.take(offer).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/sdp")
                self.send_header("Location", "/session/1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_DELETE(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer((ADDRESS, 0), Handler)
        self.url = f"http://{ADDRESS}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, offer: str) -> str:
        """The answer, once all candidates are there: TCP ones, to which the room connects."""
        pipeline = Gst.parse_launch("webrtcbin name=webrtc bundle-policy=max-bundle fakesink")
        self._pipelines.append(pipeline)
        webrtc = pipeline.get_by_name("webrtc")
        ice = shared(webrtc.get_property("ice-agent"))
        ice.set_property("ice-tcp", True)
        ice.set_property("ice-udp", False)
        ice.emit("add-local-ip-address", ADDRESS)
        webrtc.connect("pad-added", self._on_pad)
        pipeline.set_state(Gst.State.PLAYING)
        gathered = threading.Event()
        webrtc.connect(
            "notify::ice-gathering-state", lambda *_: self._on_gathering(webrtc, gathered)
        )
        self._describe(webrtc, "set-remote-description", "OFFER", offer)
        promise = Gst.Promise.new()
        webrtc.emit("create-answer", None, promise)
        promise.wait()
        reply = promise.get_reply()  # the description points into it
        answer = reply.get_value("answer")
        webrtc.emit("set-local-description", answer, Gst.Promise.new())
        assert gathered.wait(60)
        text = webrtc.get_property("local-description").sdp.as_text()
        self.answer = re.sub(r"a=candidate:[^\n]* UDP [^\n]*\n", "", text)
        return self.answer

    def _describe(self, webrtc: Any, signal: str, kind: str, text: str) -> None:
        _, message = GstSdp.SDPMessage.new_from_text(text)
        kinds = GstWebRTC.WebRTCSDPType
        description = GstWebRTC.WebRTCSessionDescription.new(getattr(kinds, kind), message)
        promise = Gst.Promise.new()
        webrtc.emit(signal, description, promise)
        promise.wait()

    def _on_gathering(self, webrtc: Any, gathered: threading.Event) -> None:
        if webrtc.get_property("ice-gathering-state").value_nick == "complete":
            gathered.set()

    def _on_pad(self, _webrtc: Any, pad: Any) -> None:
        if pad.direction == Gst.PadDirection.SRC:
            pad.add_probe(Gst.PadProbeType.BUFFER, self._on_buffer)

    def _on_buffer(self, _pad: Any, _info: Any) -> Any:
        self.arrived.set()
        return Gst.PadProbeReturn.DROP

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for pipeline in self._pipelines:
            pipeline.set_state(Gst.State.NULL)
