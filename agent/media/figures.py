"""The `Measured` report: what health says about the meeting's media, every two seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.core.model.media import Measured
from agent.core.model.urls import shown
from agent.media.loop import Loop
from agent.media.meeting import Meeting
from agent.media.receiving.downlink import Downlink
from agent.media.sending.uplink import Uplink
from agent.media.sound.echo.control import EchoControl
from agent.media.webrtc import statistics
from agent.media.webrtc.statistics import Rates, Stream

MEASURE_SECONDS = 2.0


class Figures:
    """Looks at each session's statistics now and then."""

    def __init__(self, loop: Loop, meeting: Meeting, send: Callable[[Measured], None]) -> None:
        self._meeting = meeting
        self._send = send
        self._rates: dict[str, Rates] = {}
        self._pictures: dict[str, int] = {}
        loop.every(MEASURE_SECONDS, self._measure)

    def _measure(self) -> None:
        self._send(Measured(self._all()))

    def _sent(self, uplink: Uplink) -> dict[str, Any]:
        session = uplink.connection.session
        if session is None:
            return {}
        streams = statistics.sent(session.rtp_statistics(), session.rtcp.reports)
        round_trips = [s.round_trip_seconds for s in streams if s.round_trip_seconds is not None]
        figures = self._of("uplink", streams)
        if round_trips:
            figures["round_trip_milliseconds"] = round(min(round_trips) * 1000, 1)
        return figures

    def _received(self, downlink: Downlink) -> dict[str, Any]:
        session = downlink.connection.session
        if session is None:
            return {}
        return self._of(downlink.source.url, statistics.received(session.rtp_statistics()))

    def _of(self, key: str, streams: list[Stream]) -> dict[str, Any]:
        rates = self._rates.setdefault(key, Rates()).since(streams)
        figures: dict[str, Any] = {f"{kind}_bits_per_second": r for kind, r in rates.items()}
        for stream in statistics.leading(streams):
            figures[f"{stream.kind}_loss_percent"] = round(stream.loss * 100, 1)
            figures[f"{stream.kind}_jitter_milliseconds"] = round(stream.jitter_seconds * 1000, 1)
        return figures

    def _all(self) -> dict[str, Any]:
        meeting = self._meeting
        figures: dict[str, Any] = {"downlinks": [self._one(d) for d in meeting.sources]}
        if meeting.uplink:
            sent = self._sent(meeting.uplink)
            figures["uplink"] = sent | meeting.uplink.figures() | meeting.camera.figures()
        if meeting.microphone:
            figures["microphone_level_dbfs"] = meeting.microphone.level_dbfs
            figures |= _echo(meeting.microphone.echo)
        if meeting.speaker:
            figures["speaker_level_dbfs"] = meeting.speaker.level_dbfs
        figures |= meeting.screen_figures()
        return figures

    def _one(self, downlink: Downlink) -> dict[str, Any]:
        url = downlink.source.url
        before = self._pictures.get(url, 0)
        self._pictures[url] = downlink.pictures
        return {
            "url": shown(url),
            "label": downlink.source.label,
            "frames_per_second": round(max(0, downlink.pictures - before) / MEASURE_SECONDS, 1),
            **downlink.figures(),
            **self._received(downlink),
        }


def _echo(control: EchoControl | None) -> dict[str, Any]:
    delay = control.echo_delay_seconds if control else None
    return {
        "echo_canceller": control.name if control else None,
        "echo_delay_milliseconds": None if delay is None else round(delay * 1000),
    }
