"""WHIP (RFC 9725) and WHEP over HTTP: an SDP offer goes out, an answer and a session URL come back.

Blocking, with deadlines, so it is called from threads of its own, never from GStreamer's. Tokens
are sent and never logged or put into an error.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from agent.core.model.urls import shown
from agent.errors import MediaError
from agent.media.webrtc.dialing import Dialer

DEADLINE_SECONDS = 10.0
"""For each step of one request; a 3G link takes some."""

MAX_ANSWER_BYTES = 256 * 1024
MAX_REDIRECTS = 3
SDP = "application/sdp"
NOT_YET = {404, 409, 425, 429, 500, 502, 503, 504}
"""Answers that may be different soon: the source isn't there yet, or the server is starting."""

NOT_THIS = {400, 422, 500}
"""Answers of servers whose WebRTC does not take what the offer says (RFC 9725, 4.2, and what is met)."""

FORBIDDEN = {401, 403}


class Answer(NamedTuple):
    """The server's SDP, and the session's URL if it has one to DELETE."""

    sdp: str
    session_url: str | None


class Reply(NamedTuple):
    """What is used of an HTTP response."""

    status: int
    body: str
    content_type: str
    location: str | None


class Refused(MediaError):
    """The server answered no, or nothing that makes sense (`status` 0)."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__("refused", text)
        self.again = status in NOT_YET
        """Whether asking later may help."""
        self.of_offer = status in NOT_THIS
        """Whether another offer may help."""
        self.forbidden = status in FORBIDDEN
        """Whether it is the token that the server does not like."""


class Unreachable(MediaError):
    """Nobody answered in time."""

    def __init__(self, text: str) -> None:
        super().__init__("unreachable", text)


def offer(dialer: Dialer, url: str, token: str | None, sdp: str) -> Answer:
    """POST the offer. Raises Refused or Unreachable, each with what to look at."""
    for _ in range(MAX_REDIRECTS + 1):
        reply = _request(dialer, "POST", url, token, sdp)
        if reply.status not in (301, 302, 307, 308) or not reply.location:
            return _judge(url, reply)
        target = urljoin(url, reply.location)
        token = token if _origin(target) == _origin(url) else None
        url = target
    raise Refused(f"{shown(url)}: more than {MAX_REDIRECTS} redirects")


def _judge(url: str, reply: Reply) -> Answer:
    if reply.status == 406:
        raise Refused(
            f"{shown(url)}: the server wants to make the offer itself (406); a server is needed that takes "
            "the client's offer, as RFC 9725 and the newer WHEP drafts say",
        )
    if reply.status not in (200, 201):
        raise Refused(f"{shown(url)}: {_explain(reply)}", reply.status)
    if reply.content_type != SDP or not reply.body.startswith("v=0"):
        raise Refused(
            f"{shown(url)}: answered {reply.status} with {reply.content_type or 'no type'} instead of "
            "an SDP answer; is this a WHIP or WHEP address?",
        )
    return Answer(reply.body, urljoin(url, reply.location) if reply.location else None)


def _explain(reply: Reply) -> str:
    meanings = {
        401: "wants a bearer token, or another one (401)",
        403: "does not permit this token (403)",
        404: "nothing there (404): nobody publishes it yet, or the address is wrong",
        405: "takes no POST (405): is this a WHIP or WHEP address?",
        409: "busy (409): somebody else publishes here, or nobody does yet",
    }
    first_line = reply.body.strip().partition("\n")[0][:120]
    return meanings.get(reply.status, f"answered {reply.status} {first_line}".rstrip())


def end(dialer: Dialer, session_url: str, token: str | None) -> None:
    """DELETE the session; one that is already gone (404) is fine. Raises Refused or Unreachable."""
    reply = _request(dialer, "DELETE", session_url, token, None)
    if reply.status not in (200, 202, 204, 404, 410):
        raise Refused(f"{shown(session_url)}: DELETE answered {reply.status}")


def _request(dialer: Dialer, method: str, url: str, token: str | None, body: str | None) -> Reply:
    parts = urlsplit(url)
    headers = {"Accept": SDP}
    if body is not None:
        headers["Content-Type"] = SDP
    if token:
        headers["Authorization"] = f"Bearer {token}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with contextlib.closing(_connect(dialer, parts)) as connection:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            raw = response.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{shown(url)}: {_reason(error)}") from error
    content_type = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    text = raw.decode("utf-8", "replace")
    return Reply(response.status, text, content_type, response.getheader("Location"))


def _connect(dialer: Dialer, parts: SplitResult) -> http.client.HTTPConnection:
    """With the socket open already: http.client would make one attempt only."""
    host, secure = parts.hostname or "", parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, parts.port)
    opened = dialer.connect(host, connection.port, DEADLINE_SECONDS)
    opened.settimeout(DEADLINE_SECONDS)
    try:
        trust = ssl.create_default_context() if secure else None
        connection.sock = trust.wrap_socket(opened, server_hostname=host) if trust else opened
    except BaseException:
        opened.close()
        raise
    return connection


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {DEADLINE_SECONDS:g} s"
    if isinstance(error, http.client.HTTPException):
        return f"not HTTP: {type(error).__name__}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
