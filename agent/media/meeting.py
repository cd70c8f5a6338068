"""The meeting as the media process has it: devices, uplink, sources, screen, wired together.

Instructions of the daemon arrive at `apply`; everything runs in the loop's thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from agent import settings
from agent.core.model.commands import Endpoint, PictureSize
from agent.core.model.figures import LinkState, Medium
from agent.core.model.media import (
    Applied,
    DeviceReported,
    Instruction,
    MediaReport,
    MeetingPlan,
    SetAnnouncement,
    SetCamera,
    SetFloor,
    SetMicrophone,
    SetPicture,
    SetPublish,
    SetRecording,
    SetSources,
    SetVolume,
    SnapshotTaken,
    TakeSnapshot,
    UplinkReported,
)
from agent.errors import MediaError
from agent.media.context import Context
from agent.media.picture.announcing import Announcing
from agent.media.picture.notice import UPLINK, Notice
from agent.media.picture.own_picture import OwnPicture
from agent.media.picture.screen import Screen
from agent.media.picture.self_view import SelfView
from agent.media.picture.snapshot import SentPicture, write_keyframe, write_scene
from agent.media.picture.strain import Eased
from agent.media.receiving.sources import Sources
from agent.media.recording.folder import RecordingFolder
from agent.media.recording.part import OWN
from agent.media.recording.recorder import Recorder
from agent.media.recording.recording import Recording
from agent.media.reporting import DeviceReporter
from agent.media.sending.adaptation import PictureEncoder
from agent.media.sending.uplink import Uplink
from agent.media.sound.chime import SoftTone
from agent.media.sound.echo.control import EchoControl
from agent.media.sound.echo.reference import Reference
from agent.media.sound.microphone import MicrophoneFeed
from agent.media.sound.speaker import SpeakerFeed
from agent.media.webrtc.link import Report
from agent.ports import AccessUnit, Camera, Microphone, Speaker


class Makers(NamedTuple):
    """How to make the room's devices, each not yet opened; None where the room has none."""

    camera: Callable[[], Camera] | None
    microphone: Callable[[], Microphone] | None
    speaker: Callable[[], Speaker] | None


class Meeting:
    """From `start()` to `close()`."""

    def __init__(
        self,
        context: Context,
        plan: MeetingPlan,
        makers: Makers,
    ) -> None:
        self._context = context
        self._loop = context.loop
        self._clock = context.clock
        self._devices = context.devices
        self._send = self._tell
        self._plan = plan
        self._makers = makers
        self._sent = SentPicture()
        self._recordings_ending: list[threading.Thread] = []
        self._recorder = self._make_recorder()
        self._camera_wanted = self._plan.camera_live
        self._picture = plan.picture
        self.camera = OwnPicture(
            self._loop, self._devices.camera, makers.camera, self._on_unit, self._send
        )
        self._next_uplink: Uplink | None = None
        """To where a `SetPublish` wants it, until it flows."""
        self._retired: list[threading.Thread] = []
        self.uplink = self._make_uplink(plan.publish, self._report_uplink)
        self._reference = self._make_reference()
        self.speaker = self._make_speaker()
        self.microphone = self._make_microphone()
        self._screen = self._make_screen()
        self._self_view = SelfView(context, self._screen, self.camera.request_keyframe)
        self._notice = Notice(plan.title or plan.meeting, self._screen.say)
        tone = self.speaker.tone if self.speaker else SoftTone()
        self._announcing = Announcing(self._screen, self._send, tone.ring)
        self.sources = Sources(context, self._screen, self.speaker, self._recorder, self._notice)

    # --- making the parts

    def _make_recorder(self) -> Recorder:
        settings = self._context.media.recording
        folder = RecordingFolder(settings, clock_is_set=self._plan.clock_is_set)
        new_recording = partial(
            Recording,
            self._clock,
            folder,
            (self._plan.room, self._plan.meeting),
            self._report_recording,
            request_keyframes=lambda: self._loop.post(self._request_keyframes),
            expected=self._pictures,
        )
        return Recorder(self._clock, folder, self._report_recording, new_recording)

    @property
    def screen(self) -> Screen:
        return self._screen

    def _make_screen(self) -> Screen:
        reporter = DeviceReporter("display", False, self._send)
        screen = Screen(self._loop, self._clock, self._devices.display.output, reporter)
        screen.sound_gaps, screen.late_seconds = self._sound_gaps, self._late_seconds
        screen.on_eased = self._spare
        return screen

    def _sound_gaps(self) -> int:
        feeds = (self.microphone, self.speaker)
        return sum(feed.detail.xruns or 0 for feed in feeds if feed)

    def _late_seconds(self) -> float:
        return max((source.decoder_behind_seconds for source in self.sources), default=0.0)

    def _spare(self, eased: Eased) -> None:
        """What the screen could not save alone."""
        if self.microphone and self.microphone.echo:
            self.microphone.echo.suppress_noise = eased < Eased.NOISE

    def _make_uplink(self, endpoint: Endpoint | None, report: Report) -> Uplink | None:
        makers = self._makers
        if endpoint is None or not (makers.camera or makers.microphone):
            return None
        encoder = None
        if makers.camera and self._devices.camera:
            own = self.camera
            encoder = PictureEncoder(self._devices.camera, own.set_bitrate, own.request_keyframe)
        uplink = Uplink(
            self._context,
            endpoint,
            report,
            encoder=encoder,
            sound=makers.microphone is not None,
        )
        uplink.set_picture(self._picture)
        return uplink

    def _make_reference(self) -> Reference | None:
        """Only for a microphone whose sound is processed here."""
        wanted = self._devices.microphone
        if self.uplink is None or wanted is None:
            return None
        processed = wanted.driver == "alsa" if wanted.processing is None else wanted.processing
        return Reference() if processed else None

    def _make_microphone(self) -> MicrophoneFeed | None:
        wanted = self._devices.microphone
        if self._makers.microphone is None or wanted is None or self.uplink is None:
            return None
        reporter = DeviceReporter("microphone", wanted.required, self._send)
        on_sound = self._recorder.tap_own_sound(self._push_sound)
        return MicrophoneFeed(
            self._clock,
            self._makers.microphone,
            on_sound,
            reporter,
            echo=self._make_echo_control(wanted),
        )

    def _make_echo_control(self, wanted: settings.Microphone) -> EchoControl | None:
        if self._reference is None:
            return None
        name = wanted.echo_canceller if self.speaker else "off"
        return EchoControl(name, self._reference)

    def _make_speaker(self) -> SpeakerFeed | None:
        wanted = self._devices.speaker
        if self._makers.speaker is None or wanted is None:
            return None
        reporter = DeviceReporter("speaker", wanted.required, self._send)
        return SpeakerFeed(
            self._clock,
            self._makers.speaker,
            self._plan.speaker_volume,
            reporter,
            on_played=self._reference.add if self._reference else None,
            own_delay_seconds=wanted.delay_milliseconds / 1000,
        )

    def _report_uplink(self, state: LinkState, text: str) -> None:
        self._notice.link(UPLINK, state)
        self._send(UplinkReported(state, text, self._refused()))
        if state == "connected":
            self._open_camera()

    def _refused(self) -> tuple[Medium, ...]:
        return self.uplink.refused if self.uplink else ()

    def _open_camera(self) -> None:
        """Or close it: nothing is encoded for nobody."""
        sent = self._picture != "off" and "picture" not in self._refused()
        self.camera.set_live(self._camera_wanted and (sent or self._recorder.on))

    def _report_recording(self, report: MediaReport) -> None:
        """From the recording's thread. The people in the room are told too."""
        self._send(report)
        self._loop.post(lambda: self._notice.recorded(self._recorder.on))

    def _tell(self, report: MediaReport) -> None:
        """To the daemon; what is wrong with a device also to the people in the room. From any thread."""
        self._context.send(report)
        if isinstance(report, DeviceReported):
            self._loop.post(partial(self._notice.device, report.device, report.status))

    # --- life

    def start(self) -> None:
        """Devices are opened and sessions negotiated side by side."""
        if self.uplink:
            self.uplink.start()
        if self.microphone:
            self._set_microphone(self._plan.microphone_live, self._plan.muted_by_hand)
            self.microphone.start()
        if self.speaker:
            self.speaker.start()
        self._screen.entitle(self._plan.room_name)
        self._screen.head(self._plan.title or self._plan.meeting)
        self._screen.start()
        self._self_view.start()
        self._announcing.set(self._plan.announcement)
        self._notice.floor(self._plan.floor)
        self._notice.camera(off_by_hand=self._plan.camera_off_by_hand)
        self.sources.play(self._plan.play)
        self._open_camera()
        if self._plan.recording:
            with contextlib.suppress(MediaError):  # the recorder has reported it
                self._record(on=True)

    def close(self) -> list[threading.Thread]:
        """Devices are closed first: nothing more leaves the room. The threads say DELETE."""
        closing = self._recorder.stop()
        for feed in (self.camera, self.microphone, self.speaker):
            if feed:
                closing.append(threading.Thread(target=feed.close, daemon=True))
                closing[-1].start()
        for uplink in (self.uplink, self._next_uplink):
            if uplink:
                closing += uplink.close()
        closing += self._retired
        closing += self.sources.close()
        self._self_view.close()
        self._screen.close()
        return closing + self._recordings_ending

    def apply(self, instruction: Instruction) -> None:
        """Make it true, then confirm it if it asks for that."""
        error = ""
        try:
            self._obey(instruction)
        except MediaError as refused:
            error = refused.text
        request = getattr(instruction, "request", "")
        if request and not isinstance(instruction, TakeSnapshot | SetPicture):
            self._send(Applied(request, error))

    def _obey(self, instruction: Instruction) -> None:
        match instruction:
            case SetMicrophone(live=live, by_hand=by_hand):
                self._set_microphone(live, by_hand)
            case SetCamera(live=live, by_hand=by_hand):
                self._notice.camera(off_by_hand=by_hand)
                self._camera_wanted = live
                self._open_camera()
            case SetPicture(size, request):
                self._resize(size, partial(self._send, Applied(request)))
            case SetVolume(speaker=percent):
                if self.speaker:
                    self.speaker.set_volume(percent)
            case SetSources(play=play):
                self.sources.play(play)
            case SetPublish(publish=endpoint):
                self._move_uplink(endpoint)
            case SetRecording(on=on):
                self._record(on=on)
            case SetAnnouncement(announcement):
                self._announcing.set(announcement)
            case SetFloor(floor):
                self._notice.floor(floor)
            case TakeSnapshot():
                threading.Thread(target=self._snapshot, args=(instruction,), daemon=True).start()

    def _move_uplink(self, endpoint: Endpoint) -> None:
        """Publish there; the stream to where it was before goes on until that one flows."""
        if self._next_uplink is not None:
            self._retired += self._next_uplink.close()
            self._next_uplink = None
        if self.uplink is None:
            return
        if endpoint.url == self.uplink.endpoint.url and self.uplink.connection.flowing:
            self.uplink.renew(endpoint)
            return
        self._next_uplink = self._make_uplink(endpoint, partial(self._report_next, endpoint))
        if self._next_uplink:
            self._next_uplink.start()

    def _report_next(self, endpoint: Endpoint, state: LinkState, text: str) -> None:
        """Of the stream to the new place; once it flows, the old one is ended."""
        following = self._next_uplink
        if state == "flowing" and following is not None and following.endpoint == endpoint:
            before, self.uplink, self._next_uplink = self.uplink, following, None
            if before:
                self._retired += before.close()
            self.camera.request_keyframe()
        self._notice.link(UPLINK, state)
        self._send(UplinkReported(state, text, self._refused(), endpoint.url))

    def _resize(self, size: PictureSize, confirm: Callable[[], None]) -> None:
        """Send so much of a picture, and confirm when that is what the camera delivers."""
        self._picture = size
        for uplink in (self.uplink, self._next_uplink):
            if uplink:
                uplink.set_picture(size)
        if size != "off":
            self.camera.resize(size == "small", confirm)
        self._open_camera()
        if size == "off":
            confirm()

    def _push_sound(self, buffer: Any) -> None:
        for uplink in (self.uplink, self._next_uplink):
            if uplink:
                uplink.push_sound(buffer)

    def _set_microphone(self, live: bool, by_hand: bool) -> None:
        if self.microphone:
            self.microphone.set_live(live)
            self._notice.muted(not live, by_hand)

    def _record(self, *, on: bool) -> None:
        if on:
            self._recorder.start()
        else:
            ending = [thread for thread in self._recordings_ending if thread.is_alive()]
            self._recordings_ending = ending + self._recorder.stop()
        self._open_camera()
        self.sources.tap(on)

    # --- pictures

    def _on_unit(self, unit: AccessUnit) -> None:
        self._sent.take(unit)
        self._recorder.take_own(unit)
        self._self_view.take(unit)
        for uplink in (self.uplink, self._next_uplink):
            if uplink:
                uplink.push_picture(unit)

    def _pictures(self) -> set[str]:
        """What a recording should show."""
        return {*self.sources.urls, *([OWN] if self.camera.live else [])}

    def _request_keyframes(self) -> None:
        """Of everything that there is to see."""
        self.camera.request_keyframe()
        self.sources.request_keyframes()

    # --- snapshots

    def _snapshot(self, wanted: TakeSnapshot) -> None:
        """In a thread of its own: a keyframe is waited for, and PNG takes a while."""
        error = ""
        try:
            if wanted.source == "sent":
                self._loop.post(self.camera.request_keyframe)
                write_keyframe(*self._sent.next_keyframe(), wanted.path)
            else:
                write_scene(self._devices.display.output, self._screen.scene(), wanted.path)
        except MediaError as failed:
            error = failed.text
        self._send(SnapshotTaken(wanted.request, wanted.path, error))
