"""How long a certificate is still good for: said before it ends, not after."""

from __future__ import annotations

from agent.diagnostics.report import Finding, warning
from agent.locale import gettext as _

SOON_DAYS = 14
"""Time for somebody to renew it and to bring it here."""


def ends_soon(whose: str, days: int) -> list[Finding]:
    """A warning if the certificate ends within two weeks."""
    if days >= SOON_DAYS:
        return []
    return [
        warning(
            "certificate-ends-soon",
            _("A certificate ends in {days} days").format(days=days),
            whose,
            advice=_("Ask the hub's operator for a new one now"),
        )
    ]
