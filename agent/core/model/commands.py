"""What the hub may ask of a room, and the closed lists of answers.

Plain data, decoded from MQTT by `agent.hub.messages` and from the control socket by
`agent.runtime.control`; decided upon by `agent.core.room`. Contract: docs/contract.md.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from agent.core.model.cleaning import clean
from agent.core.model.documents import CheckFinding, Verdict
from agent.core.model.sparse import Printable, Sparse

# They end with \Z: $ would take a line feed too, and brokers hang up on a topic that has one.
IDENTIFIER = r"^[a-z0-9][a-z0-9-]{0,62}\Z"
MEETING_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
COMMAND_ID = r"^[A-Za-z0-9-]{1,64}\Z"
TOKEN = r"^[!-~]*\Z"
"""Visible ASCII: what else stands in a token can't be sent as a header."""

URL = r"^https?://[^\s\x00-\x1f\x7f]+\Z"
WORDS = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+\Z"
"""Something to read on one line: no control characters, and none that turn the writing round."""

Identifier = Annotated[str, Meta(pattern=IDENTIFIER)]
"""Room and group ids: they stand in MQTT topics and URLs."""

MeetingId = Annotated[str, Meta(pattern=MEETING_ID)]
CommandId = Annotated[str, Meta(pattern=COMMAND_ID)]
"""A ULID or UUID by custom; any short word without topic separators is taken."""

Url = Annotated[str, Meta(pattern=URL, max_length=2048)]
Token = Annotated[str, Meta(pattern=TOKEN, max_length=4096)]

Text = Annotated[str, Meta(pattern=WORDS, max_length=300)]
"""What the screen shows large; longer than that nobody reads it from the back of the room."""

Name = Annotated[str, Meta(pattern=WORDS, max_length=80)]
Label = Annotated[str, Meta(pattern=WORDS, max_length=40)]
"""One of the answers to choose from: it stands beside the other on one line."""

Instant = Annotated[datetime, Meta(tz=True)]
"""RFC 3339 with an offset; a time without one could mean anything."""

MAX_SOURCES = 4
"""Sources that one room plays at once (issue: a meeting that holds)."""

MAX_ANSWERS = 2
"""A press and a double press: one button tells no more apart."""


class AckState(StrEnum):
    """Progress of one command; see `FINAL_STATES`."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


FINAL_STATES = frozenset(
    {AckState.SUCCEEDED, AckState.FAILED, AckState.REJECTED, AckState.EXPIRED, AckState.SUPERSEDED}
)


class Code(StrEnum):
    """Why a command ended as it did: the closed list that an ack's `code` comes from."""

    OK = "ok"
    ALREADY = "already"  # what was asked for was true before
    # refused before anything was done
    NOT_JSON = "not-json"
    TOO_LARGE = "too-large"
    UNKNOWN_COMMAND = "unknown-command"
    BAD_FIELD = "bad-field"
    MISSING_FIELD = "missing-field"
    RETAINED = "retained"
    EXPIRED = "expired"
    CLOCK_UNSYNCHRONISED = "clock-unsynchronised"
    NOT_PERMITTED = "not-permitted"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad-signature"
    IN_MEETING = "in-meeting"
    NOT_IN_MEETING = "not-in-meeting"
    BUSY = "busy"
    NO_MEDIA_URL = "no-media-url"
    MUTED_BY_HAND = "muted-by-hand"
    NO_FLOOR = "no-floor"
    FLOOR_OPEN = "floor-open"
    # tried, and did not come true
    TIMEOUT = "timeout"
    UPLINK_REFUSED = "uplink-refused"
    DOWNLINK_REFUSED = "downlink-refused"
    WRONG_PEER = "wrong-peer"
    MEDIA_UNREACHABLE = "media-unreachable"
    NO_PICTURE_OR_SOUND = "no-picture-or-sound"
    DEVICE_ABSENT = "device-absent"
    DEVICE_FAILED = "device-failed"
    MEDIA_PROCESS_FAILED = "worker-failed"  # its word on the wire since version 1
    RECORDING_FAILED = "recording-failed"
    DISK_FULL = "disk-full"
    UNANSWERED = "unanswered"
    CHECK_FAILED = "check-failed"
    INTERRUPTED = "interrupted"
    WITHDRAWN = "withdrawn"  # a later command made this one pointless


class Meeting(Struct, frozen=True, omit_defaults=True):
    """Which meeting: `id` is its name in URLs and journals, `title` is for people, and is cleaned."""

    id: MeetingId
    title: Annotated[str, Meta(max_length=200)] | None = None

    def __post_init__(self) -> None:
        if self.title is not None:
            structs.force_setattr(self, "title", clean(self.title) or None)


class Endpoint(Struct, frozen=True, omit_defaults=True):
    """A WHIP endpoint (RFC 9725) and its bearer token."""

    url: Url
    token: Token | None = None


PictureSize = Literal["full", "small", "off"]
"""How much of a picture a room sends: `small` is a thumbnail, for rooms that only listen."""


class Publishing(Struct, frozen=True, omit_defaults=True):
    """Where the room's own picture and sound go, and how much of a picture.

    What is left out: the address and token of the settings and a full picture; in the meeting, as it is.
    """

    url: Url | None = None
    token: Token | None = None
    picture: PictureSize | UnsetType = UNSET

    def over(self, before: Publishing) -> Publishing:
        """This after that: an address is one with its token, and what is left out stays as it was."""
        moved = self.url is not None or self.token is not None
        address = self if moved else before
        picture = before.picture if self.picture is UNSET else self.picture
        return Publishing(self.url or before.url, address.token, picture)


class Source(Struct, frozen=True, omit_defaults=True):
    """A WHEP endpoint to play, its bearer token and the name drawn on its picture."""

    url: Url
    token: Token | None = None
    label: Annotated[str, Meta(max_length=80)] | None = None

    def __post_init__(self) -> None:
        if self.label is not None:
            structs.force_setattr(self, "label", clean(self.label) or None)


Sources = Annotated[list[Source], Meta(max_length=MAX_SOURCES)]
FloorMode = Literal["open", "request"]
FloorWord = Literal["given", "queued", "none"]


class Attendance(Struct, frozen=True, omit_defaults=True):
    """What a room sends to a meeting and plays of it. URLs left out come from the settings' templates."""

    meeting: Meeting
    publish: Publishing | UnsetType | None = UNSET
    play: Sources | UnsetType | None = UNSET
    camera: Literal["live", "off"] = "live"
    recording: Literal["on", "off"] = "off"


class Stay(Attendance, frozen=True, omit_defaults=True):
    """How to be in a meeting, and until when."""

    microphone: Literal["live", "muted"] = "muted"
    until: Instant | None = None
    timeout_seconds: Annotated[float, Meta(ge=1, le=300)] = 30
    replace: bool = False
    floor: FloorMode = "open"

    @property
    def picture(self) -> PictureSize:
        """How much of a picture is sent, as far as this says."""
        given = self.publish
        if not isinstance(given, Publishing) or given.picture is UNSET:
            return "full"
        return given.picture


class Join(Stay, frozen=True, omit_defaults=True):
    """Be in this meeting."""


class Leave(Struct, frozen=True, omit_defaults=True):
    """Be in no meeting (or, given one, not in that meeting)."""

    meeting: MeetingId | None = None


class Mute(Struct, frozen=True):
    """Let no sample of the microphone leave the room."""


class Unmute(Struct, frozen=True):
    """Let the microphone be heard, unless the room muted it by hand."""


class Floor(Struct, frozen=True, omit_defaults=True):
    """Whether this room may speak in its meeting (`given`), waits for it (`queued`), or neither."""

    state: FloorWord
    position: Annotated[int, Meta(ge=1, le=9999)] | None = None
    meeting: MeetingId | None = None


class Volume(Struct, frozen=True):
    """Set the loudspeaker's volume, 0 to 100."""

    speaker: Annotated[int, Meta(ge=0, le=100)]


class Record(Struct, frozen=True):
    """Record the meeting that the room is in to a file in the room, or stop."""

    recording: Literal["on", "off"]


class Display(Struct, frozen=True):
    """Power the display through its relay; off is refused in a meeting."""

    power: Literal["on", "off"]


class Call(Stay, frozen=True, omit_defaults=True):
    """Ring until somebody presses the button or the time is over, then be in this meeting."""

    text: Text | None = None
    caller: Name | None = None
    ring_seconds: Annotated[float, Meta(ge=1, le=600)] = 30
    then: Literal["join", "nothing"] = "join"
    volume: Annotated[int, Meta(ge=0, le=100)] | None = None


class Show(Struct, frozen=True, omit_defaults=True):
    """Show these words on the screen; a press of the button is the first answer, two the second."""

    text: Text
    level: Literal["info", "warning", "urgent"] = "info"
    seconds: Annotated[float, Meta(ge=1, le=86_400)] | None = None
    answers: Annotated[list[Label], Meta(max_length=MAX_ANSWERS)] = []


class Hide(Struct, frozen=True, omit_defaults=True):
    """Show no words (or, given the id of a `show`, not those)."""

    show: CommandId | None = None


Part = Literal[
    "camera", "microphone", "speaker", "display", "media-server", "hub", "clock", "storage", "power"
]
"""What a check looks at; each is a subject of the doctor."""


class Check(Struct, frozen=True, omit_defaults=True):
    """Look whether the room is ready for a meeting: the doctor by command. No parts are all."""

    parts: Annotated[list[Part], Meta(max_length=9)] = []
    sound: Literal["on", "off"] = "on"


class Identify(Struct, frozen=True, omit_defaults=True):
    """Blink the on-air lamp so that somebody in the building finds the box."""

    seconds: Annotated[float, Meta(ge=1, le=60)] = 10


class Ping(Struct, frozen=True):
    """Answer, and nothing else."""


class Report(Struct, frozen=True):
    """Publish the health document now."""


class Restart(Struct, frozen=True):
    """Restart the agent or the machine; refused in a meeting."""

    scope: Literal["agent", "host"]


Body = (
    Join
    | Leave
    | Mute
    | Unmute
    | Floor
    | Volume
    | Record
    | Display
    | Call
    | Show
    | Hide
    | Check
    | Identify
    | Ping
    | Report
    | Restart
)

COMMANDS: dict[str, type[Body]] = {kind.__name__.lower(): kind for kind in get_args(Body)}
"""Command type as it stands in the topic -> its fields."""


class Origin(StrEnum):
    """Where a command came in."""

    HUB = "hub"
    GROUP = "group"
    LOCAL = "local"
    AGENDA = "agenda"


SIGNED_BY = "key "
"""What a signed command's `sender` begins with; the key's id follows."""

MAX_SIGNED_SECONDS = 86_400
"""From `issued` to `expires` of a signed command: so long its id must be remembered at the least."""


class Reply(Struct, frozen=True, omit_defaults=True):
    """The sender's MQTT 5 Response Topic and Correlation Data (MQTT 5, 4.10)."""

    topic: str
    correlation: bytes | None = None


class Command(Struct, frozen=True, omit_defaults=True):
    """One command as received; `id` is the sender's or, if it gave none, one of ours."""

    id: str
    type: str
    body: Body
    origin: Origin
    issued: datetime | None = None
    expires: datetime | None = None
    sender: str | None = None
    """Who asked: `key ha-2026` by a signature, `user ha` by the broker's word, `uid 1000 pid 4711` by the socket."""
    reply: Reply | None = None
    given: frozenset[str] | None = None
    """The fields that its sender named; None: all of them. What a repeated `join` leaves out stays as it is."""


class AckDetail(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """What an answer says beyond its words."""

    warnings: list[str] | None = None
    asked_by: str | None = None
    version: str | None = None
    missing: dict[str, str] | None = None
    silent_sources: list[str] | None = None
    verdict: Verdict | None = None
    findings: list[CheckFinding] | None = None
    answered: bool | None = None
    answered_at: datetime | None = None
    again_in_seconds: float | None = None  # until a join that failed is tried again


class Ack(Printable, frozen=True):
    """Progress of one command. `seq` counts this id's acks from 1; one final state per id, always."""

    id: str
    type: str
    room: str
    state: AckState
    code: Code
    text: str
    seq: int
    at: datetime
    detail: AckDetail = AckDetail()
    v: int = 1
