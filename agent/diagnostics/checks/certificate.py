"""How long a certificate is still good for: said before it ends, not after."""

from __future__ import annotations

from agent.diagnostics.report import Finding, warning
from agent.host.sampling import CERTIFICATE_SOON_DAYS
from agent.locale import gettext as _


def ends_soon(whose: str, days: int) -> list[Finding]:
    """A warning if the certificate ends within two weeks."""
    if days >= CERTIFICATE_SOON_DAYS:
        return []
    return [
        warning(
            "certificate-ends-soon",
            _("A certificate ends in {days} days").format(days=days),
            whose,
            advice=_("Ask the hub's operator for a new one now"),
        )
    ]
