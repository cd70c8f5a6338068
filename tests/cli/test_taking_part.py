"""raise, lower, call, show, hide, check and the picture's size, by hand and in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Bench

LANGUAGES = {"en": ("done", "refused"), "vi": ("xong", "từ chối")}


@pytest.fixture
def by_request(healthy: Bench) -> Iterator[Bench]:
    """In a meeting in which nobody is heard without the floor."""
    answer = healthy.room.ask(type="join", meeting={"id": "xin-noi"}, floor="request", play=[])
    assert answer["state"] in ("accepted", "running", "succeeded"), answer
    healthy.run("join", "xin-noi")  # is answered once the room is in
    yield healthy
    assert healthy.run("leave").returncode == 0


def floor(bench: Bench) -> dict[str, object]:
    state = bench.room.ask(type="status")["state"]["floor"]
    assert isinstance(state, dict)
    return state


def test_the_hand_is_raised_and_lowered(by_request: Bench) -> None:
    raised = by_request.run("raise")
    assert raised.returncode == 0, raised.stdout + raised.stderr
    assert floor(by_request)["hand_since"] is not None
    lowered = by_request.run("lower")
    assert lowered.returncode == 0, lowered.stdout + lowered.stderr
    assert floor(by_request)["hand_since"] is None


def test_the_picture_becomes_small_and_full_again(by_request: Bench) -> None:
    for size in ("small", "full"):
        done = by_request.run("join", "xin-noi", "--picture", size)
        assert done.returncode == 0, done.stdout + done.stderr
        state = by_request.room.ask(type="status")["state"]
        assert (state["picture"], state["floor"]["mode"]) == (size, "request")
    assert by_request.run("join", "xin-noi", "--picture", "tiny").returncode == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_speak_the_reader_s_language(healthy: Bench, language: str) -> None:
    done, refused = LANGUAGES[language]
    called = healthy.run("--lang", language, "call", "hop", "--ring", "1", "--then", "nothing")
    assert called.returncode == 1, "nobody came"
    shown = healthy.run(
        "--lang",
        language,
        "show",
        "Điểm danh",
        "--answer",
        "Có",
        "--answer",
        "Vắng",
        "--seconds",
        "9",
    )
    hidden = healthy.run("--lang", language, "hide")
    assert hidden.returncode == 0, hidden.stdout + hidden.stderr
    screen = healthy.room.settings["devices"]["display"].get("output", "none") != "none"
    assert (done if screen else refused) in shown.stdout
    assert done in hidden.stdout
    raised = healthy.run("--lang", language, "raise")
    assert raised.returncode == 1, "in no meeting there is no floor"
    assert refused in raised.stdout


def test_three_answers_are_too_many(healthy: Bench) -> None:
    answers = [word for one in ("a", "b", "c") for word in ("--answer", one)]
    done = healthy.run("show", "Điểm danh", *answers)
    assert done.returncode != 0
    assert "answers" in done.stdout + done.stderr


def test_a_check_says_what_is_not_well_and_fails_where_the_room_cannot_meet(healthy: Bench) -> None:
    healthy.break_device("camera", "black")
    done = healthy.run("check", "camera", "--quiet")
    assert "no-go" in done.stdout
    assert "lens" in done.stdout or "black" in done.stdout
