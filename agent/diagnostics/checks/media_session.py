"""A real session with the media server: does a picture and a sound go there and come back, and how well?

In a meeting nothing is tried: the meeting's own figures say it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import structs

from agent.core.model.commands import Endpoint
from agent.core.model.documents import MediaHealth, SessionFigures
from agent.diagnostics.media_path import in_words
from agent.diagnostics.report import Finding, failed, ok, skipped, timed, unchecked, warning
from agent.diagnostics.session_trial import (
    Interrupted,
    SessionFailed,
    Tried,
    session_figures,
    try_session,
)
from agent.diagnostics.site import Presence, Site
from agent.locale import gettext as _
from agent.settings import Media

LOSSY_PERCENT = 5.0
"""More than the sound's own repair makes good (Opus is sent for a loss of 5 %)."""

FAR_MILLISECONDS = 500.0
"""Twice the 150 ms each way that nobody notices (ITU-T G.114), and as much for the devices at both ends."""


def check(site: Site, media: Media, endpoint: Endpoint, meeting: str) -> list[Finding]:
    """Try it, unless a meeting needs the room now."""
    if site.daemon.presence is Presence.CLOSED:
        return [unchecked("media-session-closed", _("Could not be checked: run with sudo"))]
    try:
        if site.devices_needed():
            raise Interrupted
        tried = try_session(media, endpoint, meeting, site.devices_needed)
    except Interrupted:
        return [skipped("media-session-meeting", _("Not tried: a meeting is on, or began"))]
    except SessionFailed as error:
        if error.wants_token and not has_secret(endpoint.url, endpoint.token):
            return [_no_token()]
        return [not_up(error)]
    return judge(tried, plays=bool(media.play_urls))


def has_secret(url: str, token: str | None) -> bool:
    """Whether the room has something to be let in with, by itself. Else each join brings its own."""
    parts = urlsplit(url)
    return bool(token or parts.username or parts.query)


def _no_token() -> Finding:
    """A house that gives a token with each join has nothing wrong, and nothing to try with."""
    return skipped(
        "media-session-no-token",
        _(
            "No session tried: the media server wants a token, and this room gets one with each join"
        ),
        _("For a session at each check: diemcau config explain media.token_file"),
    )


def of_meeting(media: MediaHealth) -> list[Finding]:
    """What the meeting that is on shows."""
    up, back = media.uplink, media.downlinks[0] if media.downlinks else None
    link = up or back
    if link is None:
        return [skipped("media-session-none", _("This meeting neither sends nor plays anything"))]
    if link.state in ("refused", "unreachable", "wrong-peer"):
        return [not_up(SessionFailed(link.state, link.text))]
    figures = session_figures(up or link, back)
    if link.state != "flowing":
        return [_stalled(link.text or link.state, figures)]
    return _quality(figures) or [_well(_("The meeting's media flow"), figures)]


def judge(tried: Tried, *, plays: bool) -> list[Finding]:
    """What came of a session. `plays`: this room is to play what it gets from there."""
    found = _quality(tried.figures)
    if tried.refused:
        found.append(_half_refused(tried))
    if tried.returned not in ("flowing", "") and plays:
        found.append(_not_returned(tried))
    if found:
        return found
    title = _("A test picture and a tone went to the media server and came back")
    if tried.returned != "flowing":
        title = _("The media server took a test picture and a tone")
    return [_well(title, tried.figures)]


def _well(title: str, figures: SessionFigures) -> Finding:
    return structs.replace(ok("media-session-ok", title, describe(figures)), session=figures)


def _quality(figures: SessionFigures) -> list[Finding]:
    """Warnings for a path that is there, and bad."""
    found = []
    lost = max(figures.sent_loss_percent or 0, figures.received_loss_percent or 0)
    if lost > LOSSY_PERCENT:
        title = _("Too much is lost on the way to the media server and back")
        found.append(_bad_path("media-session-lossy", title, figures))
    if (figures.round_trip_milliseconds or 0) > FAR_MILLISECONDS:
        title = _("The way to the media server and back takes too long")
        found.append(_bad_path("media-session-far", title, figures))
    return found


def _bad_path(code: str, title: str, figures: SessionFigures) -> Finding:
    found = warning(
        code,
        title,
        describe(figures),
        _("A weak Wi-Fi or 4G, or somebody else fills the line"),
        _("Use a network cable; end other downloads; try again in a minute"),
    )
    return structs.replace(found, session=figures, timed=True)


def _stalled(evidence: str, figures: SessionFigures) -> Finding:
    found = failed(
        "media-session-stalled",
        _("The meeting's media do not flow"),
        evidence,
        _("The network or the media server fails; the room tries again by itself"),
        _("Check the network cable; ask the hub's operator whether the media server runs"),
    )
    return structs.replace(found, session=figures, timed=True)


def _half_refused(tried: Tried) -> Finding:
    found = warning(
        "media-session-half-refused",
        _("The media server does not take all that the room sends"),
        ", ".join(tried.refused),
        _("It knows no H.264 or no Opus, or is not set up for them"),
        _("Tell the hub's operator"),
    )
    return structs.replace(found, session=tried.figures)


def _not_returned(tried: Tried) -> Finding:
    """A server that does not know our guess of an address has not failed: it says no."""
    make = warning if tried.returned == "refused" else failed
    found = make(
        "media-session-not-returned",
        _("The media server takes a picture and a sound, but does not give them back"),
        f"{tried.returned}: {tried.text}" if tried.text else tried.returned,
        _("Its side for playing (WHEP) is off, or this room may not play there"),
        _("Tell the hub's operator"),
    )
    return structs.replace(found, session=tried.figures, timed=tried.returned != "refused")


def not_up(error: SessionFailed) -> Finding:
    """Why no stream of ours was taken."""
    match error.code:
        case "refused":
            return failed(
                "media-session-refused",
                _("The media server does not take this room's stream"),
                error.text,
                _("This room may not publish there, or the address in the settings is wrong"),
                _("Ask the hub's operator; see: diemcau config explain media.publish_url"),
            )
        case "wrong-peer":
            return failed(
                "media-session-wrong-peer",
                _("Somebody else answers in the media server's place"),
                error.text,
                _("Another machine took its address, or its answers are changed on the way"),
                _("Tell the hub's operator at once"),
            )
        case "crashed":
            return failed(
                "media-session-crashed",
                _("The media process does not work"),
                error.text,
                _("GStreamer or one of its parts is missing or broken"),
                _("Install the package again; send the output of: diemcau report"),
            )
    found = failed(
        "media-session-no-path",
        _("The media server answers, but no picture and sound get through to it"),
        error.text,
        _("A firewall lets HTTPS through and nothing else"),
        _("Have the firewall opened for what is named above, or set media.ice_servers up (TURN)"),
    )
    return timed(found)


def describe(figures: SessionFigures) -> str:
    """The figures in one line; those that are not known are left out."""
    told = (
        (figures.set_up_milliseconds, _("set up in {value} ms")),
        (figures.round_trip_milliseconds, _("round trip {trip:.0f} ms")),
        (figures.sent_loss_percent, _("{value:.0f} % lost going")),
        (figures.received_loss_percent, _("{value:.0f} % lost coming")),
    )
    parts = [text.format(value=value, trip=value) for value, text in told if value is not None]
    if figures.path:
        parts += [in_words(figures.path), *filter(None, [figures.path.remote_address])]
    return ", ".join(parts)
