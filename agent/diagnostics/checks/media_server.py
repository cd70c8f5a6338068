"""The media server of the settings: does it answer, with a good certificate, and may we use it?

Each server is asked (OPTIONS); then a session is tried with the one that this room publishes to.
"""

from __future__ import annotations

import http.client
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from agent import settings
from agent.core.model.commands import Endpoint
from agent.core.model.urls import shown
from agent.diagnostics.checks import media_session
from agent.diagnostics.checks.certificate import ends_soon
from agent.diagnostics.endpoint import reach
from agent.diagnostics.report import Finding, Outcome, failed, ok, skipped, timed, warning
from agent.diagnostics.site import Site
from agent.locale import gettext as _

TIMEOUT_SECONDS = 5.0
MEETING = "diemcau-doctor-{room}"
"""Stands for {meeting} in URLs: a meeting of the room's own, in which nobody meets."""


class Answer(Struct, frozen=True):
    """What the server said to OPTIONS."""

    status: int
    date: datetime | None
    milliseconds: float
    certificate_days: int | None


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    if site.sections.media is None:
        return [skipped("media-server-unknown", _("Not looked at: the settings can't be read"))]
    status = site.daemon.status
    if site.daemon.in_meeting and status and status.health and status.health.media:
        return media_session.of_meeting(status.health.media)
    urls = servers(site)
    if not urls:
        text = _("No media server in the settings: each join must name it")
        return [skipped("media-server-none", text)]
    token = _token(site.sections.media)
    found = [finding for url in urls for finding in _check_one(url, token)]
    if any(finding.outcome is Outcome.FAILED for finding in found):
        return found
    return [*found, *_session(site, site.sections.media, token)]


def _session(site: Site, media: settings.Media, token: str | None) -> list[Finding]:
    """Nothing is sent to an address that a meeting of others may be playing."""
    if media.publish_url is None:
        return []
    if "{meeting}" not in media.publish_url:
        text = _("No session tried: media.publish_url is the same for every meeting")
        return [skipped("media-session-none", text)]
    endpoint = Endpoint(_filled(site, media.publish_url), token)
    return media_session.check(site, media, endpoint, _filled(site, MEETING))


def server_time(site: Site) -> datetime | None:
    """The time on the first media server that says it; None if none does."""
    for url in servers(site):
        try:
            answer = ask(url, None)
        except OSError:
            continue
        if answer.date is not None:
            return answer.date
    return None


def servers(site: Site) -> list[str]:
    """One URL for each server of the settings."""
    media = site.sections.media
    if media is None:
        return []
    templates = [*([media.publish_url] if media.publish_url else []), *media.play_urls]
    urls = [_filled(site, template) for template in templates]
    return list({urlsplit(url).netloc: url for url in reversed(urls)}.values())[::-1]


def _filled(site: Site, template: str) -> str:
    room = site.sections.room
    return template.replace("{meeting}", MEETING).replace("{room}", room.id if room else "room")


def ask(url: str, token: str | None) -> Answer:
    """Ask the server what it can do. Raises OSError."""
    parts = urlsplit(url)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    reached = reach(parts.hostname or "", _port(parts), context, TIMEOUT_SECONDS)
    connection = _connection(parts, context)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("OPTIONS", parts.path or "/", headers=headers)
        response = connection.getresponse()
        return Answer(
            response.status,
            _date(response.getheader("Date")),
            reached.connect_milliseconds,
            reached.certificate_days(datetime.now(UTC)),
        )
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP: {error!r}") from error
    finally:
        connection.close()


def _check_one(url: str, token: str | None) -> list[Finding]:
    where = shown(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")
    try:
        answer = ask(url, token)
    except ssl.SSLCertVerificationError as error:
        return [_bad_certificate(where, error)]
    except OSError as error:
        return [_unreachable(where, error)]
    if answer.status in (401, 403) and media_session.has_secret(url, token):
        return [_refused(where, answer.status)]
    if answer.status >= 500:
        return [_troubled(where, answer.status)]
    found = [] if answer.certificate_days is None else ends_soon(where, answer.certificate_days)
    evidence = _("{where} answers, connected in {milliseconds:.0f} ms").format(
        where=where, milliseconds=answer.milliseconds
    )
    return [ok("media-server-ok", _("The media server answers"), evidence), *found]


def _unreachable(where: str, error: OSError) -> Finding:
    found = failed(
        "media-server-unreachable",
        _("The media server can't be reached"),
        f"{where}: {error.strerror or error}",
        _("It is off, its address in the settings is wrong, or a firewall is between"),
        _("Ask the hub's operator whether it runs; see: diemcau config explain media.publish_url"),
    )
    return timed(found) if isinstance(error, TimeoutError) else found


def _bad_certificate(where: str, error: ssl.SSLCertVerificationError) -> Finding:
    return failed(
        "media-server-certificate",
        _("The media server's certificate is not good"),
        f"{where}: {error.verify_message}",
        _("It has expired, or this box's clock is wrong"),
        _("Compare the clock with your watch; otherwise the hub's operator must renew it"),
    )


def _refused(where: str, status: int) -> Finding:
    return failed(
        "media-server-refused",
        _("The media server refuses this room"),
        f"{where}: HTTP {status}",
        _("The token is missing or no longer good"),
        _("Get a new token from the hub's operator; see: diemcau config explain media.token_file"),
    )


def _troubled(where: str, status: int) -> Finding:
    return warning(
        "media-server-troubled",
        _("The media server has a fault of its own"),
        f"{where}: HTTP {status}",
        advice=_("Tell the hub's operator"),
    )


def _token(media: settings.Media) -> str | None:
    if media.token_file is None:
        return None
    try:
        return Path(media.token_file).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _connection(parts: SplitResult, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", _port(parts)
    if context is not None:
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
