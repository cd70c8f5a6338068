"""The power supply and the heat: a Raspberry Pi tells when its voltage drops or it slows down."""

from __future__ import annotations

from agent.diagnostics.checks.figures import host_figures
from agent.diagnostics.report import Finding, failed, ok, skipped, warning
from agent.diagnostics.site import Site
from agent.host.sampling import HOT_CELSIUS
from agent.locale import gettext as _


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    figures = host_figures(site)
    celsius = figures.cpu_celsius
    heat = [_hot(celsius)] if celsius is not None and celsius >= HOT_CELSIUS else []
    if figures.under_voltage is None:
        return heat or [skipped("power-unknown", _("This machine doesn't measure its supply"))]
    evidence = _("{celsius:.0f} °C").format(celsius=celsius) if celsius is not None else ""
    if figures.under_voltage:
        return [*heat, _weak(_("under-voltage right now"))]
    if figures.under_voltage_since_boot:
        return [*heat, _was_weak()]
    return heat or [ok("power-ok", _("The power supply is strong enough"), evidence)]


def _weak(evidence: str) -> Finding:
    return failed(
        "power-under-voltage",
        _("The power supply is too weak"),
        evidence,
        _("Not the original supply, a long or thin cable, or too many USB devices"),
        _("Use the Raspberry Pi's own supply and cable; unplug USB devices that aren't needed"),
    )


def _was_weak() -> Finding:
    return warning(
        "power-under-voltage-occurred",
        _("The power supply was too weak for a moment"),
        _("under-voltage since the last start"),
        _("Not the original supply, a long or thin cable, or too many USB devices"),
        _("Use the Raspberry Pi's own supply and cable; unplug USB devices that aren't needed"),
    )


def _hot(celsius: float) -> Finding:
    return warning(
        "power-hot",
        _("The box is too hot"),
        _("{celsius:.0f} °C").format(celsius=celsius),
        _("Its fan stands still or its air holes are covered"),
        _("Clear the air holes, see whether the fan turns, take it out of the sun"),
    )
