"""WHIP and WHEP towards servers of every kind: what is accepted, refused, tried again, told."""

from __future__ import annotations

import socket
import threading

import pytest

from agent.core.model.media import UplinkReported
from agent.media.webrtc import signaling
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.signaling import CounterOffered, Refused, Unreachable
from tests.media.rooms import plan, room
from tests.support.http_stub import HttpStub, Reply
from tests.support.loopback import ADDRESS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer

SDP = {"Content-Type": "application/sdp"}
ANSWER = "v=0\r\n"


def created(location: str | None = "/session/1") -> Reply:
    return Reply(201, ANSWER, SDP | ({"Location": location} if location else {}))


def test_a_relative_location_is_resolved_against_the_request() -> None:
    with HttpStub(created("../session/7?k=1")) as server:
        answer = signaling.publish(Dialer(), f"{server.url}/room/whip", None, "v=0")
        assert answer.session_url == f"{server.url}/session/7?k=1"


def test_a_session_without_location_has_nothing_to_delete() -> None:
    with HttpStub(created(None)) as server:
        assert signaling.publish(Dialer(), f"{server.url}/whep", None, "v=0").session_url is None


def test_200_is_taken_as_201() -> None:
    with HttpStub(Reply(200, ANSWER, SDP)) as server:
        assert signaling.publish(Dialer(), server.url, None, "v=0").sdp == ANSWER


def test_the_token_goes_with_the_offer_and_with_delete() -> None:
    with HttpStub(created(), Reply(200)) as server:
        answer = signaling.publish(Dialer(), f"{server.url}/whip", "s3cret", "v=0")
        signaling.end(Dialer(), str(answer.session_url), "s3cret")
        assert [asked.token for asked in server.asked] == ["Bearer s3cret"] * 2
        assert [asked.method for asked in server.asked] == ["POST", "DELETE"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_is_followed_and_the_session_is_the_new_servers(status: int) -> None:
    with HttpStub(created("/session/2")) as there:
        with HttpStub(Reply(status, "", {"Location": f"{there.url}/moved"})) as here:
            answer = signaling.publish(Dialer(), f"{here.url}/whip", "s3cret", "v=0")
        assert answer.session_url == f"{there.url}/session/2"
        assert there.asked[0].token is None, "a token is for the server it was given for"


def test_redirects_in_a_circle_end() -> None:
    with HttpStub(Reply(307, "", {"Location": "/again"})) as server:
        with pytest.raises(Refused, match="redirects"):
            signaling.publish(Dialer(), f"{server.url}/whip", None, "v=0")
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
        signaling.publish(Dialer(), f"{server.url}/whip", "s3cret", "v=0")
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
        signaling.publish(Dialer(), f"{server.url}/whip", "s3cret", "v=0")
    assert refused.value.text.endswith(says)
    assert "nobody publishes" not in refused.value.text


def test_another_host_does_not_speak_through_the_room() -> None:
    with HttpStub(Reply(403, "call 555")) as there:
        moved = Reply(307, "", {"Location": there.url})
        with HttpStub(moved) as here:
            url = here.url.replace(ADDRESS, "localhost")
            with pytest.raises(Refused) as refused:
                signaling.publish(Dialer(), f"{url}/whip", None, "v=0")
    assert "555" not in refused.value.text


def test_an_answer_that_is_refused_leaves_no_session() -> None:
    headers = {"Content-Type": "text/html", "Location": "/session/9"}
    with HttpStub(Reply(201, "<html>", headers), Reply(200)) as server:
        with pytest.raises(Refused):
            signaling.publish(Dialer(), f"{server.url}/whip", "s3cret", "v=0")
        assert [(one.method, one.path) for one in server.asked[1:]] == [("DELETE", "/session/9")]


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/sdp"])
def test_an_answer_in_plain_text_is_taken(content_type: str) -> None:
    with HttpStub(Reply(201, ANSWER, {"Content-Type": content_type})) as server:
        assert signaling.publish(Dialer(), server.url, None, "v=0").sdp == ANSWER


@pytest.mark.parametrize("status", [201, 406])
def test_a_servers_own_offer_is_told_from_an_answer(status: int) -> None:
    offer = ANSWER + "a=setup:actpass\r\n"
    with HttpStub(Reply(status, offer, SDP | {"Location": "/session/3"})) as server:
        with pytest.raises(CounterOffered) as countered:
            signaling.play(Dialer(), f"{server.url}/whep", "s3cret", "v=0")
        assert countered.value.offer == (offer, f"{server.url}/session/3")
        assert len(server.asked) == 1, "the session is answered, not ended"


@pytest.mark.parametrize("status", [200, 204, 404])
def test_a_session_that_is_gone_is_ended(status: int) -> None:
    with HttpStub(Reply(status)) as server:
        signaling.end(Dialer(), f"{server.url}/session/1", None)


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        url = f"http://{ADDRESS}:{free.getsockname()[1]}/whip"
    with pytest.raises(Unreachable, match=r"[Cc]onnection refused"):
        signaling.publish(Dialer(), url, None, "v=0")


def test_something_that_does_not_speak_http_is_unreachable() -> None:
    with socket.create_server((ADDRESS, 0)) as server:
        url = f"http://{ADDRESS}:{server.getsockname()[1]}/whip"

        def greet() -> None:
            with server.accept()[0] as peer:
                peer.sendall(b"220 mail ready\r\n")

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(Unreachable):
            signaling.publish(Dialer(), url, None, "v=0")


@pytest.mark.parametrize("body", [ANSWER, "v=0\r\nm=audio 9 RTP/AVP 0\r\n", "v=0\r\n" + "x" * 9999])
def test_the_child_outlives_an_answer_that_is_no_usable_sdp(body: str) -> None:
    with HttpStub(Reply(201, body, SDP)) as server, MediaProcess(room()) as child:
        child.start(plan(publish=f"{server.url}/whip"))
        refused = child.wait(UplinkReported, lambda r: r.state == "refused")
        assert "the answer cannot be used" in refused.text
        assert child.stop() == 0


def test_a_source_that_comes_later_and_a_server_that_starts_later_are_waited_for() -> None:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    with MediaProcess(room()) as child:
        child.start(plan(publish=f"http://{ADDRESS}:{port}/late/whip"))
        child.wait(UplinkReported, lambda r: r.state == "unreachable")
        with MediaServer(port):
            child.wait(UplinkReported, lambda r: r.state == "flowing")
            assert child.stop() == 0
