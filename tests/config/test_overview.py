"""What people are shown of the settings: every key, where it is from, and no secret."""

from __future__ import annotations

from pathlib import Path

from agent.config import entries
from agent.config.schema import all_keys, section_of
from agent.settings import Settings


def test_every_key_is_shown_with_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("room: {id: r1}\nhub:\n  host: localhost\n  port: 1883\n")
    shown = {entry.key: entry for entry in entries(path)}
    assert (shown["hub.port"].value, shown["hub.port"].origin) == (1883, "agent.yaml:4")
    assert (shown["hub.keepalive_seconds"].value, shown["hub.keepalive_seconds"].origin) == (
        30,
        "default",
    )
    assert shown["hub.port"].description == "TCP port of the broker"
    assert shown["devices.camera"].value is None
    top = {key for key, field in all_keys(Settings).items() if not section_of(field.type)}
    there = {key for key in top if not key.startswith(("hub.tls.", "devices."))}
    assert there <= set(shown)


def test_secrets_in_urls_are_masked(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "room: {id: r1}\nhub: {host: localhost}\nmedia:\n"
        "  publish_url: https://joe:hunter2@media/{room}?token=abc\n"
        "  play_urls: ['https://media/{room}?key=def']\n"
    )
    shown = {entry.key: entry.value for entry in entries(path)}
    assert shown["media.publish_url"] == "https://***@media/{room}?***"
    assert shown["media.play_urls"] == ["https://media/{room}?***"]
