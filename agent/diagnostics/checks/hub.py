"""The hub: its name, its port, its certificate, the login, the round trip, the permissions.

What the daemon says of its own link comes first; where that is down, a trial of ours shows why.
"""

from __future__ import annotations

from datetime import UTC, datetime

from agent.diagnostics.checks import hub_words
from agent.diagnostics.checks.certificate import ends_soon
from agent.diagnostics.endpoint import Reached, reach
from agent.diagnostics.report import Finding, ok, skipped, unchecked
from agent.diagnostics.site import Presence, Site
from agent.errors import HubError
from agent.hub import reasons, tls
from agent.hub.certificate import days_left
from agent.hub.trial import TrialResult, is_exclusive, try_hub
from agent.locale import gettext as _
from agent.settings import Hub, Room

TIMEOUT_SECONDS = 8.0
ROUND_TRIPS = 5


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    hub, room = site.sections.hub, site.sections.room
    if hub is None or room is None:
        return [skipped("hub-unknown", _("Not looked at: the settings can't be read"))]
    try:
        reached = reach_hub(hub)
    except HubError as error:
        if isinstance(error.__cause__, PermissionError):
            text = _("Could not be checked: the room's certificate may not be read by this user")
            return [unchecked("hub-closed", text)]
        return [hub_words.describe(error.code, error.text)]
    return [*(_link(site) or _trial(site, hub, room)), *_certificates(hub, reached)]


def reach_hub(hub: Hub) -> Reached:
    """DNS, TCP and TLS. Raises HubError."""
    context = tls.client_context(hub.tls) if hub.tls else None
    try:
        return reach(hub.host, hub.port, context, min(TIMEOUT_SECONDS, hub.connect_timeout_seconds))
    except OSError as error:
        raise reasons.from_os_error(error, hub) from error


def _link(site: Site) -> list[Finding] | None:
    """The daemon's own link, if it is up."""
    status = site.daemon.status
    if status is None or not status.link.up:
        return None
    if status.link.code != "ok":
        return [hub_words.describe(status.link.code, status.link.text)]
    trip = status.link.round_trip_milliseconds
    evidence = "" if trip is None else _("round trip {trip:.0f} ms").format(trip=trip)
    return [ok("hub-ok", _("The agent is connected with the hub"), evidence)]


def _certificates(hub: Hub, reached: Reached) -> list[Finding]:
    """Warnings for the hub's and the room's certificates."""
    now = datetime.now(UTC)
    of_hub = reached.certificate_days(now)
    of_room = days_left(hub.tls.certificate, now) if hub.tls and hub.tls.certificate else None
    return [
        finding
        for whose, days in ((_("the hub's"), of_hub), (_("this room's"), of_room))
        if days is not None and days >= 0
        for finding in ends_soon(whose, int(days))
    ]


def _trial(site: Site, hub: Hub, room: Room) -> list[Finding]:
    """Our own login, since the daemon has none; not where the two would throw each other out."""
    if is_exclusive(hub) and site.daemon.presence is not Presence.DOWN:
        status = site.daemon.status
        if status is not None:
            return [hub_words.describe(status.link.code, status.link.text)]
        return [skipped("hub-not-tried", _("It answers; the login is the agent's alone"))]
    try:
        result = try_hub(hub, room, ROUND_TRIPS)
    except HubError as error:
        return [hub_words.describe(error.code, error.text)]
    if result.refused:
        return [hub_words.describe("subscription-refused", ", ".join(result.refused))]
    status = site.daemon.status
    if site.daemon.presence is Presence.UP and status is not None:
        return [hub_words.describe(status.link.code, status.link.text)]
    return [ok("hub-ok", _("The hub lets this room in"), describe(result))]


def describe(result: TrialResult) -> str:
    """The figures in one line."""
    trips = sorted(result.round_trips_milliseconds)
    return _("login {login:.0f} ms, round trip {median:.0f} ms").format(
        login=result.login_milliseconds, median=trips[len(trips) // 2] if trips else 0
    )
