"""The media process's figures in words: what goes out, and what comes in from each source."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.core.model.documents import DownlinkHealth, MediaHealth, UplinkHealth
from agent.core.model.figures import LinkState, Medium
from agent.diagnostics.media_path import in_words
from agent.locale import gettext as _

STATES: dict[LinkState, Callable[[], str]] = {
    "connecting": lambda: _("connecting"),
    "connected": lambda: _("connected"),
    "flowing": lambda: "",
    "stalled": lambda: _("nothing arrives any more"),
    "refused": lambda: _("refused by the server"),
    "wrong-peer": lambda: _("somebody else answered in the server's place"),
    "unreachable": lambda: _("server not reachable"),
}
"""States of a WHIP or WHEP session -> a word; none where the figures say it."""


REFUSED: dict[Medium, Callable[[], str]] = {
    "picture": lambda: _("without picture: the server refuses it"),
    "sound": lambda: _("without sound: the server refuses it"),
}
"""Of two media one may be refused; without both there is no session."""


def media_lines(media: MediaHealth) -> Iterator[tuple[str, bool, str]]:
    """For each direction: its name, whether media flows, and its figures in one line."""
    if media.uplink:
        yield _("sending"), media.uplink.state == "flowing", _figures(media.uplink)
    for downlink in media.downlinks:
        figures, label = _figures(downlink), downlink.label
        text = figures if "://" in label else f"{label}: {figures}"
        yield _("receiving"), downlink.state == "flowing", text


def _figures(link: UplinkHealth | DownlinkHealth) -> str:
    parts = [STATES[link.state](), link.text]
    if link.picture_bits_per_second is not None:
        parts.append(_("picture {rate}").format(rate=_rate(link.picture_bits_per_second)))
    if isinstance(link, DownlinkHealth) and link.frames_per_second is not None:
        parts.append(_("{rate:.0f} pictures/s").format(rate=link.frames_per_second))
    if isinstance(link, DownlinkHealth) and link.decoders_failed:
        failed = ", ".join(link.decoders_failed)
        words = _("{decoder} decodes, {failed} failed")
        parts.append(words.format(decoder=link.decoder, failed=failed))
    elif isinstance(link, DownlinkHealth) and link.decoder and link.state == "flowing":
        parts.append(_("{decoder} decodes").format(decoder=link.decoder))
    if link.picture_given_up:
        parts.append(_("no picture: the link is too narrow"))
    if link.refused:
        parts.append(REFUSED[link.refused[0]]())
    if link.sound_bits_per_second is not None:
        parts.append(_("sound {rate}").format(rate=_rate(link.sound_bits_per_second)))
    losses = (link.picture_loss_percent, link.sound_loss_percent)
    if known := [loss for loss in losses if loss is not None]:
        parts.append(_("loss {percent:.1f} %").format(percent=max(known)))
    if link.round_trip_milliseconds is not None:
        trip = link.round_trip_milliseconds
        parts.append(_("round trip {trip:.0f} ms").format(trip=trip))
    if link.path:
        parts.append(in_words(link.path))
    return ", ".join(part for part in parts if part)


def _rate(bits_per_second: float) -> str:
    if bits_per_second >= 1_000_000:
        return f"{bits_per_second / 1_000_000:.1f} Mbit/s"
    return f"{bits_per_second / 1000:.0f} kbit/s"
