"""Receiver reports are read as RFC 3550 writes them; noise is not."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from aiortc.rtp import (
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

from agent.media.gst import Gst
from agent.media.webrtc import received_rtcp
from agent.media.webrtc.rtcp import UNIX_TO_NTP_SECONDS, receiver_limit, report_blocks

NOW = 1_700_000_000.5


def block(ssrc: int, fraction: int, round_trip_seconds: float = 0.1) -> RtcpReceiverInfo:
    sent = NOW + UNIX_TO_NTP_SECONDS - round_trip_seconds - 0.25
    return RtcpReceiverInfo(
        ssrc=ssrc,
        fraction_lost=fraction,
        packets_lost=3,
        highest_sequence=77,
        jitter=90,
        lsr=int(sent * 65536) & 0xFFFFFFFF,
        dlsr=65536 // 4,
    )


def test_every_block_of_every_report_is_found() -> None:
    reports = [block(1, 64), block(2, 0)]
    info = RtcpSenderInfo(ntp_timestamp=0, rtp_timestamp=0, packet_count=0, octet_count=0)
    compound = bytes(RtcpSrPacket(ssrc=9, sender_info=info, reports=reports))
    compound += bytes(RtcpRrPacket(ssrc=9, reports=[block(3, 255)]))
    found = list(report_blocks(compound, NOW))
    assert [one.ssrc for one in found] == [1, 2, 3]
    assert found[0].loss == 0.25
    assert found[0].jitter_ticks == 90
    assert found[0].round_trip_seconds == pytest.approx(0.1, abs=0.001)


def test_a_report_before_our_first_has_no_round_trip() -> None:
    early = RtcpReceiverInfo(1, 0, 0, 0, 0, lsr=0, dlsr=0)
    found = list(report_blocks(bytes(RtcpRrPacket(ssrc=9, reports=[early])), NOW))
    assert found[0].round_trip_seconds is None


@pytest.mark.parametrize("cut", range(0, 56, 7))
def test_packets_cut_short_are_no_reports(cut: int) -> None:
    whole = bytes(RtcpRrPacket(ssrc=9, reports=[block(1, 1), block(2, 2)]))
    assert len(list(report_blocks(whole[:cut], NOW))) <= 1


def test_noise_is_no_report() -> None:
    assert list(report_blocks(b"\xff" * 40, NOW)) == []
    assert list(report_blocks(struct.pack("!BBH", 0x81, 206, 1) + bytes(4), NOW)) == []


@pytest.mark.parametrize("bits_per_second", [30_000, 262_143, 5_000_000, 1_000_000_000])
def test_what_a_receiver_can_take_is_read(bits_per_second: int) -> None:
    said = RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=pack_remb_fci(bits_per_second, [7]))
    compound = bytes(RtcpRrPacket(ssrc=1, reports=[])) + bytes(said)
    limit = receiver_limit(compound)
    assert limit == pytest.approx(bits_per_second, rel=0.001)


def test_a_keyframe_request_is_no_limit() -> None:
    assert receiver_limit(bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=7, fci=b""))) is None
    assert receiver_limit(b"") is None


def test_a_receivers_limit_that_is_not_repeated_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = pack_remb_fci(300_000, [2])
    packet = bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=limit))
    now = [100.0]
    monkeypatch.setattr(received_rtcp.time, "monotonic", lambda: now[0])
    heard = received_rtcp.ReceivedRtcp()
    buffer = Gst.Buffer.new_wrapped(packet)
    heard._take(None, SimpleNamespace(get_buffer=lambda: buffer))
    assert heard.receiver_limit == pytest.approx(300_000, rel=0.01)
    now[0] += 9
    assert heard.receiver_limit
    now[0] += 2
    assert heard.receiver_limit is None
