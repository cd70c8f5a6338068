"""What can be asked on the control socket, and what is answered, for the daemon and its clients.

Commands go there too (`agent.core.model.commands`), and are answered by acks; `status` by a `RoomStatus`
and `health` by a `HealthDocument`.
"""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from agent.core.model.agenda import AgendaItem
from agent.core.model.tag import tag_of

LENDABLE = ("camera", "microphone", "speaker")
"""What the technician's tool may borrow while no meeting is on."""


class StatusQuery(Struct, frozen=True, tag_field="type", tag="status"):
    """The room as it stands."""


class HealthQuery(Struct, frozen=True, tag_field="type", tag="health"):
    """The health document, as of now; null before the first look."""


class AgendaQuery(Struct, frozen=True, tag_field="type", tag="agenda"):
    """The meetings to come."""


class SnapshotQuery(Struct, frozen=True, tag_field="type", tag="snapshot"):
    """A still of what the meeting sends or receives."""

    source: Literal["received", "sent"]


class BorrowQuery(Struct, frozen=True, tag_field="type", tag="borrow"):
    """Devices for the technician's tool, until its connection is closed."""

    devices: list[str]


Query = StatusQuery | HealthQuery | AgendaQuery | SnapshotQuery | BorrowQuery

QUERIES: dict[str, type[Query]] = {tag_of(kind): kind for kind in get_args(Query)}


Standing = Literal["in", "left", "elsewhere", "failing"]
"""How the room stands to an item: in it, left it by hand, is in another meeting, or its joins fail and are tried again."""


class AgendaAnswer(Struct, frozen=True, tag_field="type", tag="agenda"):
    """By the room's agenda, in order of time."""

    items: list[AgendaItem]
    standings: dict[str, Standing] = {}
    """By the item's id, of those of which there is something to say."""


class SnapshotAnswer(Struct, frozen=True, tag_field="type", tag="snapshot"):
    """The PNG at `path` is the asker's to remove; `error` is empty when it was written."""

    path: str
    error: str = ""


class BorrowAnswer(Struct, frozen=True, tag_field="type", tag="borrow"):
    """These are lent: the lamp is lit and the audit written."""

    devices: list[str]


class ErrorAnswer(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="error"):
    """Why a line was of no use; `id` is the command's, if one could be read."""

    code: str
    text: str
    id: str | None = None
