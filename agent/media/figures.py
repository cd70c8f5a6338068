"""The `Measured` report: what health says about the meeting's media, every two seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import structs

from agent.core.model.device_detail import SoundDetail
from agent.core.model.figures import (
    DownlinkFigures,
    MediaFigures,
    Medium,
    StreamFigures,
    UplinkFigures,
)
from agent.core.model.media import Measured
from agent.media.loop import Loop
from agent.media.meeting import Meeting
from agent.media.picture.own_picture import OwnPicture
from agent.media.picture.strain import Eased
from agent.media.receiving.downlink import Downlink
from agent.media.sending.uplink import Uplink
from agent.media.webrtc import statistics
from agent.media.webrtc.session import MediaSession
from agent.media.webrtc.statistics import Rates, Stream

MEASURE_SECONDS = 2.0

EASED: dict[Eased, Literal["size", "framerate", "noise"] | None] = {
    Eased.NOTHING: None,
    Eased.SIZE: "size",
    Eased.FRAMERATE: "framerate",
    Eased.NOISE: "noise",
}


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

    def _all(self) -> MediaFigures:
        meeting = self._meeting
        microphone, speaker, screen = meeting.microphone, meeting.speaker, meeting.screen
        heard = microphone.detail if microphone else SoundDetail()
        played = speaker.detail if speaker else SoundDetail()
        echo = microphone.echo if microphone else None
        delay = echo.echo_delay_seconds if echo else None
        return MediaFigures(
            uplink=self._sent(meeting.uplink, meeting.camera) if meeting.uplink else None,
            downlinks=[self._received(downlink) for downlink in meeting.sources],
            microphone_level_dbfs=heard.level_dbfs,
            microphone_xruns=heard.xruns,
            microphone_silences=heard.silences,
            speaker_level_dbfs=speaker.level_dbfs if speaker else None,
            speaker_volume_percent=speaker.volume if speaker else None,
            speaker_xruns=played.xruns,
            speaker_dropped=played.dropped,
            echo_canceller=echo.name if echo else None,
            echo_delay_milliseconds=None if delay is None else round(delay * 1000),
            screen_pictures=screen.rendered,
            screen_sink_milliseconds=screen.sink_milliseconds,
            screen_overloaded=screen.overloaded,
            screen_eased=EASED[screen.eased],
        )

    def _sent(self, uplink: Uplink, camera: OwnPicture) -> UplinkFigures:
        session, form = uplink.connection.session, camera.format
        streams = statistics.sent(session.rtp_statistics(), session.rtcp.reports) if session else []
        round_trips = [s.round_trip_seconds for s in streams if s.round_trip_seconds is not None]
        measured = self._stream_figures("uplink", streams) if session else StreamFigures()
        own = UplinkFigures(
            attempts=uplink.connection.attempts,
            picture_given_up=uplink.picture_given_up,
            picture_target_bits_per_second=uplink.picture_target_bits_per_second,
            round_trip_milliseconds=_in_milliseconds(min(round_trips, default=None)),
            path=session.path() if session else None,
            refused=_refused(session),
            encoder=form.encoder if form else None,
            encoder_in_hardware=form.hardware if form else None,
        )
        return own.with_known(measured)

    def _received(self, downlink: Downlink) -> DownlinkFigures:
        url, session = downlink.source.url, downlink.connection.session
        before = self._pictures.get(url, 0)
        self._pictures[url] = downlink.pictures
        shown = max(0, downlink.pictures - before)
        measured = (
            self._stream_figures(url, statistics.received(session.rtp_statistics()))
            if session
            else StreamFigures()
        )
        own = structs.replace(
            downlink.figures(),
            frames_per_second=round(shown / MEASURE_SECONDS, 1),
            path=session.path() if session else None,
            refused=_refused(session),
            round_trip_milliseconds=_in_milliseconds(session.round_trip_seconds)
            if session
            else None,
        )
        return own.with_known(measured)

    def _stream_figures(self, key: str, streams: list[Stream]) -> StreamFigures:
        rates = self._rates.setdefault(key, Rates()).since(streams)
        leading = {stream.kind: stream for stream in statistics.leading(streams)}
        picture, sound = leading.get("picture"), leading.get("sound")
        return StreamFigures(
            picture_bits_per_second=rates.get("picture"),
            sound_bits_per_second=rates.get("sound"),
            picture_loss_percent=round(picture.loss * 100, 1) if picture else None,
            sound_loss_percent=round(sound.loss * 100, 1) if sound else None,
            picture_jitter_milliseconds=_milliseconds(picture),
            sound_jitter_milliseconds=_milliseconds(sound),
        )


def _refused(session: MediaSession | None) -> list[Medium] | None:
    return list(session.agreement.refused) or None if session else None


def _in_milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _milliseconds(stream: Stream | None) -> float | None:
    return _in_milliseconds(stream.jitter_seconds) if stream else None
