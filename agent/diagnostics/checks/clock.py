"""The clock: is it synchronised, and does it agree with others?

A box without battery starts in the past, and with a wrong clock certificates and expiry fail.
"""

from __future__ import annotations

from datetime import UTC, datetime

from agent.diagnostics.checks.figures import host_figures
from agent.diagnostics.checks.media_server import server_time
from agent.diagnostics.report import Finding, failed, ok, skipped, warning
from agent.diagnostics.site import Site
from agent.locale import gettext as _

WRONG_SECONDS = 60.0
"""More than a command's expiry or a certificate's first minutes can bear."""


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    now = datetime.now(UTC)
    elsewhere = server_time(site)
    if elsewhere is not None and abs((now - elsewhere).total_seconds()) > WRONG_SECONDS:
        return [_wrong(now, elsewhere)]
    if site.sections.clock is not None and site.sections.clock.trusted:
        return [ok("clock-ok", _("The clock is trusted by the settings"), _shown(now))]
    if host_figures(site).clock_synchronised:
        return [ok("clock-ok", _("The clock is synchronised"), _shown(now))]
    if elsewhere is not None:
        text = _("The clock is not synchronised, but agrees with the media server")
        return [skipped("clock-agrees", text)]
    return [
        warning(
            "clock-unsynchronised",
            _("The clock is not synchronised"),
            _shown(now),
            _("No time server can be reached: no network, or a firewall blocks NTP (UDP 123)"),
            _(
                "Compare with your watch; set it by hand: sudo timedatectl set-time '2026-01-31 07:15'"
            ),
        )
    ]


def _wrong(now: datetime, elsewhere: datetime) -> Finding:
    evidence = _("here {here}, on the media server {there}").format(
        here=_shown(now), there=_shown(elsewhere)
    )
    return failed(
        "clock-wrong",
        _("The clock is wrong"),
        evidence,
        _("The box was without power and can't reach a time server"),
        _("Compare with your watch; check the network; sudo systemctl restart systemd-timesyncd"),
    )


def _shown(moment: datetime) -> str:
    return moment.astimezone().strftime("%d/%m/%Y %H:%M:%S")
