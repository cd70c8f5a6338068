"""The conductor's closed lists in the reader's words: where a room is, why something was not done."""

from __future__ import annotations

from agent.locale import gettext as _


def room_status(status: str) -> tuple[str, str]:
    """Where a room of a meeting is: the word and its style."""
    return {
        "present": (_("there"), "ok"),
        "on-the-way": (_("on the way"), ""),
        "called": (_("called"), ""),
        "silent": (_("silent"), "failed"),
        "away": (_("not connected"), "failed"),
        "failed": (_("failed"), "failed"),
        "elsewhere": (_("in another"), "warning"),
        "stuck": (_("does nothing"), "failed"),
        "left": (_("has left"), "quiet"),
    }.get(status, (status, ""))


def refusal(code: str) -> str:
    """Why the conductor did not do it."""
    return {
        "already-running": _("this meeting is running already"),
        "run-elsewhere": _("another conductor runs this meeting"),
        "no-such-meeting": _("there is no such meeting"),
        "not-a-member": _("this room does not belong to the meeting"),
        "floor-full": _("enough rooms have the floor; take it from one first"),
        "floor-open": _("this room has the floor anyway"),
        "queue-empty": _("nobody has raised a hand"),
        "changed-meanwhile": _("somebody else was faster; look again"),
        "bad-meeting": _("this is no meeting that could be held"),
        "room-taken": _("a room is in another meeting"),
        "journal-failed": _("the journal can't be written, so nothing was done"),
        "bad-request": _("something in the request is not as it must be"),
    }.get(code, code)


def mode(value: str) -> str:
    """Who may speak."""
    return {
        "discussion": _("discussion"),
        "one-by-one": _("one by one"),
        "chair-grants": _("the chair grants"),
    }.get(value, value)


def connection(value: str) -> str:
    """A room's link to the hub."""
    return {
        "online": _("connected"),
        "offline": _("switched off"),
        "lost": _("lost"),
    }.get(value, _("never seen"))


def verdict(value: str) -> str:
    """What a room's last check said."""
    return {"go": _("ready"), "no-go": _("NOT READY")}.get(value, _("not checked"))
