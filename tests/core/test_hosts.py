"""Where a join may send the room to: a stranger's URL is refused before anything asks it."""

from __future__ import annotations

import pytest
from msgspec import structs

from agent.core.model.commands import Code
from agent.core.model.effects import StartMedia
from agent.core.model.hosts import AllowedHosts, hosts_of
from agent.core.model.profile import Profile
from agent.settings import Media
from tests.core.playbook import PROFILE, Playbook

NAMED = AllowedHosts(("media.example:8443", "*.vnpt.vn", "10.0.0.0/8", "[::1]", "máy.vn"))


@pytest.mark.parametrize(
    ("url", "permitted"),
    [
        ("https://media.example:8443/x", True),
        ("https://media.example/x", False),
        ("https://MEDIA.example.:8443/x", True),
        ("https://a.vnpt.vn/", True),
        ("https://vnpt.vn/", True),
        ("https://evilvnpt.vn/", False),
        ("http://10.1.2.3:8889/a", True),
        ("http://11.1.2.3/", False),
        ("http://[::1]:99/x", True),
        ("http://MÁY.vn/", True),
        ("https://media.example:8443@evil.example/", False),
        ("https://evil.example#@media.example:8443", False),
        ("https://evil.example\\@media.example:8443", False),
        ("http:///x", False),
        ("http://[bad", False),
        ("ftp://a.vnpt.vn/", False),
    ],
)
def test_a_url_is_judged_by_its_host(url: str, permitted: bool) -> None:
    assert NAMED.permits(url) is permitted


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::", False),
        ("::127.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
    ],
)
def test_all_hosts_are_all_public_ones(address: str, permitted: bool) -> None:
    assert AllowedHosts(("*",)).permits_address("http://any.example/", address) is permitted
    named = AllowedHosts(("*", "any.example"))
    assert named.permits_address("http://any.example/", address)


def test_by_default_meetings_are_where_the_settings_urls_are() -> None:
    own = Media(publish_url="https://m.example:1/{meeting}", play_urls=["http://{room}.p.example/"])
    assert own.hosts.permits("https://m.example/other")
    assert own.hosts.permits("http://x.p.example/")
    assert not own.hosts.permits("http://127.0.0.1/")
    assert not Media().hosts.permits("https://m.example/")
    assert hosts_of(["https://a.example/1", "https://a.example/2"]) == ("a.example",)


@pytest.mark.parametrize("field", ["publish", "play"])
def test_a_join_to_a_host_that_the_room_does_not_know_is_refused(field: str) -> None:
    profile: Profile = structs.replace(PROFILE, hosts=AllowedHosts(("media",)))
    stranger = {"url": "http://127.0.0.1:8080/secret?key=abc"}
    book = Playbook(profile)
    book.command(
        "join",
        id="j",
        meeting={"id": "m"},
        **{field: stranger if field == "publish" else [stranger]},
    )
    ack = book.acks("j")[-1]
    assert ack.code == Code.NOT_PERMITTED
    assert "media.allowed_hosts" in ack.text
    assert "abc" not in ack.text
    assert not book.all(StartMedia)
