"""The media process's figures in words: what goes out, and what comes in from each source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agent.locale import gettext as _

STATES: dict[str, Callable[[], str]] = {
    "connecting": lambda: _("connecting"),
    "connected": lambda: _("connected"),
    "flowing": lambda: "",
    "stalled": lambda: _("nothing arrives any more"),
    "refused": lambda: _("refused by the server"),
    "wrong-peer": lambda: _("somebody else answered in the server's place"),
    "unreachable": lambda: _("server not reachable"),
}
"""States of a WHIP or WHEP session -> a word; none where the figures say it."""


def media_lines(media: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """For each direction: its name, whether media flows, and its figures in one line."""
    uplink = media.get("uplink")
    if uplink:
        yield _("sending"), uplink.get("state") == "flowing", _figures(uplink)
    for downlink in media.get("downlinks") or ():
        figures = _figures(downlink)
        label = downlink.get("label")
        text = f"{label}: {figures}" if label and "://" not in label else figures
        yield _("receiving"), downlink.get("state") == "flowing", text


def _figures(link: dict[str, Any]) -> str:
    state = str(link.get("state"))
    parts = [STATES[state]() if state in STATES else state, str(link.get("text") or "")]
    if "picture_bits_per_second" in link:
        parts.append(_("picture {rate}").format(rate=_rate(link["picture_bits_per_second"])))
    if "frames_per_second" in link:
        parts.append(_("{rate:.0f} pictures/s").format(rate=link["frames_per_second"]))
    if link.get("picture_given_up"):
        parts.append(_("no picture: the link is too narrow"))
    if "sound_bits_per_second" in link:
        parts.append(_("sound {rate}").format(rate=_rate(link["sound_bits_per_second"])))
    losses = [link[name] for name in ("picture_loss_percent", "sound_loss_percent") if name in link]
    if losses:
        parts.append(_("loss {percent:.1f} %").format(percent=max(losses)))
    if "round_trip_milliseconds" in link:
        trip = link["round_trip_milliseconds"]
        parts.append(_("round trip {trip:.0f} ms").format(trip=trip))
    return ", ".join(part for part in parts if part)


def _rate(bits_per_second: float) -> str:
    if bits_per_second >= 1_000_000:
        return f"{bits_per_second / 1_000_000:.1f} Mbit/s"
    return f"{bits_per_second / 1000:.0f} kbit/s"
