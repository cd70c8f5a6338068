"""WHIP (RFC 9725) and WHEP over HTTP: an SDP offer goes out, an answer and a session URL come back.

Blocking, with deadlines, so it is called from threads of its own, never from GStreamer's. What is sent
where is `agent.media.webrtc.http`'s.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from agent.core.model.cleaning import visible
from agent.core.model.commands import Endpoint, Source
from agent.core.model.urls import shown
from agent.errors import MediaError
from agent.media.webrtc.http import (
    HttpClient,
    HttpReply,
    HttpRequest,
    Refused,
    Unreachable,
    same_host,
    secret_of,
)
from agent.media.webrtc.ice import IceServer
from agent.media.webrtc.links import ice_servers

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


class Answer(NamedTuple):
    """The server's SDP, and the session's URL if it has one to DELETE."""

    sdp: str
    session_url: str | None
    round_trip_seconds: float | None = None
    """To the server and back, by TCP."""
    ice_servers: tuple[IceServer, ...] = ()
    """What the server names to help media through (RFC 9725, 4.6)."""
    etag: str | None = None
    """Of the session's ICE, for `trickle`."""


class CounterOffer(NamedTuple):
    """A WHEP server's own offer, to be answered by PATCH to the session's URL."""

    sdp: str
    session_url: str


class CounterOffered(MediaError):
    """The server takes no offer and has made one itself (draft-ietf-wish-whep, 4.2; 201 in older ones)."""

    def __init__(self, offer: CounterOffer) -> None:
        super().__init__("counter-offer", "the server makes the offer itself")
        self.offer = offer


Leave = Callable[[str], None]
"""Gets the URL of a session that an offer made and nobody wants, to end it; perhaps after the offer was given up."""


def publish(
    client: HttpClient, endpoint: Endpoint | Source, sdp: str, leave: Leave | None = None
) -> Answer:
    """POST the offer of what the room sends. Raises Refused or Unreachable, each with what to look at."""
    return _offer(client, endpoint, sdp, PUBLISHING, leave)


def play(
    client: HttpClient, endpoint: Endpoint | Source, sdp: str, leave: Leave | None = None
) -> Answer:
    """POST the offer to play a source. Raises what `publish` does, or CounterOffered."""
    return _offer(client, endpoint, sdp, PLAYING, leave)


def answer(client: HttpClient, session_url: str, endpoint: Endpoint | Source, sdp: str) -> None:
    """PATCH the answer to a server's own offer. Raises Refused or Unreachable."""
    request = HttpRequest("PATCH", session_url, sdp, (("Content-Type", SDP),))
    reply = client.ask(request, secret_of(endpoint))
    if reply.status not in (200, 201, 202, 204):
        text = f"the answer to its own offer: {explain(client, reply, PLAYING, endpoint)}"
        raise Refused(f"{shown(session_url)}: {text}", reply.status)


def named_ice_servers(client: HttpClient, endpoint: Endpoint | Source) -> list[IceServer]:
    """What the server names when it is asked before any offer (OPTIONS). Raises Refused or Unreachable."""
    reply = client.ask(HttpRequest("OPTIONS", endpoint.url), secret_of(endpoint))
    return ice_servers(reply.every("Link")) if reply.status < 300 else []


def reaches(client: HttpClient, endpoint: Endpoint | Source) -> bool:
    """Whether the way to the server is open: it says anything at all, or its machine that nobody listens there any
    more. Never raises.
    """
    try:
        client.ask(HttpRequest("OPTIONS", endpoint.url), secret_of(endpoint))
    except Unreachable as error:
        return error.nobody_listens
    except Refused:
        return True
    return True


def trickle(
    client: HttpClient, session_url: str, endpoint: Endpoint | Source, etag: str | None, sdp: str
) -> bool:
    """PATCH more candidates. Whether the server took them; never raises: they are no condition of anything."""
    headers = (("Content-Type", FRAGMENT), *((("If-Match", etag),) if etag else ()))
    try:
        request = HttpRequest("PATCH", session_url, sdp, headers)
        return client.ask(request, secret_of(endpoint)).status in (200, 201, 202, 204)
    except MediaError:
        return False


def restart_ice(
    client: HttpClient, session_url: str, endpoint: Endpoint | Source, sdp: str
) -> str | None:
    """PATCH new credentials (RFC 9725, 4.3.2). The server's own new fragment; None where it does not restart ICE."""
    headers = (("Content-Type", FRAGMENT), ("If-Match", "*"))
    try:
        request = HttpRequest("PATCH", session_url, sdp, headers)
        reply = client.ask(request, secret_of(endpoint))
    except MediaError:
        return None
    return reply.body if reply.status == 200 and reply.content_type == FRAGMENT else None


def _offer(
    client: HttpClient,
    endpoint: Endpoint | Source,
    sdp: str,
    meanings: dict[int, str],
    leave: Leave | None,
) -> Answer:
    """`leave`: else DELETE is said once."""
    leave_nothing = partial(_leave_nothing, leave or partial(_end_once, client, endpoint))
    request = HttpRequest("POST", endpoint.url, sdp, (("Content-Type", SDP),))
    reply = client.ask(request, secret_of(endpoint), leave_nothing)
    try:
        return _judge(client, reply, meanings, endpoint)
    except Refused:
        leave_nothing(reply)
        raise


def _leave_nothing(leave: Leave, reply: HttpReply) -> None:
    """An answer that is refused, too late or not whole may have made a session all the same."""
    if reply.location and (200 <= reply.status < 300 or reply.status == 406):
        leave(reply.location)


def _end_once(client: HttpClient, endpoint: Endpoint | Source, session_url: str) -> None:
    with contextlib.suppress(MediaError):
        end(client, session_url, endpoint)


def _judge(
    client: HttpClient, reply: HttpReply, meanings: dict[int, str], endpoint: Endpoint | Source
) -> Answer:
    url, session_url = reply.url, reply.location
    body = reply.body.lstrip("\ufeff \r\n")
    is_sdp = body.startswith("v=0") and reply.content_type in (SDP, "text/plain", "")
    offered = is_sdp and (reply.status == 406 or "a=setup:actpass" in body)
    if offered and session_url and meanings is PLAYING and reply.status in (200, 201, 406):
        raise CounterOffered(CounterOffer(body, session_url))
    if reply.status not in (200, 201):
        text = explain(client, reply, meanings, endpoint)
        raise Refused(f"{shown(url)}: {text}", reply.status, reply.retry_after_seconds)
    if not is_sdp:
        raise Refused(
            f"{shown(url)}: answered {reply.status} with {reply.content_type[:40] or 'no type'} instead of "
            "an SDP answer; is this a WHIP or WHEP address?",
        )
    servers = tuple(ice_servers(reply.every("Link")))
    return Answer(body, session_url, reply.round_trip_seconds, servers, reply.header("ETag"))


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


def explain(
    client: HttpClient, reply: HttpReply, meanings: dict[int, str], endpoint: Endpoint | Source
) -> str:
    """What a refusal means, with the server's own words: only of a host that the settings name, and that was
    asked itself. Whoever a redirect or `*` leads to does not speak through the room.
    """
    meaning = meanings.get(reply.status, f"answered {reply.status}")
    asked = same_host(reply.url, endpoint.url) and client.hosts.names(reply.url)
    words = spoken(reply.body, endpoint.token) if asked else ""
    return f"{meaning}: {words}" if words else meaning


def spoken(body: str, token: str | None) -> str:
    """A refusal's body for people: one line of letters, without markup and without the token."""
    if token:
        body = body.replace(token, "***")
    if found := re.search(r'"(?:error|message|detail)"\s*:\s*"((?:[^"\\]|\\.)*)"', body):
        body = found[1]
    body = re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]*>", " ", body, flags=re.S | re.I)
    words = " ".join(visible(body, " ").split())
    return words if len(words) <= MOST_SHOWN_LETTERS else words[: MOST_SHOWN_LETTERS - 3] + "..."


def end(client: HttpClient, session_url: str, endpoint: Endpoint | Source) -> None:
    """DELETE this endpoint's session; one that is already gone (404) is fine. Raises Refused or Unreachable."""
    reply = client.ask(HttpRequest("DELETE", session_url), secret_of(endpoint))
    if reply.status not in (200, 202, 204, 404, 410):
        raise Refused(f"{shown(session_url)}: DELETE answered {reply.status}", reply.status)
