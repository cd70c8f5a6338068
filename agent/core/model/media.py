"""What the daemon and its media process say to each other, as plain data.

`Instruction`s go to the media process, `Report`s come back; `agent.ipc.protocol` frames them as JSON
lines. Each is a tagged struct: the tag stands in the field `kind`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from agent.core.model.announcement import Announcement
from agent.core.model.commands import Endpoint, PictureSize, Source
from agent.core.model.documents import DeviceStatus, FloorState
from agent.core.model.figures import LinkState, MediaFigures, Medium

DeviceKind = Literal["camera", "microphone", "speaker", "display", "panel"]


class StandbyPlan(Struct, frozen=True, tag_field="kind", tag="standby"):
    """The quiet picture between meetings: the screen with the room's name, and no other device."""

    room: str
    room_name: str
    announcement: Announcement | None = None


class OpenSession(Struct, frozen=True):
    """A WHIP or WHEP session at a server: the URL to DELETE, and the endpoint that it came from, whose
    token ends it.
    """

    url: str
    endpoint: Endpoint


class MeetingPlan(Struct, frozen=True, tag_field="kind", tag="meeting"):
    """All that a media process needs to be in a meeting. `speaker_volume` is 0 to 100."""

    meeting: str
    room: str
    publish: Endpoint | None
    play: list[Source]
    microphone_live: bool
    camera_live: bool
    speaker_volume: int
    room_name: str = ""
    title: str = ""
    """The meeting's name for people, as the screen shows it."""
    recording: bool = False
    picture: PictureSize = "full"
    """How much of a picture is published."""
    muted_by_hand: bool = False
    """By the room's own button, which the screen says."""
    camera_off_by_hand: bool = False
    """So too."""
    announcement: Announcement | None = None
    floor: FloorState | None = None
    """None where everybody may speak."""
    leftovers: list[OpenSession] = []
    """What a media process before left open, to be ended first: a server may let nobody in beside them."""
    clock_is_set: bool = True
    """Whether recordings can be told by the clock, and are too old by it."""


MediaPlan = StandbyPlan | MeetingPlan


# --- instructions: daemon -> media process ---------------------------------------------------------------
# One with a `request` is answered by `Applied` as soon as it is true: the daemon kills a media process that
# does not confirm a mute.


class Start(Struct, frozen=True, tag_field="kind", tag="start"):
    """Open the devices, publish and play. The first instruction, once."""

    plan: MediaPlan


class SetMicrophone(Struct, frozen=True, tag_field="kind", tag="microphone"):
    """Live, or muted: then its samples are discarded before the encoder. `by_hand`: at the button."""

    live: bool
    request: str = ""
    by_hand: bool = False


class SetCamera(Struct, frozen=True, tag_field="kind", tag="camera"):
    """Live, or off: then the camera is closed. `by_hand`: at the button."""

    live: bool
    request: str = ""
    by_hand: bool = False


class SetPicture(Struct, frozen=True, tag_field="kind", tag="picture"):
    """Publish so much of a picture in the session that there is; `off` closes the camera."""

    size: PictureSize
    request: str = ""


class SetVolume(Struct, frozen=True, tag_field="kind", tag="volume"):
    """The loudspeaker's volume, 0 to 100."""

    speaker: int
    request: str = ""


class SetSources(Struct, frozen=True, tag_field="kind", tag="sources"):
    """Play exactly these; the ones already playing go on undisturbed."""

    play: list[Source]
    request: str = ""


class SetPublish(Struct, frozen=True, tag_field="kind", tag="publish"):
    """Publish there; where it was published before goes on until that flows. `UplinkReported` follows, with the url."""

    publish: Endpoint
    request: str = ""


class SetRecording(Struct, frozen=True, tag_field="kind", tag="recording"):
    """Record the meeting to a file, or stop."""

    on: bool
    request: str = ""


class SetAnnouncement(Struct, frozen=True, tag_field="kind", tag="announcement"):
    """Show this beside the meeting or the room's name, or (None) nothing any more."""

    announcement: Announcement | None


class SetFloor(Struct, frozen=True, tag_field="kind", tag="floor"):
    """Say on the screen how it stands with the floor; the microphone is told by `SetMicrophone`."""

    floor: FloorState | None


class TakeSnapshot(Struct, frozen=True, tag_field="kind", tag="snapshot"):
    """Write the picture shown (`received`) or sent (`sent`) to `path` as PNG, then report it."""

    request: str
    source: Literal["received", "sent"]
    path: str


class Stop(Struct, frozen=True, tag_field="kind", tag="stop"):
    """End the sessions with DELETE, close the devices, exit 0. SIGTERM means the same."""


Instruction = (
    Start
    | SetMicrophone
    | SetCamera
    | SetPicture
    | SetVolume
    | SetSources
    | SetPublish
    | SetRecording
    | SetAnnouncement
    | SetFloor
    | TakeSnapshot
    | Stop
)


# --- reports: media process -> daemon --------------------------------------------------------------------


class Ready(Struct, frozen=True, tag_field="kind", tag="ready"):
    """The handshake: the engine is loaded, instructions are taken. `engine` is for health."""

    pid: int
    engine: str


class DeviceReported(Struct, frozen=True, tag_field="kind", tag="device"):
    """A device was opened (`open` true), closed, or its status changed."""

    device: DeviceKind
    open: bool
    status: DeviceStatus


class UplinkReported(Struct, frozen=True, tag_field="kind", tag="uplink"):
    """The WHIP session's state changed. `refused`: what the server does not take of the room's stream."""

    state: LinkState
    text: str = ""
    refused: tuple[Medium, ...] = ()
    url: str = ""
    """Where to, after a `SetPublish`; empty is where the meeting began."""


class DownlinkReported(Struct, frozen=True, tag_field="kind", tag="downlink"):
    """The state of the WHEP session for the source with this URL changed."""

    url: str
    state: LinkState
    text: str = ""


class SessionsReported(Struct, frozen=True, tag_field="kind", tag="sessions"):
    """All sessions that are open at servers now."""

    open: list[OpenSession]


class Measured(Struct, frozen=True, tag_field="kind", tag="measured"):
    """Figures for health's `media`, every few seconds."""

    figures: MediaFigures


class Applied(Struct, frozen=True, tag_field="kind", tag="applied"):
    """The instruction with this `request` is true now, or (with `error`) could not be made so."""

    request: str
    error: str = ""


class SnapshotTaken(Struct, frozen=True, tag_field="kind", tag="snapshot"):
    """The answer to `TakeSnapshot`; `error` is empty when the file was written."""

    request: str
    path: str
    error: str = ""


class RecordingReported(Struct, frozen=True, tag_field="kind", tag="recording"):
    """A recording goes to the file `path` now, or (not `on`) ended; `code` is ok unless it failed."""

    on: bool
    path: str
    code: str = "ok"
    text: str = ""


class Fault(Struct, frozen=True, tag_field="kind", tag="fault"):
    """The media process cannot go on and will exit; the daemon starts another."""

    code: str
    text: str


MediaReport = (
    Ready
    | DeviceReported
    | UplinkReported
    | DownlinkReported
    | SessionsReported
    | Measured
    | Applied
    | SnapshotTaken
    | RecordingReported
    | Fault
)
