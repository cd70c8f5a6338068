"""WHIP (RFC 9725) and WHEP over HTTP: an SDP offer goes out, an answer and a session URL come back.

Blocking, with deadlines, so it is called from threads of its own, never from GStreamer's. Tokens
are sent and never logged or put into an error.
"""

from __future__ import annotations

import contextlib
import http.client
import re
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

NOT_THIS = {400, 406, 415, 422, 500}
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


class CounterOffer(NamedTuple):
    """A WHEP server's own offer, to be answered by PATCH to the session's URL."""

    sdp: str
    session_url: str


class CounterOffered(MediaError):
    """The server takes no offer and has made one itself (draft-ietf-wish-whep, 4.2; 201 in older ones)."""

    def __init__(self, offer: CounterOffer) -> None:
        super().__init__("counter-offer", "the server makes the offer itself")
        self.offer = offer


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


def publish(dialer: Dialer, url: str, token: str | None, sdp: str) -> Answer:
    """POST the offer of what the room sends. Raises Refused or Unreachable, each with what to look at."""
    return _offer(dialer, url, token, sdp, PUBLISHING)


def play(dialer: Dialer, url: str, token: str | None, sdp: str) -> Answer:
    """POST the offer to play a source. Raises what `publish` does, or CounterOffered."""
    return _offer(dialer, url, token, sdp, PLAYING)


def answer(dialer: Dialer, session_url: str, token: str | None, sdp: str) -> None:
    """PATCH the answer to a server's own offer. Raises Refused or Unreachable."""
    reply = _request(dialer, "PATCH", session_url, token, sdp)
    if reply.status not in (200, 201, 202, 204):
        text = f"the answer to its own offer: {explain(reply, PLAYING, token)}"
        raise Refused(f"{shown(session_url)}: {text}", reply.status)


def _offer(
    dialer: Dialer, url: str, token: str | None, sdp: str, meanings: dict[int, str]
) -> Answer:
    asked = _host(url)
    for _ in range(MAX_REDIRECTS + 1):
        reply = _request(dialer, "POST", url, token, sdp)
        if reply.status not in (301, 302, 307, 308) or not reply.location:
            if _host(url) != asked:  # whoever that is does not speak through the room
                reply = reply._replace(body=reply.body if reply.body.startswith("v=0") else "")
            try:
                return _judge(url, reply, meanings, token)
            except Refused:
                _leave_nothing(dialer, url, token, reply)
                raise
        target = urljoin(url, reply.location)
        token = token if _origin(target) == _origin(url) else None
        url = target
    raise Refused(f"{shown(url)}: more than {MAX_REDIRECTS} redirects")


def _leave_nothing(dialer: Dialer, url: str, token: str | None, reply: Reply) -> None:
    """A refused answer may have made a session all the same."""
    if reply.location and reply.status in (200, 201, 406):
        with contextlib.suppress(MediaError):
            end(dialer, urljoin(url, reply.location), token)


def _judge(url: str, reply: Reply, meanings: dict[int, str], token: str | None) -> Answer:
    session_url = urljoin(url, reply.location) if reply.location else None
    body = reply.body.lstrip("\ufeff \r\n")
    is_sdp = body.startswith("v=0") and reply.content_type in (SDP, "text/plain", "")
    offered = is_sdp and (reply.status == 406 or "a=setup:actpass" in body)
    if offered and session_url and meanings is PLAYING and reply.status in (200, 201, 406):
        raise CounterOffered(CounterOffer(body, session_url))
    if reply.status not in (200, 201):
        raise Refused(f"{shown(url)}: {explain(reply, meanings, token)}", reply.status)
    if not is_sdp:
        raise Refused(
            f"{shown(url)}: answered {reply.status} with {reply.content_type or 'no type'} instead of "
            "an SDP answer; is this a WHIP or WHEP address?",
        )
    return Answer(body, session_url)


BOTH_WAYS = {
    401: "wants a bearer token, or another one (401)",
    403: "does not permit this (403)",
    405: "takes no POST (405): is this a WHIP or WHEP address?",
    406: "does not take this offer (406)",
}
PUBLISHING = BOTH_WAYS | {
    404: "nothing there (404): is this the address to publish to?",
    409: "busy (409): somebody publishes here already",
}
PLAYING = BOTH_WAYS | {
    404: "nothing there (404): nobody publishes it yet, or the address is wrong",
    409: "busy (409): nobody publishes here yet, or somebody else plays it",
}
MOST_SHOWN_LETTERS = 120


def explain(reply: Reply, meanings: dict[int, str], token: str | None) -> str:
    """What a refusal means, with the server's own words."""
    meaning = meanings.get(reply.status, f"answered {reply.status}")
    words = spoken(reply.body, token)
    return f"{meaning}: {words}" if words else meaning


def spoken(body: str, token: str | None) -> str:
    """A refusal's body for people: one line of letters, without markup and without the token."""
    if token:
        body = body.replace(token, "***")
    if found := re.search(r'"(?:error|message|detail)"\s*:\s*"((?:[^"\\]|\\.)*)"', body):
        body = found[1]
    body = re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]*>", " ", body, flags=re.S | re.I)
    body = "".join(letter if letter.isprintable() else " " for letter in body)
    words = " ".join(body.split())
    return words if len(words) <= MOST_SHOWN_LETTERS else words[: MOST_SHOWN_LETTERS - 3] + "..."


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


def _host(url: str) -> str | None:
    return urlsplit(url).hostname


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {DEADLINE_SECONDS:g} s"
    if isinstance(error, http.client.HTTPException):
        return f"not HTTP: {type(error).__name__}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
