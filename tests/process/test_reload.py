"""Broken settings under a running daemon: it stays, and says what is wrong with them."""

from __future__ import annotations

import yaml

from tests.process.conftest import Site


def test_a_restart_into_broken_settings_is_refused_and_the_room_stays(site: Site) -> None:
    file = site.room.folder / "agent.yaml"
    sound = file.read_text("utf-8")
    file.write_text(yaml.safe_dump(yaml.safe_load(sound) | {"hubb": {}}), "utf-8")
    ack = site.command("restart", scope="agent")
    assert (ack["state"], ack["code"]) == ("rejected", "bad-field")
    assert "hubb" in ack["text"]
    assert site.command("ping")["state"] == "succeeded"
