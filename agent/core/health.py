"""How the room does: levels of every device, the host and the media, as one document.

Presence comes from probes while nothing is open and from the media process while it holds the
devices. A change is published at once (changes of one moment together), and all of it regularly.
"""

from __future__ import annotations

from collections import deque

from msgspec import structs

from agent.core.context import Context
from agent.core.meeting.membership import Membership
from agent.core.model.clock import Now
from agent.core.model.deadlines import HealthChanged, HealthDue
from agent.core.model.documents import (
    DeviceStatus,
    DownlinkHealth,
    EventDetail,
    HealthDocument,
    HostHealth,
    MediaHealth,
    Phase,
    Status,
    UplinkHealth,
)
from agent.core.model.effects import Probe, PublishHealth, SetDeadline
from agent.core.model.figures import DownlinkFigures, MediaFigures, RoomFigures, UplinkFigures
from agent.core.model.media import DeviceReported
from agent.core.model.urls import shown
from agent.core.readiness import LastCheck

SOON_SECONDS = 0.3
"""Changes that come together (a USB hub unplugged) make one document."""

CHANGES = 60
CHANGES_SECONDS = 600.0
OFTEN_SECONDS = 30.0
"""More changes than so many in so long are told so late: a loose cable must not fill a link of 3G."""

OVERLOADED = "This machine is too slow for its screen, which shows fewer pictures"

BAD = (Status.FAILED, Status.ABSENT)


class HealthBoard:
    """The latest word on everything."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._profile = context.profile
        self._do = context.do
        self._probed: dict[str, DeviceStatus] = {}
        self._reported: dict[str, DeviceStatus] = {}
        self._failed: dict[str, DeviceStatus] = {}
        self._hub: dict[str, DeviceStatus] = {}
        """Empty, or `hub`, once there was something to tell of it."""
        self._soon = False
        self._changes: deque[float] = deque(maxlen=CHANGES)
        """When the last changes made a document, in monotonic seconds."""
        self._told: dict[str, str] = {}
        self._open: set[str] = set()
        self.last_check = LastCheck()
        self.host = HostHealth(status=Status.OK, code="ok", text="")
        self.figures = MediaFigures()
        self.round_trip_milliseconds: float | None = None
        self.latest: HealthDocument | None = None

    def start(self) -> None:
        """Look at everything now and then on."""
        self._do(Probe())
        self._do(SetDeadline(HealthDue(), self._profile.health_interval_seconds))

    def probed(self, devices: dict[str, DeviceStatus], now: Now) -> None:
        """Presence, looked up without opening anything."""
        self._probed = devices
        self._tell_changes(now)

    def sampled(self, host: HostHealth, phase: Phase, held: Membership | None, now: Now) -> None:
        """The host's figures: the last part of a regular report."""
        self.host = host
        self.publish(phase, held, now)

    def reported(self, report: DeviceReported, now: Now) -> None:
        """The media process opened, closed or found something wrong with a device."""
        if report.open:
            self._open.add(report.device)
        else:
            self._open.discard(report.device)
        self._reported[report.device] = report.status
        self._tell_changes(now)

    def lamp_set(self, error: str, now: Now) -> None:
        """Whether the on-air lamp does what it was told: a room that may be heard must show it."""
        if "panel" not in self._profile.fitted or bool(error) == ("panel" in self._failed):
            return
        self._failed.pop("panel", None)
        if error:
            required = "panel" in self._profile.required
            text = f"The on-air lamp does not do what it is told: {error}"
            self._failed["panel"] = DeviceStatus(Status.FAILED, "lamp-failed", text, required)
        self._tell_changes(now)

    def hub_does(self, code: str, text: str, now: Now) -> None:
        """How the hub treats this room while the link is up: whether it takes all that we publish, and
        whether another agent speaks as this room. The first trouble of a connection stays."""
        known = self._hub.get("hub")
        if code != "ok" and known is not None and known.code not in ("ok", code):
            return
        if code == "ok":
            status = DeviceStatus(Status.OK, "ok", "The hub takes what this room says", False)
        else:
            status = DeviceStatus(Status.DEGRADED, code, f"Hub: {text}", False)
        if known is not None or code != "ok":
            self._hub["hub"] = status
            self._tell_changes(now)

    def process_gone(self, now: Now) -> None:
        """What only the media process could know is over."""
        self._open.clear()
        self._reported.clear()
        self.figures = MediaFigures()
        self._tell_changes(now)

    @property
    def open_devices(self) -> set[str]:
        """What is open now, by the media process's word or a check's."""
        return self._open

    @property
    def devices(self) -> dict[str, DeviceStatus]:
        """Every fitted device: what failed to obey, else the media process's word, else the probe's."""
        found = {**self._probed, **self._reported, **self._failed, **self._hub}
        required = self._profile.required  # the settings' word, whoever reports the device
        return {
            name: structs.replace(device, required=name in required)
            for name, device in found.items()
        }

    def _tell_changes(self, now: Now) -> None:
        """Edges for the event topic, and a document soon."""
        for name, device in self.devices.items():
            before, code = self._told.get(name, "ok"), device.code
            if device.status is Status.OK:
                code = "ok"
            if code == before:
                continue
            self._told[name] = code
            kind = "fault-cleared" if code == "ok" else "fault"
            detail = EventDetail(device=name)
            self._context.tell(kind, device.code, device.text, now, detail=detail, flaps=name)
            self.change(now)

    def change(self, now: Now) -> None:
        """Something worth a document happened; the first one waits for the first look."""
        if self._soon or self.latest is None:
            return
        self._soon = True
        seconds, times = now.monotonic_seconds, self._changes
        often = len(times) == CHANGES and seconds - times[0] < CHANGES_SECONDS
        times.append(seconds)
        self._do(SetDeadline(HealthChanged(), OFTEN_SECONDS if often else SOON_SECONDS))

    def publish(self, phase: Phase, held: Membership | None, now: Now) -> None:
        """Send the document."""
        self._soon = False
        self.latest = self.document(phase, held, now)
        self._do(PublishHealth(self.latest))

    def document(self, phase: Phase, held: Membership | None, now: Now) -> HealthDocument:
        """The document, as things stand."""
        devices = self.devices
        trip = self.round_trip_milliseconds
        host = structs.replace(self.host, broker_round_trip_milliseconds=trip)
        media = self._media(phase, held)
        return HealthDocument(
            room=self._profile.room,
            status=overall(devices, host, media),
            devices=devices,
            host=host,
            media=media,
            at=now.wall,
            readiness=self.last_check.readiness(devices, now),
        )

    def _media(self, phase: Phase, held: Membership | None) -> MediaHealth | None:
        if held is None:
            return None
        uplink, downlinks = self._uplink(held), self._downlinks(held)
        code, text = _media_word(phase, held, uplink, downlinks)
        if code == "ok" and self.figures.screen_overloaded:
            code, text = "overloaded", OVERLOADED
        return MediaHealth(
            status=Status.OK if code == "ok" else Status.DEGRADED,
            code=code,
            text=text,
            uplink=uplink,
            downlinks=downlinks,
            **{name: getattr(self.figures, name) for name in RoomFigures.__struct_fields__},
        )

    def _uplink(self, held: Membership) -> UplinkHealth | None:
        """What the media process measured, beside the state and text that the core goes by."""
        if not held.publish:
            return None
        figures = structs.asdict(self.figures.uplink or UplinkFigures())
        return UplinkHealth(**figures, state=held.uplink.state, text=held.uplink.text)

    def _downlinks(self, held: Membership) -> list[DownlinkHealth]:
        """As `_uplink`, for each source that is to be played."""
        measured = {one.url: one for one in self.figures.downlinks}
        found = []
        for source in held.play:
            link, url = held.downlinks[source.url], shown(source.url)
            figures = structs.asdict(measured.get(source.url, DownlinkFigures(url=url)))
            figures["url"] = url  # as it may be read by anybody
            label = source.label or url
            found.append(DownlinkHealth(**figures, label=label, state=link.state, text=link.text))
        return found


def _media_word(
    phase: Phase, held: Membership, uplink: UplinkHealth | None, downlinks: list[DownlinkHealth]
) -> tuple[str, str]:
    """The media's code, and a text for people."""
    if phase is not Phase.IN_MEETING:
        return str(phase), "" if held.flows else held.shortfall()[1]
    if not held.complete:
        return str(phase), "Nothing arrives from " + ", ".join(held.silent_sources)
    without = ["this room"] if uplink and uplink.picture_given_up else []
    without += [one.label for one in downlinks if one.picture_given_up]
    if without:
        return "narrow-link", f"The link is too narrow for the picture of {', '.join(without)}"
    return "ok", ""


def overall(
    devices: dict[str, DeviceStatus], host: HostHealth, media: MediaHealth | None
) -> Status:
    """The room's one word: failed when a required device is gone, degraded for any other lack."""
    if any(d.required and d.status in BAD for d in devices.values()):
        return Status.FAILED
    levels = {d.status for d in devices.values()} | {host.status}
    if media is not None:
        levels.add(media.status)
    return Status.OK if levels <= {Status.OK} else Status.DEGRADED
