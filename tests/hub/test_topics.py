"""Topics of the contract, in both directions."""

from __future__ import annotations

import pytest

from agent import settings
from agent.core.model.commands import Origin
from agent.hub.topics import Topics

TOPICS = Topics("diemcau/v1", settings.Room(id="thon-5", groups=["xa-ba-vi", "all"]))


def test_own_topics_are_the_contracts() -> None:
    assert TOPICS.state == "diemcau/v1/room/thon-5/state"
    assert TOPICS.health == "diemcau/v1/room/thon-5/health"
    assert TOPICS.ack("01J") == "diemcau/v1/room/thon-5/ack/01J"
    assert TOPICS.event("fault") == "diemcau/v1/room/thon-5/event/fault"


def test_the_client_id_is_unique_below_its_root_and_has_no_slashes() -> None:
    assert TOPICS.client_id == "diemcau.v1.thon-5"


def test_subscriptions_are_the_room_its_groups_and_everybody_once() -> None:
    assert TOPICS.commands() == [
        "diemcau/v1/room/thon-5/cmd/+",
        "diemcau/v1/group/xa-ba-vi/cmd/+",
        "diemcau/v1/group/all/cmd/+",
    ]


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("diemcau/v1/room/thon-5/cmd/join", (Origin.HUB, "thon-5", "join")),
        ("diemcau/v1/group/all/cmd/ping", (Origin.GROUP, "all", "ping")),
        ("diemcau/v1/group/xa-ba-vi/cmd/dance", (Origin.GROUP, "xa-ba-vi", "dance")),
        ("diemcau/v1/room/thon-6/cmd/join", None),
        ("diemcau/v1/group/thon-5/cmd/join", None),
        ("diemcau/v1/room/thon-5/cmd", None),
        ("diemcau/v1/room/thon-5/cmd/join/now", None),
        ("diemcau/v2/room/thon-5/cmd/join", None),
        ("", None),
    ],
)
def test_command_topics(topic: str, address: tuple[Origin, str, str] | None) -> None:
    assert TOPICS.parse_command(topic) == address


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("diemcau/v1/reply/desk-3", True),
        ("answers", True),
        ("", False),
        ("answers/#", False),
        ("$SYS/broker", False),
        ("diemcau/v1/room/thon-6/state", False),
        ("diemcau/v1/group/all/cmd/join", False),
        ("diemcau/v1/group/all/agenda", False),
        ("diemcau/v1/conductor/hub/state", False),
        ("$share/x/answers", False),
        ("a/b/c/d/e/f/g/h", True),
        ("a/b/c/d/e/f/g/h/i", False),
        ("////////", False),
        ("ả" * 85, True),
        ("ả" * 86, False),
        ("answers/\ufeff", False),
        ("answers/\u202e", False),
    ],
)
def test_a_response_topic_cannot_speak_for_a_room(topic: str, allowed: bool) -> None:
    assert TOPICS.may_reply_to(topic) is allowed
