"""What is done to the elements that webrtcbin makes inside itself: our certificate, the peer's check, repeats, feedback."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from agent.media.gst import Gst
from agent.media.webrtc import transport_feedback
from agent.media.webrtc.peer import PeerCheck
from agent.media.webrtc.transport_feedback import Packet

SENT_PACKETS = 1000
"""Kept for retransmission: seconds of picture, where GStreamer's 100 are less than a keyframe."""

ALERT = 21
"""A DTLS record's first byte (RFC 5246, 6.2.1), as close_notify has it; of RTP and RTCP it is 128 or more (RFC 7983)."""

GOOD_BYE_SECONDS = 1.0
"""For GStreamer to send one packet, on a machine that is busy too."""


class Elements:
    """Of one session's webrtcbin, from before it makes any. Everything is called in GStreamer's threads."""

    def __init__(self, webrtc: Any, pem: str, peer: PeerCheck, on_end: Callable[[], None]) -> None:
        """`pem`: our key and certificate. `on_end`: the other end says that it ends the session (DTLS close_notify), which
        webrtcbin passes over.
        """
        self._pem = pem
        self._peer = peer
        self._on_end = on_end
        self.permit_repeat: Callable[[int, int], bool] = lambda ssrc, number: True
        """Whether a packet that is asked for is sent again."""

        self.on_feedback: Callable[[list[Packet]], None] = lambda packets: None
        """Gets what became of our packets."""

        self._encrypting: Any = None
        self._sending: Any = None
        webrtc.connect("deep-element-added", self._on_element)

    def say_good_bye(self) -> None:
        """Tell the other end that it is over (DTLS close_notify), once; who heeds it sends no more from then on. What it has
        sent can still be taken. Returns when the word is out: a pipeline that is closed sooner takes it back. Does not raise
        where it cannot be said.
        """
        dtls, sending = self._encrypting, self._sending
        self.close()
        if dtls is None or sending is None:
            return
        gone = threading.Event()
        pad = dtls.get_static_pad("sink") or dtls.request_pad_simple("sink")
        source = dtls.get_static_pad("src")

        def on_sent(_pad: Any, _info: Any) -> Any:
            gone.set()
            return Gst.PadProbeReturn.REMOVE

        def on_packet(_pad: Any, info: Any) -> Any:
            """Inside the push: the pad that it came from is idle again when the socket has it."""
            if info.get_buffer().extract_dup(0, 1)[0] != ALERT:
                return Gst.PadProbeReturn.OK  # sound, pictures, reports
            source.add_probe(Gst.PadProbeType.IDLE, on_sent)
            return Gst.PadProbeReturn.REMOVE

        sending.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, on_packet)
        pad.send_event(Gst.Event.new_eos())
        gone.wait(GOOD_BYE_SECONDS)

    def close(self) -> None:
        """Let go of what webrtcbin made: an element that is held keeps its sockets, and they our callbacks."""
        self._encrypting = self._sending = None

    def _on_element(self, _bin: Any, _parent: Any, element: Any) -> None:
        factory = element.get_factory()
        name = factory.get_name() if factory else ""
        if name in ("dtlssrtpdec", "dtlsdec"):
            element.set_property("pem", self._pem)
            if name == "dtlsdec":
                self._peer.watch(element)
                element.connect("notify::connection-state", self._on_dtls_state)
        elif name == "dtlsenc":
            self._encrypting = element
        elif name == "nicesink":
            self._sending = element
        elif name == "srtpdec":
            for pad in ("rtp_sink", "rtcp_sink"):
                self._peer.guard(element.get_static_pad(pad))
        elif name == "srtpenc":
            element.connect("pad-added", self._on_encrypted_pad)
            for pad in element.srcpads:
                self._peer.guard(pad)
        elif name == "rtprtxsend":
            element.set_property("max-size-packets", SENT_PACKETS)
            pad = element.get_static_pad("src")
            pad.add_probe(Gst.PadProbeType.EVENT_UPSTREAM, self._on_upstream)

    def _on_dtls_state(self, dtls: Any, _property: Any) -> None:
        if dtls.get_property("connection-state").value_nick == "closed":
            self._on_end()

    def _on_encrypted_pad(self, _srtpenc: Any, pad: Any) -> None:
        if pad.direction == Gst.PadDirection.SRC:
            self._peer.guard(pad)

    def _on_upstream(self, _pad: Any, info: Any) -> Any:
        structure = info.get_event().get_structure()
        name = structure.get_name() if structure else ""
        if name == transport_feedback.EVENT:
            self.on_feedback(transport_feedback.packets(structure))
        elif name == "GstRTPRetransmissionRequest":
            ssrc, number = structure.get_value("ssrc"), structure.get_value("seqnum")
            if not self.permit_repeat(ssrc, number):
                return Gst.PadProbeReturn.DROP
        return Gst.PadProbeReturn.OK
