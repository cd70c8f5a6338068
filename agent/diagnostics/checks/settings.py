"""The settings file: every problem at once, as the daemon would say it when it starts."""

from __future__ import annotations

from agent.diagnostics.report import Finding, failed, ok
from agent.diagnostics.site import Presence, Site
from agent.locale import gettext as _


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    if not site.problems:
        return [ok("settings-ok", _("The settings can be used"), str(site.config_path))]
    verb = "reload" if site.daemon.presence is Presence.UP else "restart"
    advice = _("Correct it: sudo nano {path}; then: sudo systemctl {verb} diemcau-agent").format(
        path=site.config_path, verb=verb
    )
    if not site.config_path.exists():
        advice = _("Make them: sudo diemcau setup")
    evidence = "\n".join(site.problems)
    return [failed("settings-broken", _("The settings are broken"), evidence, advice=advice)]
