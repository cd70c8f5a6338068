"""Being in one meeting: what was asked, what is connected, what is missing."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from agent.core.devices.camera import OFF_BY_HAND
from agent.core.model.commands import AckDetail, Code, Command, Endpoint, Join, PictureSize, Source
from agent.core.model.documents import DeviceStatus, FloorState, MeetingState, Status
from agent.core.model.figures import LinkState, Medium
from agent.core.model.media import MeetingPlan
from agent.core.model.profile import Profile
from agent.core.model.urls import shown

REFUSED: dict[Medium, tuple[str, str]] = {
    "picture": ("camera", "Camera: the media server does not take the room's picture"),
    "sound": ("microphone", "Microphone: the media server does not take the room's sound"),
}
"""The device, and what is to be said of it."""


class MediaLink(Struct):
    """One media session's last reported state."""

    state: LinkState = "connecting"
    text: str = ""

    @property
    def flowing(self) -> bool:
        return self.state == "flowing"


class Membership(Struct):
    """The meeting that the room is in, joining or leaving, and its media links."""

    command: Command
    join: Join
    since: datetime
    publish: Endpoint | None
    play: list[Source]
    since_doubted: bool = False
    """Stamped by a clock that was not set yet."""
    resumed_seconds: float | None = None
    """When a restart brought the room back into it, on the monotonic clock; None: by a command."""
    joined_once: bool = False
    failures: int = 0
    refused: tuple[Medium, ...] = ()
    """What the media server does not take of the room's stream."""
    picture: PictureSize = "full"
    """How much of it is sent, as far as the media process has confirmed."""
    missing: dict[str, str] = field(default_factory=dict)
    """Device -> what is wrong with it, as the media process reported."""
    camera_off_by_hand: bool = False
    """The people in the room switched it off."""
    published_before: Endpoint | None = None
    """Where the room publishes until `publish`, which a repeated join named, flows."""
    uplink: MediaLink = field(default_factory=MediaLink)
    downlinks: dict[str, MediaLink] = field(default_factory=dict)
    named_last: frozenset[str] = frozenset()
    """The sources (URLs) that the last change of `play` brought."""

    def __post_init__(self) -> None:
        """Every source has its link, also while the media process is still to be started."""
        self.reset_links()

    @property
    def id(self) -> str:
        return self.join.meeting.id

    @property
    def state(self) -> MeetingState:
        return MeetingState(self.id, self.join.meeting.title, self.since, self.join.until)

    @property
    def camera_wanted(self) -> bool:
        """Whether the meeting wants to see the room."""
        return self.join.camera == "live" and self.publish is not None

    def plan(
        self,
        profile: Profile,
        *,
        microphone_live: bool,
        muted_by_hand: bool = False,
        speaker_volume: int,
        recording: bool,
        floor: FloorState | None,
    ) -> MeetingPlan:
        """What a media process needs to know to carry the meeting."""
        return MeetingPlan(
            meeting=self.id,
            room=profile.room,
            publish=self.publish,
            play=self.play,
            microphone_live=microphone_live,
            muted_by_hand=muted_by_hand,
            camera_live=self.camera_wanted and not self.camera_off_by_hand,
            camera_off_by_hand=self.camera_off_by_hand,
            speaker_volume=speaker_volume,
            recording=recording,
            floor=floor,
            picture=self.join.picture,
            room_name=profile.name,
            title=self.join.meeting.title or "",
        )

    def reset_links(self) -> None:
        """A new media process: nothing is connected yet."""
        self.picture = self.join.picture
        self.uplink = MediaLink()
        self.downlinks = {source.url: MediaLink() for source in self.play}
        self.missing = {}
        self.refused = ()

    def set_sources(self, play: list[Source]) -> None:
        """Play exactly these; links that stay keep their state."""
        self.play = play
        self.named_last = frozenset(s.url for s in play if s.url not in self.downlinks)
        self.downlinks = {s.url: self.downlinks.get(s.url, MediaLink()) for s in play}

    def device(self, device: str, status: DeviceStatus) -> None:
        """Note what the meeting lacks of this device, or that it is well."""
        if status.status in (Status.FAILED, Status.ABSENT):
            self.missing[device] = status.text
        else:
            self.missing.pop(device, None)

    @property
    def sends(self) -> bool:
        """Whether what the room publishes is accepted, if it publishes."""
        return self.publish is None or self.uplink.flowing

    @property
    def receives(self) -> bool:
        """Whether anything it plays has arrived, if it plays."""
        return not self.play or any(link.flowing for link in self.downlinks.values())

    @property
    def flows(self) -> bool:
        """Whether the meeting works both ways."""
        return self.sends and self.receives

    @property
    def complete(self) -> bool:
        return self.sends and all(link.flowing for link in self.downlinks.values())

    @property
    def awaits_new(self) -> bool:
        """Whether a source that the last change named does not flow yet."""
        return any(not self.downlinks[url].flowing for url in self.named_last)

    @property
    def silent_sources(self) -> list[str]:
        """The sources, by label or URL, of which nothing arrives."""
        return [s.label or shown(s.url) for s in self.play if not self.downlinks[s.url].flowing]

    def refusal(self) -> tuple[Code, str] | None:
        """Why this can't come true however long one waits; None while there is hope."""
        if self.publish is not None and self.uplink.state == "refused":
            return Code.UPLINK_REFUSED, f"The media server refused our stream: {self.uplink.text}"
        if self.publish is not None and self.uplink.state == "wrong-peer":
            return Code.WRONG_PEER, self.uplink.text
        links = list(self.downlinks.values())
        if links and all(link.state in ("refused", "wrong-peer") for link in links):
            impostors = [link for link in links if link.state == "wrong-peer"]
            if impostors:
                return Code.WRONG_PEER, impostors[0].text
            return Code.DOWNLINK_REFUSED, f"The media server refused to play: {links[0].text}"
        return None

    def shortfall(self) -> tuple[Code, str]:
        """What is missing in a meeting that does not flow: in time, or any more."""
        if self.publish is not None and not self.uplink.flowing:
            if self.uplink.state == "wrong-peer":
                return Code.WRONG_PEER, self.uplink.text
            if self.uplink.state == "unreachable":
                return Code.MEDIA_UNREACHABLE, f"The media server: {self.uplink.text}"
            arrives = "does not arrive any more" if self.joined_once else "was not accepted in time"
            return Code.TIMEOUT, f"Our stream {arrives}: {self.uplink.text}".rstrip(": ")
        link = next(iter(self.downlinks.values()))
        if link.state == "wrong-peer":
            return Code.WRONG_PEER, link.text
        code = Code.MEDIA_UNREACHABLE if link.state == "unreachable" else Code.NO_PICTURE_OR_SOUND
        comes = "comes any more" if self.joined_once else "came in time"
        return code, f"No picture or sound {comes}: {link.text}".rstrip(": ")

    def detail(self) -> AckDetail:
        """For the ack of a join: what is not as it should be."""
        refused = {REFUSED[medium][0]: REFUSED[medium][1] for medium in self.refused}
        missing = refused | self.missing
        if self.camera_off_by_hand and self.camera_wanted:
            missing["camera"] = f"Camera: {OFF_BY_HAND}"
        return AckDetail(missing=missing or None, silent_sources=self.silent_sources or None)
