"""`diemcau test hub`: one step after the other, each with its time; then many round trips."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from agent.cli.session import Session, session_of
from agent.cli.test.bench import conclude, site_of
from agent.diagnostics.checks import hub_words
from agent.diagnostics.checks.hub import reach_hub
from agent.diagnostics.site import Presence, Site
from agent.errors import AgentError, HubError
from agent.hub.trial import TrialResult, is_exclusive, try_hub
from agent.locale import gettext as _


def hub(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=10_000, help=_("round trips"))] = 100,
) -> None:
    """Beside the agent's own connection, which is not touched."""
    session = session_of(context)
    site = site_of(session)
    sections = site.sections
    if sections.hub is None or sections.room is None:
        raise AgentError("bad-settings", _("The settings can't be read; see: diemcau config check"))
    try:
        reached = reach_hub(sections.hub)
        text = _("{host}:{port} is {address}; connected in {milliseconds:.0f} ms")
        _say(
            session,
            text.format(
                host=sections.hub.host,
                port=sections.hub.port,
                address=reached.address,
                milliseconds=reached.connect_milliseconds,
            ),
        )
        days = reached.certificate_days(datetime.now(UTC))
        if days is not None:
            _say(session, _("its certificate is good for {days} more days").format(days=days))
        if is_exclusive(sections.hub) and site.daemon.presence is not Presence.DOWN:
            _show_link(session, site)
        else:
            _show(session, try_hub(sections.hub, sections.room, count))
    except HubError as error:
        conclude(session, hub_words.describe(error.code, error.text))


def _show_link(session: Session, site: Site) -> None:
    """A login of ours would throw the agent out: its own link must do."""
    status = site.daemon.status
    if status is None:
        raise AgentError("daemon-silent", site.daemon.text)
    if not status.link.up:
        conclude(session, hub_words.describe(status.link.code, status.link.text))
    trip = status.link.round_trip_milliseconds
    text = _("the agent is logged in; its last round trip took {trip:.1f} ms")
    _say(session, text.format(trip=trip or 0.0))
    _say(session, _("more only without the agent: sudo systemctl stop diemcau-agent"))


def _show(session: Session, result: TrialResult) -> None:
    text = _("logged in after {milliseconds:.0f} ms")
    _say(session, text.format(milliseconds=result.login_milliseconds))
    trips = sorted(result.round_trips_milliseconds)
    if trips:
        text = _("{n} round trips through the broker: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
        p50, p99 = trips[len(trips) // 2], trips[min(len(trips) - 1, len(trips) * 99 // 100)]
        _say(session, text.format(n=len(trips), p50=p50, p99=p99))
    if result.refused:
        topics = ", ".join(result.refused)
        conclude(session, hub_words.describe("subscription-refused", topics))
    _say(session, _("may receive its commands, and its group's"))


def _say(session: Session, text: str) -> None:
    from rich.text import Text

    from agent.cli.findings import WORD_WIDTH

    session.console.print(Text.assemble((f"{_('ok'):<{WORD_WIDTH}} ", "ok"), text))
