"""WHIP and WHEP towards servers of every kind: what is accepted, refused, tried again, told."""

from __future__ import annotations

import re
import socket
import threading
from email.message import Message

import pytest

from agent.core.model.commands import Endpoint
from agent.core.model.hosts import AllowedHosts
from agent.core.model.media import SessionsReported, UplinkReported
from agent.media.webrtc import signaling
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.http import (
    HttpClient,
    HttpReply,
    Refused,
    Secret,
    Unreachable,
    encoded,
    secret_of,
)
from agent.media.webrtc.open_sessions import OpenSessions
from agent.media.webrtc.signaling import CounterOffered
from tests.media.rooms import flowing, plan, room
from tests.support.falsifying import FalsifyingProxy
from tests.support.http_stub import HttpStub, Reply
from tests.support.impairment import DEAD_END
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.waiting import wait_for

SDP = {"Content-Type": "application/sdp"}
ANSWER = "v=0\r\n"


CLIENT = HttpClient(Dialer(), AllowedHosts(tuple(LOCAL_HOSTS)))


def offer(url: str, token: str | None) -> signaling.Answer:
    return signaling.publish(CLIENT, Endpoint(url, token), "v=0")


def created(location: str | None = "/session/1") -> Reply:
    return Reply(201, ANSWER, SDP | ({"Location": location} if location else {}))


def test_a_relative_location_is_resolved_against_the_request() -> None:
    with HttpStub(created("../session/7?k=1")) as server:
        answer = signaling.publish(CLIENT, Endpoint(f"{server.url}/room/whip"), "v=0")
        assert answer.session_url == f"{server.url}/session/7?k=1"


def test_a_session_without_location_has_nothing_to_delete() -> None:
    with HttpStub(created(None)) as server:
        assert signaling.publish(CLIENT, Endpoint(f"{server.url}/whep"), "v=0").session_url is None


def test_200_is_taken_as_201() -> None:
    with HttpStub(Reply(200, ANSWER, SDP)) as server:
        assert signaling.publish(CLIENT, Endpoint(server.url), "v=0").sdp == ANSWER


def test_the_token_goes_with_the_offer_and_with_delete() -> None:
    with HttpStub(created(), Reply(200)) as server:
        answer = signaling.publish(CLIENT, Endpoint(f"{server.url}/whip", "s3cret"), "v=0")
        signaling.end(CLIENT, str(answer.session_url), Endpoint(f"{server.url}/whip", "s3cret"))
        assert [asked.token for asked in server.asked] == ["Bearer s3cret"] * 2
        assert [asked.method for asked in server.asked] == ["POST", "DELETE"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_is_followed_and_the_session_is_the_new_servers(status: int) -> None:
    with HttpStub(created("/session/2")) as there:
        with HttpStub(Reply(status, "", {"Location": f"{there.url}/moved"})) as here:
            answer = signaling.publish(CLIENT, Endpoint(f"{here.url}/whip", "s3cret"), "v=0")
        assert answer.session_url == f"{there.url}/session/2"
        assert there.asked[0].token is None, "a token is for the server it was given for"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_keeps_method_and_body_and_the_session_is_ended_without_the_token(
    status: int,
) -> None:
    with (
        HttpStub(created("/session/2"), Reply(200)) as there,
        HttpStub(Reply(status, "", {"Location": f"{there.url}/moved"})) as here,
    ):
        given = Endpoint(f"{here.url}/whip", "s3cret")
        answer = signaling.publish(CLIENT, given, "v=0 offer")
        signaling.end(CLIENT, str(answer.session_url), given)
    assert [(asked.method, asked.token) for asked in there.asked] == [
        ("POST", None),
        ("DELETE", None),
    ]
    assert there.asked[0].body == "v=0 offer"


def test_a_session_elsewhere_is_ended_without_the_token() -> None:
    with HttpStub(Reply(200)) as elsewhere, HttpStub(created(f"{elsewhere.url}/s")) as server:
        given = Endpoint(f"{server.url}/whip", "s3cret")
        signaling.end(CLIENT, str(signaling.publish(CLIENT, given, "v=0").session_url), given)
        assert elsewhere.asked[0].method == "DELETE"
        assert elsewhere.asked[0].token is None


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://media.example/session/1", True),
        ("https://media.example:443/x", True),
        ("https://MEDIA.example./x", True),
        ("http://media.example/x", False),
        ("http://media.example:443/x", False),
        ("https://media.example:8443/x", False),
        ("https://a.media.example/x", False),
        ("https://media.example@evil.example/x", False),
        ("https://evil.example/media.example", False),
    ],
)
def test_a_token_goes_to_its_origin_alone(url: str, goes: bool) -> None:
    secret = secret_of(Endpoint("https://media.example/whip", "s3cret"))
    assert secret.for_url(url) == ("Bearer s3cret" if goes else None)


def test_a_token_may_go_up_to_https_on_its_host() -> None:
    secret = Secret("Bearer s3cret", "http://media.example:8889/whip")
    assert secret.for_url("https://media.example/whip")
    assert secret.for_url("https://other.example/whip") is None


def test_user_and_password_of_a_url_are_sent_as_basic_and_not_in_the_request() -> None:
    with HttpStub(created()) as server:
        url = server.url.replace("://", "://ph%C3%B2ng:m%40t@")
        offer(f"{url}/whip", None)
        assert server.asked[0].token == "Basic cGjDsm5nOm1AdA=="
        assert server.asked[0].path == "/whip"
        with pytest.raises(Unreachable) as error:
            offer(f"http://phong:matkhau@{ADDRESS}:1/whip", None)
        assert "matkhau" not in error.value.text


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "m\u1eadt", "two words", "\t", "a\x00b"])
def test_a_token_that_is_no_header_is_refused_and_never_shown(token: str) -> None:
    with HttpStub(created()) as server, pytest.raises(Refused) as refused:
        offer(f"{server.url}/whip", token)
    assert token not in refused.value.text
    assert not server.asked


def test_vietnamese_letters_go_percent_encoded() -> None:
    with HttpStub(created("/phi\u00ean/1"), Reply(200)) as server:
        answer = offer(f"{server.url}/x\u00e3 An/whip?t\u00ean=h\u1ecdp%20m\u1ed9t", None)
        assert server.asked[0].path == "/x%C3%A3%20An/whip?t%C3%AAn=h%E1%BB%8Dp%20m%E1%BB%99t"
        signaling.end(CLIENT, str(answer.session_url), Endpoint(server.url))
        assert server.asked[1].path == "/phi%C3%AAn/1"
    assert encoded("https://m\u00e1y.vn/a").netloc == "xn--my-mia.vn"


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heard(status: int) -> None:
    with HttpStub(Reply(status, "", {"Retry-After": "7"})) as server, pytest.raises(Refused) as no:
        offer(f"{server.url}/whip", None)
    assert no.value.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("Fri, 31 Dec 2199 23:59:59 GMT", 300, 300),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0),
        ("99999999999999999999", None, None),
        ("-5", None, None),
        ("soon", None, None),
        ("nan", None, None),
    ],
)
def test_a_retry_after_is_a_number_or_a_date_and_has_an_end(
    told: str, least: float | None, most: float | None
) -> None:
    with HttpStub(Reply(503, "", {"Retry-After": told})) as server, pytest.raises(Refused) as no:
        offer(f"{server.url}/whip", None)
    seconds = no.value.retry_after_seconds
    assert seconds is None if least is None else least <= (seconds or 0.0) <= (most or 0.0)


NARROW = HttpClient(Dialer(), AllowedHosts(("media.example", "*")))


def test_a_host_that_is_not_allowed_is_never_asked() -> None:
    with HttpStub(created()) as server:
        for client in (NARROW, HttpClient(Dialer(), AllowedHosts(("media.example",)))):
            with pytest.raises(Refused, match="allowed_hosts"):
                signaling.publish(client, Endpoint(f"{server.url}/whip"), "v=0")
        assert not server.asked


def test_a_redirect_or_name_does_not_lead_inside() -> None:
    with HttpStub(created()) as inside:
        with HttpStub(Reply(307, "", {"Location": f"{inside.url}/admin"})) as here:
            port = here.url.rpartition(":")[2]
            client = HttpClient(Dialer(), AllowedHosts((f"{ADDRESS}:{port}",)))
            with pytest.raises(Refused, match="allowed_hosts"):
                signaling.publish(client, Endpoint(f"{here.url}/whip"), "v=0")
        resolver = Dialer(lambda host, port: [(socket.AF_INET, (ADDRESS, port))])
        port = inside.url.rpartition(":")[2]
        with pytest.raises(Refused, match=r"leads to 127\.0\.0\.1"):
            signaling.publish(
                HttpClient(resolver, AllowedHosts(("*",))),
                Endpoint(f"http://rebound.example:{port}/whip"),
                "v=0",
            )
        assert not inside.asked


def test_a_strangers_words_are_not_repeated() -> None:
    """A host that only `*` lets in is nobody's: what stands there is not read out to the hub."""
    endpoint = Endpoint("http://any.example/")
    reply = HttpReply(endpoint.url, 400, "the intranet's secrets", Message())
    for client, heard in (
        (NARROW, False),
        (HttpClient(Dialer(), AllowedHosts(("any.example",))), True),
    ):
        text = signaling.explain(client, reply, signaling.PLAYING, endpoint)
        assert ("secrets" in text) is heard


def test_redirects_in_a_circle_end() -> None:
    with HttpStub(Reply(307, "", {"Location": "/again"})) as server:
        with pytest.raises(Refused, match="redirects"):
            signaling.publish(CLIENT, Endpoint(f"{server.url}/whip"), "v=0")
        assert len(server.asked) <= 5


@pytest.mark.parametrize(
    ("reply", "says", "again"),
    [
        (Reply(404), "404", True),
        (Reply(409), "409", True),
        (Reply(503, "starting"), "starting", True),
        (Reply(401), "token", False),
        (Reply(403, "Endpoint ID already in use"), "already in use", False),
        (Reply(405), "WHIP or WHEP", False),
        (Reply(406, "no such codec"), "no such codec", False),
        (Reply(400, "no codec in common"), "no codec in common", False),
        (Reply(201, "<html>", {"Content-Type": "text/html"}), "WHIP or WHEP", False),
        (Reply(201, "hello", SDP), "WHIP or WHEP", False),
    ],
)
def test_a_refusal_says_why_and_whether_to_ask_again(reply: Reply, says: str, again: bool) -> None:
    with HttpStub(reply) as server, pytest.raises(Refused) as refused:
        signaling.publish(CLIENT, Endpoint(f"{server.url}/whip", "s3cret"), "v=0")
    assert says in refused.value.text
    assert refused.value.again is again
    assert refused.value.of_offer is (reply.status in (400, 406))
    assert "s3cret" not in refused.value.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"status":"error","error":"no stream is available"}', ": no stream is available"),
        ("<html><head><title>x</title></head><body>Not <b>here</b></body></html>", ": Not here"),
        ("invalid token: s3cret, error:\x00\x1b[31m x", ": invalid token: ***, error: [31m x"),
        ("a" * 500, ": " + "a" * 117 + "..."),
        ("\r\n", "(404): is this the address to publish to?"),
    ],
)
def test_the_servers_own_words_are_shown_clean(body: str, says: str) -> None:
    with HttpStub(Reply(404, body)) as server, pytest.raises(Refused) as refused:
        signaling.publish(CLIENT, Endpoint(f"{server.url}/whip", "s3cret"), "v=0")
    assert refused.value.text.endswith(says)
    assert "nobody publishes" not in refused.value.text


def test_another_host_does_not_speak_through_the_room() -> None:
    with HttpStub(Reply(403, "call 555")) as there:
        moved = Reply(307, "", {"Location": there.url})
        with HttpStub(moved) as here:
            url = here.url.replace(ADDRESS, "localhost")
            with pytest.raises(Refused) as refused:
                signaling.publish(CLIENT, Endpoint(f"{url}/whip"), "v=0")
    assert "555" not in refused.value.text


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_answer_that_is_refused_leaves_no_session(status: int) -> None:
    headers = {"Content-Type": "text/html", "Location": "/session/9"}
    with HttpStub(Reply(status, "<html>", headers), Reply(200)) as server:
        with pytest.raises(Refused):
            signaling.publish(CLIENT, Endpoint(f"{server.url}/whip", "s3cret"), "v=0")
        assert [(one.method, one.path) for one in server.asked[1:]] == [("DELETE", "/session/9")]


def test_an_answer_that_comes_too_late_leaves_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.media.webrtc.http.DEADLINE_SECONDS", 0.2)
    held, left = threading.Event(), []
    with HttpStub(created()._replace(held=held)) as server:
        with pytest.raises(Unreachable, match="no answer within"):
            signaling.publish(CLIENT, Endpoint(f"{server.url}/whip"), "v=0", left.append)
        assert not left
        held.set()
        wait_for(lambda: left, 10, "the session that came too late")
        assert left == [f"{server.url}/session/1"]


def test_what_a_late_answer_says_no_to_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.media.webrtc.http.DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr("agent.media.webrtc.http.LATE_SECONDS", 0.5)
    held, left = threading.Event(), []
    refusal = Reply(503, "", {"Location": "/session/1"}, held)
    with HttpStub(refusal) as server, socket.create_server((ADDRESS, 0)) as silent:
        for url in (server.url, f"http://{ADDRESS}:{silent.getsockname()[1]}"):
            with pytest.raises(Unreachable):
                signaling.publish(CLIENT, Endpoint(f"{url}/whip"), "v=0", left.append)
        held.set()
        names = ("answer", "late-answer")
        wait_for(lambda: not [t for t in threading.enumerate() if t.name in names], 10, "no thread")
    assert not left


def test_an_answer_that_breaks_off_leaves_no_session() -> None:
    left: list[str] = []
    with HttpStub(created()._replace(body="x" * 99, broken=True)) as server:
        with pytest.raises((Refused, Unreachable)):
            signaling.publish(CLIENT, Endpoint(f"{server.url}/whip"), "v=0", left.append)
        assert left == [f"{server.url}/session/1"]


def test_a_delete_that_does_not_come_through_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.media.webrtc.open_sessions.AGAIN_SECONDS", (0.05, 0.05))
    told: list[SessionsReported] = []
    sessions = OpenSessions(CLIENT, told.append)
    with HttpStub(Reply(503), Reply(502), Reply(200)) as server:
        sessions.leave(f"{server.url}/session/1", Endpoint(server.url, "s3cret"))
        wait_for(lambda: not told[-1].open, 10, "the session is ended")
        assert [one.method for one in server.asked] == ["DELETE"] * 3


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/sdp"])
def test_an_answer_in_plain_text_is_taken(content_type: str) -> None:
    with HttpStub(Reply(201, ANSWER, {"Content-Type": content_type})) as server:
        assert signaling.publish(CLIENT, Endpoint(server.url), "v=0").sdp == ANSWER


@pytest.mark.parametrize("status", [201, 406])
def test_a_servers_own_offer_is_told_from_an_answer(status: int) -> None:
    offer = ANSWER + "a=setup:actpass\r\n"
    with HttpStub(Reply(status, offer, SDP | {"Location": "/session/3"})) as server:
        with pytest.raises(CounterOffered) as countered:
            signaling.play(CLIENT, Endpoint(f"{server.url}/whep", "s3cret"), "v=0")
        assert countered.value.offer == (offer, f"{server.url}/session/3")
        assert len(server.asked) == 1, "the session is answered, not ended"


@pytest.mark.parametrize("status", [200, 204, 404])
def test_a_session_that_is_gone_is_ended(status: int) -> None:
    with HttpStub(Reply(status)) as server:
        signaling.end(CLIENT, f"{server.url}/session/1", Endpoint(server.url))


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        url = f"http://{ADDRESS}:{free.getsockname()[1]}/whip"
    with pytest.raises(Unreachable, match=r"[Cc]onnection refused"):
        signaling.publish(CLIENT, Endpoint(url), "v=0")


def test_something_that_does_not_speak_http_is_unreachable() -> None:
    with socket.create_server((ADDRESS, 0)) as server:
        url = f"http://{ADDRESS}:{server.getsockname()[1]}/whip"

        def greet() -> None:
            with server.accept()[0] as peer:
                peer.sendall(b"220 mail ready\r\n")

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(Unreachable):
            signaling.publish(CLIENT, Endpoint(url), "v=0")


@pytest.mark.parametrize("body", [ANSWER, "v=0\r\nm=audio 9 RTP/AVP 0\r\n", "v=0\r\n" + "x" * 9999])
def test_the_media_process_outlives_an_answer_that_is_no_usable_sdp(body: str) -> None:
    with HttpStub(Reply(201, body, SDP)) as server, MediaProcess(room()) as process:
        process.start(plan(publish=f"{server.url}/whip"))
        refused = process.wait(UplinkReported, lambda r: r.state == "refused")
        assert "the answer cannot be used" in refused.text
        assert process.stop() == 0


def test_a_source_that_comes_later_and_a_server_that_starts_later_are_waited_for() -> None:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    with MediaProcess(room()) as process:
        process.start(plan(publish=f"http://{ADDRESS}:{port}/late/whip"))
        process.wait(UplinkReported, lambda r: r.state == "unreachable")
        with MediaServer(port):
            process.wait(UplinkReported, lambda r: r.state == "flowing")
            assert process.stop() == 0


def test_a_server_that_names_itself_in_its_candidates_is_reached(
    media_server: MediaServer,
) -> None:
    """And cannot find the room by itself, as it cannot behind a NAT."""

    def by_name(answer: str) -> str:
        return answer.replace(f" {ADDRESS} ", " localhost ")

    def nowhere(offer: str) -> str:
        return re.sub(r"(a=candidate:[^\n]*\n)+", DEAD_END, offer)

    with FalsifyingProxy(media_server.url, by_name) as proxy, MediaProcess(room()) as process:
        proxy.falsify_offer = nowhere
        process.start(plan(publish=f"{proxy.url}/by-name/whip"))
        process.wait(UplinkReported, flowing)
        assert " localhost " in proxy.answers[0]
        assert process.stop() == 0
