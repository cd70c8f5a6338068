"""Other ends of a meeting that are not ours: a publisher and a receiver on aiortc.

Each runs on an event loop in a thread of its own, so that a test reads as a list of steps. Both are
context managers; what they got (pictures, sound, keyframe requests) is there to be looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import threading
import time
from collections import deque
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from tests.support.closing import Closing
from tests.support.loopback import stay_on_loopback
from tests.support.pictures import Picture, coloured, write_number
from tests.support.sounds import RATE_HZ, Sound, tone
from tests.support.tasks import keep_tasks
from tests.support.waiting import wait_for

FRAMES_PER_SECOND = 15
OPUS_SAMPLES = 960
KEPT_PERIODS = 3000


class Paced(MediaStreamTrack):
    """A track whose frames come in real time."""

    def __init__(self, per_second: int) -> None:
        super().__init__()
        self.number = -1
        self._per_second = per_second
        self._started: float | None = None

    async def pace(self) -> None:
        now = time.monotonic()
        self._started = self._started or now
        self.number += 1
        await asyncio.sleep(max(0.0, self._started + self.number / self._per_second - now))


class ColouredPicture(Paced):
    """One colour with the frame's number in the top row."""

    kind = "video"

    def __init__(self, colour: tuple[int, int, int], framerate: int, size: tuple[int, int]) -> None:
        super().__init__(framerate)
        self._colour = colour
        self._size = size
        self._ticks = 90_000 // framerate

    async def recv(self) -> av.VideoFrame:
        await self.pace()
        picture = coloured(self._colour, *self._size)
        write_number(picture, self.number & 0xFFFF)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = self.number * self._ticks
        frame.time_base = fractions.Fraction(1, 90_000)
        return frame


class Tone(Paced):
    """An endless sine."""

    kind = "audio"

    def __init__(self, frequency_hz: float) -> None:
        super().__init__(RATE_HZ // OPUS_SAMPLES)
        self._frequency_hz = frequency_hz

    async def recv(self) -> av.AudioFrame:
        await self.pace()
        samples = tone(self._frequency_hz, self.number * OPUS_SAMPLES, OPUS_SAMPLES)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self.number * OPUS_SAMPLES
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        return frame


class Peer(Closing):
    """A WHIP or WHEP session on an event loop of its own thread."""

    def __init__(self, url: str, token: str | None = None) -> None:
        stay_on_loopback()
        self._url = url
        self._headers = {"Content-Type": "application/sdp"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._resource: str | None = None
        self._loop = asyncio.new_event_loop()
        keep_tasks(self._loop)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: list[asyncio.Task[None]] = []
        self._pc: RTCPeerConnection | None = None

    def __enter__(self) -> Any:
        self._thread.start()
        try:
            self._run(self._open())
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        if self._thread.is_alive():
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(60)

    @property
    def state(self) -> str:
        return self._pc.connectionState if self._pc else "new"

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def prepare(self, pc: RTCPeerConnection) -> None:
        """Add the transceivers."""
        raise NotImplementedError

    async def _open(self) -> None:
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.prepare(pc)
        await pc.setLocalDescription(await pc.createOffer())
        async with aiohttp.ClientSession() as http:
            answer = await http.post(self._url, data=pc.localDescription.sdp, headers=self._headers)
            text = await answer.text()
            if answer.status not in (200, 201):
                raise ConnectionError(f"{self._url} answered {answer.status}: {text}")
            self._resource = urljoin(self._url, answer.headers["Location"])
        await pc.setRemoteDescription(RTCSessionDescription(text, "answer"))

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._resource:
            async with aiohttp.ClientSession() as http:
                # the server may be gone: that is some tests' point
                with contextlib.suppress(aiohttp.ClientError):
                    await http.delete(self._resource, headers=self._headers)
        if self._pc:
            await self._pc.close()


def prefer(transceiver: RTCRtpTransceiver, codec: str = "H264") -> None:
    """Nothing but this, and its retransmissions."""
    codecs = RTCRtpSender.getCapabilities(transceiver.kind).codecs
    transceiver.setCodecPreferences([c for c in codecs if c.name in (codec, "rtx")])


class Publisher(Peer):
    """Publishes one colour and one tone by WHIP."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        colour: tuple[int, int, int] = (200, 40, 40),
        tone_hz: float = 660,
        framerate: int = FRAMES_PER_SECOND,
        size: tuple[int, int] = (640, 360),
        codecs: tuple[str, str] = ("H264", "opus"),
    ) -> None:
        """`codecs`: of picture and sound."""
        super().__init__(url, token)
        self._picture = ColouredPicture(colour, framerate, size)
        self._tone_hz = tone_hz
        self._codecs = codecs

    def prepare(self, pc: RTCPeerConnection) -> None:
        picture = self._picture
        tone = Tone(self._tone_hz)
        for track, codec in zip((picture, tone), self._codecs, strict=True):
            prefer(pc.addTransceiver(track, direction="sendonly"), codec)


class Receiver(Peer):
    """Plays a WHEP source: keeps the newest picture and the last half minute of sound."""

    def __init__(self, url: str, token: str | None = None) -> None:
        super().__init__(url, token)
        self.pictures_received = 0
        self.picture: Picture | None = None
        self._periods: deque[Sound] = deque(maxlen=KEPT_PERIODS)

    def prepare(self, pc: RTCPeerConnection) -> None:
        prefer(pc.addTransceiver("video", direction="recvonly"))
        pc.addTransceiver("audio", direction="recvonly")

        @pc.on("track")
        def _(track: MediaStreamTrack) -> None:
            take = self._watch if track.kind == "video" else self._listen
            self._tasks.append(asyncio.ensure_future(take(track)))

    async def _watch(self, track: MediaStreamTrack) -> None:
        while (frame := await self._next(track)) is not None:
            self.picture = frame.to_ndarray(format="rgb24")
            self.pictures_received += 1

    async def _listen(self, track: MediaStreamTrack) -> None:
        while (frame := await self._next(track)) is not None:
            self._periods.append(frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)])

    @staticmethod
    async def _next(track: MediaStreamTrack) -> Any:
        try:
            return await track.recv()
        except MediaStreamError:
            return None

    async def _request_keyframe(self) -> None:
        assert self._pc is not None
        for transceiver in self._pc.getTransceivers():
            receiver = transceiver.receiver
            if transceiver.kind == "video":
                for ssrc in list(receiver._RTCRtpReceiver__remote_streams):
                    await receiver._send_rtcp_pli(ssrc)

    def request_keyframe(self) -> None:
        """Send a PLI (RFC 4585, 6.3.1) for the picture."""
        self._run(self._request_keyframe())

    def wait_for_picture(self, seconds: float = 10) -> Picture:
        """The first picture that comes from now on."""
        seen = self.pictures_received
        wait_for(lambda: self.pictures_received > seen, seconds, "a picture")
        assert self.picture is not None
        return self.picture

    @property
    def heard(self) -> list[Sound]:
        """Period by period, since the last `forget` (a minute of it at the most)."""
        return list(self._periods)

    def forget(self) -> None:
        """What was heard so far."""
        self._periods.clear()

    def hear(self, seconds: float, deadline_seconds: float = 15) -> Sound:
        """So much sound, from now on."""
        self.forget()
        wanted = int(seconds * RATE_HZ)
        wait_for(
            lambda: sum(map(len, tuple(self._periods))) >= wanted,
            seconds + deadline_seconds,
            f"{seconds} s of sound",
        )
        return np.concatenate(tuple(self._periods))[:wanted]
