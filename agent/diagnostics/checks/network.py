"""The network: an address, a way out, and a Wi-Fi that is strong and awake."""

from __future__ import annotations

from agent.config.rules import is_loopback
from agent.core.model.documents import HostHealth
from agent.diagnostics.checks.figures import host_figures
from agent.diagnostics.report import Finding, failed, ok, skipped, warning
from agent.diagnostics.site import Site
from agent.host.sampling import WEAK_SIGNAL_DBM
from agent.locale import gettext as _


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    figures = host_figures(site)
    if figures.interface is None:
        if site.sections.hub is not None and is_loopback(site.sections.hub.host):
            return [skipped("network-none", _("No way out, and none needed: the hub is here"))]
        return [_no_route()]
    if not figures.address:
        return [_no_address(figures)]
    return _wifi(figures) or [ok("network-ok", _("There is a way out"), _shown(figures))]


def _no_route() -> Finding:
    return failed(
        "network-no-route",
        _("There is no network"),
        _("no default route"),
        _("The network cable is out, or the router or the 4G modem is off"),
        _("Plug the network cable in at both ends (its lamps must light); restart the router"),
    )


def _no_address(figures: HostHealth) -> Finding:
    return failed(
        "network-no-address",
        _("The box has no network address"),
        str(figures.interface),
        _("The router gives none (DHCP)"),
        _("Restart the router; then unplug the network cable and plug it in again"),
    )


def _wifi(figures: HostHealth) -> list[Finding]:
    found: list[Finding] = []
    signal = figures.wifi_signal_dbm
    if signal is not None and signal < WEAK_SIGNAL_DBM:
        found.append(
            warning(
                "network-wifi-weak",
                _("The Wi-Fi is weak"),
                _shown(figures),
                _("The access point is too far away, or walls are between"),
                _("Use a network cable, or put the access point nearer"),
            )
        )
    if figures.wifi_power_save:
        found.append(
            warning(
                "network-wifi-power-save",
                _("The Wi-Fi saves power, which makes sound and picture late"),
                _shown(figures),
                advice=_("sudo iw dev {interface} set power_save off").format(
                    interface=figures.interface
                ),
            )
        )
    return found


def _shown(figures: HostHealth) -> str:
    parts = [str(figures.interface), str(figures.address)]
    if figures.link_megabits is not None:
        parts.append(f"{figures.link_megabits} Mbit/s")
    if figures.wifi_signal_dbm is not None:
        parts.append(f"{figures.wifi_signal_dbm} dBm")
    return ", ".join(parts)
