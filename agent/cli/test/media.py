"""`diemcau test media`: a meeting of the room with itself, to see what the line carries.

The daemon does it, as it does every meeting; the microphone stays muted.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from agent.cli.media_lines import media_lines
from agent.cli.room import send
from agent.cli.session import Session, session_of
from agent.cli.test.bench import conclude, refuse_in_meeting, site_of
from agent.core.model.documents import MediaHealth
from agent.core.model.json_values import Fields
from agent.diagnostics.checks import media_server
from agent.diagnostics.report import Outcome
from agent.diagnostics.site import Presence, Site
from agent.errors import AgentError
from agent.locale import gettext as _

MEETING = "diemcau-test"
JOIN_SECONDS = 30.0
EVERY_SECONDS = 2.0


def media(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=1, max=120, help=_("how long"))] = 10,
) -> None:
    """Not in a meeting, and only with the daemon."""
    session = session_of(context)
    site = site_of(session)
    if site.daemon.presence is not Presence.UP:
        raise AgentError("no-daemon", _("Only with the agent: sudo systemctl start diemcau-agent"))
    refuse_in_meeting(site)
    findings = media_server.check(site)
    conclude(session, *findings)
    if all(finding.outcome is Outcome.SKIPPED for finding in findings):
        return
    try:
        send(session, "join", JOIN_SECONDS + 10, **_join(site))
        _measure(session, seconds)
    finally:
        send(session, "leave", meeting=MEETING)


def _join(site: Site) -> Fields:
    """Publish as in a meeting, and play that back if the server's addresses allow it."""
    assert site.sections.media is not None
    assert site.sections.room is not None
    url = (site.sections.media.publish_url or "").format(
        meeting=MEETING, room=site.sections.room.id
    )
    own = url.removesuffix("whip") + "whep" if url.endswith("whip") else ""
    return {
        "meeting": {"id": MEETING},
        "microphone": "muted",
        "play": [{"url": own}] if own else [],
        "timeout_seconds": JOIN_SECONDS,
    }


def _measure(session: Session, seconds: float) -> None:
    """The daemon's figures, a line a direction, every other second on a terminal and once in a file."""
    end = time.monotonic() + seconds
    media: MediaHealth | None = None
    while (remaining := end - time.monotonic()) > 0:
        if session.console.is_terminal:
            time.sleep(min(EVERY_SECONDS, remaining))
        else:
            time.sleep(remaining)
        health = session.client.status().health
        media = (health.media if health else None) or media
        for name, _flows, text in media_lines(media) if media else ():
            session.console.print(f"  {name}: {text}")
