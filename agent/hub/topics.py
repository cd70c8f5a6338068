"""Every topic of the wire contract, for one room.

Pairs with `agent.hub.messages`, which makes the payloads; the table is in docs/contract.md.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.core.model.addresses import addresses_of, all_groups
from agent.core.model.commands import COMMANDS, Origin
from agent.settings import Room

MAX_REPLY_BYTES = 256
MAX_REPLY_LEVELS = 7
"""Of a Response Topic: what AWS IoT takes, the least of the brokers that we know of (slashes, there)."""


class Address(NamedTuple):
    """Where a command came in: to this room, or to one of its groups."""

    origin: Origin
    name: str
    """The room's or the group's id."""
    type: str
    """The command's type as the topic says it, known or not; `agenda` for an agenda's topic."""

    @property
    def text(self) -> str:
        """`room/<room>` or `group/<group>`."""
        return f"{'room' if self.origin is Origin.HUB else 'group'}/{self.name}"


class Topics:
    """The topics of the room `room` below the root `root`."""

    def __init__(self, root: str, room: Room) -> None:
        self._root = root
        self._room = room.id
        self._groups = all_groups(room.groups)
        self._places = [f"{root}/{address}" for address in addresses_of(room.id, room.groups)]
        base = f"{root}/room/{room.id}"
        self.state = f"{base}/state"
        self.health = f"{base}/health"
        self.echo = f"{base}/echo"
        """Not for others: what the room says here must come back to it (the link's self-check)."""
        self._base = base
        self.client_id = f"{root}/{room.id}".replace("/", ".")
        """The MQTT client id; without slashes, since brokers put it into their ACL's patterns."""

    def ack(self, command_id: str) -> str:
        return f"{self._base}/ack/{command_id}"

    def event(self, type: str) -> str:
        return f"{self._base}/event/{type}"

    def commands(self, *, wildcards: bool = True) -> list[str]:
        """The filters to subscribe to, the room's own first; for each type where there are no `wildcards`."""
        types = ["+"] if wildcards else list(COMMANDS)
        return [f"{place}/cmd/{type}" for place in self._places for type in types]

    def agendas(self) -> list[str]:
        """The topics of the agendas that are for this room, its own first."""
        return [f"{place}/agenda" for place in self._places]

    def parse_agenda(self, topic: str) -> Address | None:
        """Whose agenda it is; None if the topic is no agenda of this room or its groups."""
        match topic.removeprefix(f"{self._root}/").split("/"):
            case ["room", name, "agenda"] if name == self._room:
                return Address(Origin.HUB, name, "agenda")
            case ["group", name, "agenda"] if name in self._groups:
                return Address(Origin.GROUP, name, "agenda")
        return None

    def own(self) -> list[str]:
        """Our own topics that we listen to: the self-check, and the state (another may write it)."""
        return [self.echo, self.state]

    def parse_command(self, topic: str) -> Address | None:
        """Who a command's topic addresses; None if it isn't this room or one of its groups."""
        match topic.removeprefix(f"{self._root}/").split("/"):
            case ["room", name, "cmd", type] if name == self._room:
                return Address(Origin.HUB, name, type)
            case ["group", name, "cmd", type] if name in self._groups:
                return Address(Origin.GROUP, name, type)
        return None

    def may_reply_to(self, topic: str) -> bool:
        """Whether a Response Topic is one that we write to.

        Not with wildcards or empty (MQTT 5, 3.3.2.3.5), not the broker's own ($...), and not where
        rooms, groups and conductors have theirs: else whoever may send a command could speak for them. Nor one
        that brokers end the connection for: Mosquitto checks a topic's levels when we publish to it,
        and not when it passes it on to us.
        """
        owners = ("room", "group", "conductor")
        reserved = ("$", *(f"{self._root}/{owner}/" for owner in owners))
        return (
            bool(topic)
            and not topic.startswith(reserved)
            and not set(topic) & set("+#\0")
            and len(topic.encode("utf-8", "replace")) <= MAX_REPLY_BYTES
            and topic.count("/") <= MAX_REPLY_LEVELS
            and topic.isprintable()
        )
