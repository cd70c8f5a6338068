"""What goes into a file or a pipe is plain, in 80 columns, and the same twice."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Bench

ESCAPE = "\x1b"


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("doctor", "settings", "display", "panel"),
        ("config", "show"),
        ("config", "explain", "devices"),
        ("config", "check"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_pipe_gets_plain_text(healthy: Bench, command: tuple[str, ...], language: str) -> None:
    done = healthy.run(*command, "--lang", language)
    assert ESCAPE not in done.stdout
    lines = done.stdout.splitlines()
    assert lines
    assert max(map(len, lines)) <= 80
    padded = [line for line in lines if line.endswith("  ")]  # a wrapped line may keep one space
    assert padded == []


def test_a_pipe_gets_the_same_twice(healthy: Bench) -> None:
    command = ("doctor", "settings", "display", "panel")
    once, again = healthy.run(*command).stdout, healthy.run(*command).stdout
    assert once == again


def test_a_terminal_without_our_letters_gets_something_to_read(healthy: Bench) -> None:
    healthy.environment = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "ascii"}
    try:
        done = healthy.run("doctor", "settings", "--lang", "vi")
    finally:
        healthy.environment = {"LANG": "C.UTF-8"}
    assert done.returncode == 0
    assert "c?i ??t" in done.stdout


def test_config_shows_where_each_value_is_from_and_masks_secrets(make_bench) -> None:
    bench = make_bench()
    bench.room.settings["media"]["publish_url"] = "http://ha:geheim@127.0.0.1:9/{meeting}?t=geheim"
    bench.write_settings()
    done = bench.run("config", "show", "media", "hub.port")
    assert "agent.yaml:" in done.stdout
    assert "(default)" in done.stdout
    assert "geheim" not in done.stdout


def test_config_shows_nothing_for_a_key_that_is_none(make_bench) -> None:
    done = make_bench().run("config", "show", "hub.port", "hub.prot")
    assert done.returncode == 2
    assert "hub.prot: no such key; did you mean hub.port?" in done.stderr


def test_config_check_tells_every_problem_at_once(make_bench) -> None:
    bench = make_bench()
    bench.room.settings["hub"]["keepalive_second"] = 3
    bench.room.settings["room"]["id"] = "Lũng Cú"
    bench.write_settings()
    done = bench.run("config", "check")
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "did you mean keepalive_seconds?" in text
    assert "room.id" in text


def test_config_explain_knows_unit_default_and_value_here(make_bench) -> None:
    done = make_bench().run("config", "explain", "hub.keepalive_seconds")
    for part in ("MQTT keep alive", "from 5 to 600", "default: 30", "here: 30"):
        assert part in done.stdout
    mistaken = make_bench().run("config", "explain", "hub.keepalive")
    assert mistaken.returncode == 2
    assert "did you mean hub.keepalive_seconds?" in mistaken.stderr
