"""Every room of the hub, as it last said itself: retained states, health and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable

from agent.conductor.core.model.seen import SeenFloor, SeenHealth, SeenState
from agent.conductor.core.model.views import RoomView
from agent.core.model.documents import Connection, Phase
from agent.core.readiness import not_ready

RETAINED_SECONDS = 2.0
"""So long after the link came up the retained states of all rooms are here; before, nothing can be judged by them."""

HERE = (Phase.IN_MEETING, Phase.RECONNECTING)


class SeenRoom:
    """One room; what it never said is None."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.state: SeenState | None = None
        self.health: SeenHealth | None = None
        self._online = ""
        """The session of the last `online`: a `lost` of another one is an overtaken will."""

    def take(self, state: SeenState) -> bool:
        """Believe it; False for an overtaken will, which means nothing."""
        if state.connection is Connection.ONLINE:
            self._online = state.session
        elif state.connection is Connection.LOST and self._online not in ("", state.session):
            return False
        self.state = state
        return True

    @property
    def name(self) -> str:
        return (self.state.name if self.state else "") or self.room

    @property
    def groups(self) -> list[str]:
        return self.state.groups if self.state else []

    @property
    def online(self) -> bool:
        return self.state is not None and self.state.connection is Connection.ONLINE

    @property
    def away(self) -> bool:
        """It said, or the broker said for it, that it isn't there."""
        return self.state is not None and not self.online

    @property
    def meeting(self) -> str | None:
        """The meeting's id that it is in, on its way into or out of; None too while it is away."""
        if self.state is None or not self.online or self.state.meeting is None:
            return None
        return self.state.meeting.id

    @property
    def verdict(self) -> str:
        """Its last check's: go, no-go or unknown."""
        return self.health.readiness.verdict if self.health else "unknown"

    def is_in(self, meeting: str) -> bool:
        """Whether it says that it is in this meeting (its id), with its media there or on their way back."""
        return self.meeting == meeting and self.state is not None and self.state.phase in HERE

    def is_joining(self, meeting: str) -> bool:
        """Whether it says that it is on its way into this meeting (its id)."""
        joining = self.state is not None and self.state.phase is Phase.JOINING
        return joining and self.meeting == meeting

    @property
    def floor(self) -> SeenFloor | None:
        """What it says of hand and floor; None while it is away, and of a version that knows no floor."""
        return self.state.floor if self.state and self.online else None

    @property
    def live(self) -> bool:
        """Whether its microphone is switched on; without the floor nobody hears it all the same."""
        return self.online and self.state is not None and self.state.microphone == "live"

    def faults(self) -> list[str]:
        """What is not well, in the room's words."""
        found: list[str] = []
        if self.state is not None and self.state.phase is Phase.FAULT:
            found.append("a device hangs: restart the machine")
        if self.health is None:
            return found
        found += [
            one.text or f"{name}: {one.code}"
            for name, one in self.health.devices.items()
            if one.status != "ok"
        ]
        found += self._not_ready()
        media = self.health.media
        if media is not None and media.status != "ok" and self.meeting is not None:
            found.append(media.text or media.code)
        if self.health.host.status != "ok":
            found.append(self.health.host.text or self.health.host.code)
        return found

    def _not_ready(self) -> list[str]:
        """What the last check found that no device says of itself, such as a black picture."""
        if self.health is None:
            return []
        readiness = self.health.readiness
        codes = {kind: device.code for kind, device in self.health.devices.items()}
        found = not_ready(readiness.verdict, readiness.findings, codes)
        return [f"the last check found {one.code}: {one.seen}" for one in found]

    def severity(self) -> int:
        """0 well, 1 look at it, 2 it can't be used."""
        health = self.health.status if self.health else "ok"
        no_go = self.health is not None and self.health.readiness.verdict == "no-go"
        fault = self.state is None or self.state.phase is Phase.FAULT
        if fault or not self.online or health == "failed" or no_go:
            return 2
        return 1 if health != "ok" else 0

    def view(self) -> RoomView:
        """As operators are shown it; of a room that is away nothing of what it last said that changes by itself."""
        state, health, floor = self.state, self.health, self.floor
        online = self.online and state is not None
        media = health.media if health and online else None
        return RoomView(
            room=self.room,
            name=self.name,
            groups=self.groups,
            version=state.agent.version if state else "",
            connection=str(state.connection) if state else "unknown",
            phase=str(state.phase) if state and online else "",
            meeting=self.meeting,
            microphone=state.microphone if state and online else "off",
            camera=state.camera if state and online else "off",
            recording=state.recording if state and online else "off",
            readiness=self.verdict,
            level_dbfs=media.microphone_level_dbfs if media else None,
            faults=self.faults(),
            severity=self.severity(),
            hand=floor is not None and floor.hand_since is not None,
            camera_off_by_hand=online and state is not None and state.camera_off_by_hand,
            floor="given" if floor and floor.held else "queued" if floor and floor.position else "",
        )


class Rooms(dict[str, SeenRoom]):
    """Room id -> what is known of it; one that never spoke is there as soon as it is asked for."""

    def __missing__(self, room: str) -> SeenRoom:
        made = self[room] = SeenRoom(room)
        return made

    def views(self) -> list[RoomView]:
        """All of them, worst first."""
        views = [one.view() for one in self.values()]
        return sorted(views, key=lambda view: (-view.severity, view.name, view.room))

    def in_groups(self, groups: Iterable[str]) -> list[str]:
        """The rooms that say that they are in one of these groups."""
        wanted = set(groups)
        return [one.room for one in self.values() if wanted & set(one.groups)]
