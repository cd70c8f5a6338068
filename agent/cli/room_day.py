"""What a room says of itself beside its agenda: whether it is ready, and why it is not in a meeting."""

from __future__ import annotations

from agent.cli import words
from agent.core.model.documents import CheckFinding
from agent.core.model.local_queries import Standing
from agent.core.model.room_status import RoomStatus
from agent.locale import gettext as _


def standing_text(standing: Standing | None, status: RoomStatus) -> str:
    """How it stands to one meeting; empty if there is nothing to say."""
    match standing:
        case "in":
            return _("the room is in it")
        case "left":
            return _("left by hand: not joined again")
        case "elsewhere":
            meeting = status.state.meeting
            return _("not joined: the room is in meeting {meeting}").format(
                meeting=meeting.id if meeting else "?"
            )
        case "failing":
            ack = status.failed_join
            why = words.ack_text(ack) if ack else _("no answer yet")
            return _("not joined yet, tried again by itself: {why}").format(why=why)
    return ""


def readiness_text(status: RoomStatus) -> str:
    """By the last check, if that is to be believed."""
    readiness = status.health.readiness if status.health else None
    if readiness is None or readiness.at is None:
        return _("Whether the room is ready is not known: it was not checked yet")
    at = f"{readiness.at.astimezone():%d/%m %H:%M}"
    if readiness.verdict == "go":
        return _("The room is ready, checked {at}").format(at=at)
    if readiness.verdict == "unknown":
        return _(
            "Whether the room is ready is not known: the check of {at} holds no longer"
        ).format(at=at)
    failed = [one for one in readiness.findings if one.severity == "failed"]
    faults = "; ".join(map(finding_text, failed))
    return _("The room is not ready, checked {at}: {faults}").format(at=at, faults=faults)


def finding_text(found: CheckFinding) -> str:
    """What a check found, with the doctor's own words for a device."""
    from agent.diagnostics.checks.trouble import describe

    kind, _dash, code = found.code.partition("-")
    if kind in words.DEVICE_KINDS:
        return describe(kind, code, found.seen).title
    return f"{found.code}: {words.text(found.seen)}"
