"""The panel: the on-air lamp and the mute button. Only looked up; `diemcau test` blinks and waits."""

from __future__ import annotations

from agent.diagnostics.checks.device import preliminary
from agent.diagnostics.report import Finding, ok
from agent.diagnostics.site import Site
from agent.locale import gettext as _


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    fitted = site.sections.devices is not None and site.sections.devices.panel is not None
    found = preliminary(site, "panel", fitted)
    return found or [ok("panel-ok", _("The panel with the lamp and the button is there"))]
