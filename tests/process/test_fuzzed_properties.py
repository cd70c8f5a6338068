"""Commands with random MQTT 5 properties do not end the link; `./scripts/bench fuzzing` is the long form."""

from __future__ import annotations

from pathlib import Path

from tests.support.broker import Broker
from tests.support.properties_flood import PropertiesFlood


def test_no_property_of_a_command_ends_the_link(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker:
        flood = PropertiesFlood(tmp_path, broker, seed=13)
        flood.room.start()
        try:
            flood.room.wait_online()
            flood.pour(200, batches_a_life=1)
            assert flood.ends == []
        finally:
            flood.room.stop()
