"""HTTP as a media server is asked: who may be asked, what a secret may be shown to, which redirects are followed.

One rule for secrets: a token or password goes to the origin that it was given for, and never from https down
to http. One for addresses: each URL, also of a redirect or Location, must be at an allowed host, and its name
must lead to an address that may stand for it. Blocking, with deadlines; never log what is sent.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import http.client
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from email.message import Message
from functools import partial
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from agent.core.model.commands import Endpoint, Source
from agent.core.model.hosts import AllowedHosts
from agent.core.model.urls import shown
from agent.errors import MediaError
from agent.media.webrtc.dialing import Dialer, ForbiddenAddress

DEADLINE_SECONDS = 10.0
"""For each step of one request; a 3G link takes some."""

LATE_SECONDS = 60.0
"""For which an answer that nobody waits for any more is still listened for: it may name what the request has made."""

MAX_ANSWER_BYTES = 256 * 1024
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 307, 308)
"""All are followed with method and body as they were: 301 and 302 make a GET of a POST for browsers only."""

LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A server that says more is asked again then all the same: the meeting may be over by its own word."""

NOT_YET = {404, 409, 425, 429, 500, 502, 503, 504}
"""Answers that may be different soon: the source isn't there yet, or the server is starting."""

NOT_THIS = {400, 406, 415, 422, 500}
"""Answers of servers whose WebRTC does not take what the offer says (RFC 9725, 4.2, and what is met)."""

FORBIDDEN = {401, 403}
VISIBLE = re.compile(r"[!-~]+")
"""What may stand in an Authorization header (RFC 6750, 2.1, read kindly)."""

TCP_INFO_BYTES, LEAST_ROUND_TRIP_OFFSET = 152, 148
"""Of `struct tcp_info` (linux/tcp.h): up to tcpi_min_rtt, a u32 in microseconds."""

SAFE = "/%:@!$&'()*+,;=~-._"
"""Not encoded in a path, `%` since it was encoded already."""


class Refused(MediaError):
    """The server answered no, or nothing that makes sense (`status` 0).

    `retry_after_seconds` is how long it wants to be left alone, if it says so.
    """

    def __init__(
        self, text: str, status: int = 0, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__("refused", text)
        self.again = status in NOT_YET
        """Whether asking later may help."""
        self.of_offer = status in NOT_THIS
        """Whether another offer may help."""
        self.forbidden = status in FORBIDDEN
        """Whether it is the token that the server does not like."""
        self.retry_after_seconds = retry_after_seconds


class Unreachable(MediaError):
    """Nobody answered in time."""

    def __init__(self, text: str, *, nobody_listens: bool = False) -> None:
        super().__init__("unreachable", text)
        self.nobody_listens = nobody_listens
        """Whether its machine said so: the way there is open, and the server is gone."""


class Secret(NamedTuple):
    """What an Authorization header says, and the URL that it was given for."""

    header: str | None
    given_for: str

    def for_url(self, url: str) -> str | None:
        """The header's value for this URL; None where the secret must not go."""
        home, there = urlsplit(self.given_for), urlsplit(url)
        upgraded = (home.scheme, there.scheme) == ("http", "https")
        same = _origin(home) == _origin(there) or (upgraded and _host(home) == _host(there))
        return self.header if same else None


class HttpRequest(NamedTuple):
    """`headers` come beside Host, Accept and Authorization."""

    method: str
    url: str
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class HttpReply(NamedTuple):
    """`url` is where the answer came from, after redirects; header names in any case."""

    url: str
    status: int
    body: str
    headers: Message
    round_trip_seconds: float | None = None
    """To whoever answered and back, the least that the kernel saw."""

    def header(self, name: str) -> str | None:
        return _text(self.headers[name]) if name in self.headers else None

    def every(self, name: str) -> list[str]:
        """Each header of this name."""
        return [_text(value) for value in self.headers.get_all(name) or []]

    @property
    def location(self) -> str | None:
        """Absolute."""
        told = self.header("Location")
        try:
            return urljoin(self.url, told) if told else None
        except ValueError:  # `http://[` is no address
            return None

    @property
    def content_type(self) -> str:
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def retry_after_seconds(self) -> float | None:
        """RFC 9110, 10.2.3: seconds or a date; None for neither."""
        told = (self.header("Retry-After") or "").strip()
        if re.fullmatch(r"[0-9]{1,9}", told):
            return min(float(told), LONGEST_RETRY_AFTER_SECONDS)
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            seconds = email.utils.parsedate_to_datetime(told).timestamp() - time.time()
            return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)
        return None


OnLate = Callable[[HttpReply], None]
"""Gets an answer that came too late, or broke off after its headers (then `body` is empty), in a thread of its own."""


class HttpClient:
    """May be used from any thread."""

    def __init__(self, dialer: Dialer, hosts: AllowedHosts) -> None:
        self._dialer = dialer
        self.hosts = hosts

    def ask(self, request: HttpRequest, secret: Secret, on_late: OnLate | None = None) -> HttpReply:
        """The answer of whoever it was passed on to. Raises Refused or Unreachable.

        `on_late` may still be called after that, for LATE_SECONDS.
        """
        url = request.url
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._ask_once(request._replace(url=url), secret, on_late)
            if reply.status not in REDIRECTS or not reply.location:
                return reply
            url = reply.location
        raise Refused(f"{shown(request.url)}: more than {MAX_REDIRECTS} redirects")

    def _ask_once(self, request: HttpRequest, secret: Secret, on_late: OnLate | None) -> HttpReply:
        url = request.url
        if urlsplit_or_none(url) is None or not self.hosts.permits(url):
            raise Refused(
                f"{shown(url)}: media.allowed_hosts of the room's settings does not permit this host"
            )
        parts = encoded(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": "application/sdp", **dict(request.headers)}
        if value := secret.for_url(url):
            headers["Authorization"] = value
        try:
            connection = self._connect(url, parts)
            try:
                body = None if request.body is None else request.body.encode()
                connection.request(request.method, target, body=body, headers=headers)
            except BaseException:
                connection.close()
                raise
            return Awaited(url, connection, on_late).reply()
        except ForbiddenAddress as error:
            raise Refused(f"{shown(url)}: {error.strerror}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            gone = isinstance(error, ConnectionRefusedError)
            raise Unreachable(f"{shown(url)}: {_reason(error)}", nobody_listens=gone) from None

    def _connect(self, url: str, parts: SplitResult) -> http.client.HTTPConnection:
        """With the socket open already: http.client would make one attempt only."""
        host, secure = parts.hostname or "", parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(host, parts.port)
        opened = self._dialer.connect(
            host,
            connection.port,
            DEADLINE_SECONDS,
            permits=lambda address: self.hosts.permits_address(url, address),
        )
        opened.settimeout(DEADLINE_SECONDS)
        try:
            trust = ssl.create_default_context() if secure else None
            connection.sock = trust.wrap_socket(opened, server_hostname=host) if trust else opened
        except BaseException:
            opened.close()
            raise
        return connection


class Awaited:
    """One answer that is due. Its caller waits DEADLINE_SECONDS for it; whoever reads it, in a thread of its own, goes
    on for LATE_SECONDS more, since http.client cannot read on after a time-out.
    """

    def __init__(
        self, url: str, connection: http.client.HTTPConnection, on_late: OnLate | None
    ) -> None:
        """`connection` has sent its request; it is closed in the end."""
        self._url = url
        self._connection = connection
        self._on_late = on_late
        self._late_seconds = LATE_SECONDS if on_late else 0.0
        self._round_trip_seconds = _round_trip_seconds(connection.sock)
        self._lock = threading.Lock()
        self._outcome: HttpReply | str | None = None
        """Words, where there is no answer: an exception would lead to all that its caller holds."""
        self._over = threading.Event()
        self._given_up = False

    def reply(self) -> HttpReply:
        """Raises Unreachable."""
        connection = self._connection.sock
        connection.settimeout(DEADLINE_SECONDS + self._late_seconds)
        threading.Thread(target=self._read, name="answer", daemon=True).start()
        self._over.wait(DEADLINE_SECONDS)
        with self._lock:
            outcome, self._given_up = self._outcome, self._outcome is None
        if outcome is None:
            limit = partial(self._break_off, connection)
            threading.Thread(target=limit, name="late-answer", daemon=True).start()
            outcome = _reason(TimeoutError())
        if isinstance(outcome, str):
            raise Unreachable(f"{shown(self._url)}: {outcome}")
        return outcome

    def _break_off(self, connection: socket.socket) -> None:
        """In a while, or at once where nobody wants it any more; a server that says a letter a minute ends as well."""
        self._over.wait(self._late_seconds)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _read(self) -> None:
        begun: HttpReply | None = None
        outcome: HttpReply | str
        try:
            with contextlib.closing(self._connection) as connection:
                response = connection.getresponse()
                begun = HttpReply(
                    self._url, response.status, "", response.headers, self._round_trip_seconds
                )
                raw = response.read(MAX_ANSWER_BYTES)
            outcome = begun = begun._replace(body=raw.decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            outcome = _reason(error)
        with self._lock:
            self._outcome, given_up = outcome, self._given_up
        self._over.set()
        if begun and self._on_late and (given_up or isinstance(outcome, str)):
            self._on_late(begun)


def secret_of(endpoint: Endpoint | Source) -> Secret:
    """The endpoint's bearer token, or else the user and password in its URL (RFC 7617).

    Raises Refused, without the token, where it can't be sent at all.
    """
    parts = urlsplit_or_none(endpoint.url)
    if endpoint.token:
        if not VISIBLE.fullmatch(endpoint.token):
            raise Refused(
                f"{shown(endpoint.url)}: its token can't be sent: it may have visible ASCII letters only, no "
                "line ends and no spaces"
            )
        return Secret(f"Bearer {endpoint.token}", endpoint.url)
    if parts is None or parts.username is None:
        return Secret(None, endpoint.url)
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Secret(f"Basic {base64.b64encode(pair.encode()).decode()}", endpoint.url)


def urlsplit_or_none(url: str) -> SplitResult | None:
    """The parts of an http or https URL with a host; None for anything else."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def encoded(url: str) -> SplitResult:
    """The URL as it goes over the line: ASCII, without user and fragment. Raises Refused."""
    parts = urlsplit(url)
    try:
        host = (parts.hostname or "").rstrip(".")
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise Refused(f"{shown(url)}: no host name") from None
    place = f"[{host}]" if ":" in host else host
    netloc = place if parts.port is None else f"{place}:{parts.port}"
    path, query = quote(parts.path, safe=SAFE), quote(parts.query, safe=SAFE + "?")
    return urlsplit(urlunsplit((parts.scheme, netloc, path, query, "")))


def same_host(url: str, other: str) -> bool:
    """Whether both are of one host, on whichever port."""
    return _host(urlsplit(url)) == _host(urlsplit(other))


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, _host(parts), parts.port or default


def _round_trip_seconds(connection: socket.socket) -> float | None:
    """What the kernel says of the connection's beginning; None where it says nothing."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    if len(told) < TCP_INFO_BYTES:
        return None
    microseconds: int = struct.unpack_from("I", told, LEAST_ROUND_TRIP_OFFSET)[0]
    return microseconds / 1e6


def _text(header: str) -> str:
    """Headers are read as Latin-1; what servers write is UTF-8."""
    try:
        return str(header).encode("latin-1").decode()
    except UnicodeError:
        return str(header)


def _reason(error: Exception) -> str:
    """In words that never show what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {DEADLINE_SECONDS:g} s"
    if isinstance(error, http.client.HTTPException):
        return f"not HTTP: {type(error).__name__}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"cannot be asked: {type(error).__name__}"
