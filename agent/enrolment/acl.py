"""Mosquitto's access list, made from the register: a room its own topics, an operator the commands.

Mosquitto knows users but no groups, so each room's groups are spelled out. User names are the
certificates' common names (`use_identity_as_username`).
"""

from __future__ import annotations

from datetime import datetime

from agent.enrolment.register import Kind, Register

_HEAD = """\
# Made by `diemcau hub`; changes by hand are overwritten. After a change: systemctl restart mosquitto

# Whoever it is (%u is the certificate's common name): a room's own topics, and those of everybody.
pattern read {root}/room/%u/cmd/+
pattern read {root}/group/all/cmd/+
pattern read {root}/room/%u/agenda
pattern read {root}/group/all/agenda
pattern readwrite {root}/room/%u/state
pattern readwrite {root}/room/%u/echo
pattern write {root}/room/%u/health
pattern write {root}/room/%u/event/+
pattern write {root}/room/%u/ack/+
pattern write {root}/reply/+
pattern read {root}/reply/%u
"""

_OPERATOR = """
user {name}
topic write {root}/room/+/cmd/+
topic write {root}/group/+/cmd/+
topic readwrite {root}/room/+/agenda
topic readwrite {root}/group/+/agenda
topic read {root}/room/+/state
topic read {root}/room/+/health
topic read {root}/room/+/event/+
topic read {root}/room/+/ack/+
topic readwrite {root}/conductor/+/state
"""


def render(register: Register, now: datetime) -> str:
    """The whole file."""
    root = register.topic_root
    parts = [_HEAD.format(root=root)]
    for name, room in register.current(Kind.ROOM, now).items():
        groups = [
            f"topic read {root}/group/{group}/{what}\n"
            for group in room.groups
            for what in ("cmd/+", "agenda")
        ]
        if groups:
            parts.append(f"\nuser {name}\n" + "".join(groups))
    parts += [
        _OPERATOR.format(root=root, name=name) for name in register.current(Kind.OPERATOR, now)
    ]
    return "".join(parts)
