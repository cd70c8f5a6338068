"""A daemon under commands with random MQTT 5 properties, killed now and then."""

from __future__ import annotations

import random
from pathlib import Path

from tests.support.broker import Broker, Hub
from tests.support.fuzz import Crowd, fuzzed, random_properties
from tests.support.room import Room

ROOT = "diemcau/v1"
BATCH = 250
"""Less than the broker keeps for a client that is slow: with 65,000 bytes each that is 16 MB."""

CROWDS = 0.02
"""Share of the messages that consist of properties; each of them took the room's MQTT library seconds."""


class PropertiesFlood:
    """The flood and what came of it: how often the link ended though nobody killed the daemon."""

    def __init__(self, folder: Path, broker: Broker, seed: int) -> None:
        self._dice = random.Random(seed)
        self._broker = broker
        self._batches = 0
        self.room = Room("fuzzed", "Phòng thử", folder / "room")
        self.room.use_hub(broker.port, ROOT)

    def pour(self, messages: int, batches_a_life: int) -> None:
        """Send so many; a ping after each batch must be answered, before and after a kill."""
        with Hub(self._broker.port, [f"{ROOT}/room/{self.room.id}/ack/+"]) as hub:
            for left in range(messages, 0, -BATCH):
                self._batches += 1
                self._batch(hub, min(BATCH, left), self._batches)
                if self._batches % batches_a_life == 0:
                    self.room.kill()
                    self.room.start()
                    self._answered(hub, f"back-{self._batches}")
                del hub.seen[:]

    def _batch(self, hub: Hub, count: int, number: int) -> None:
        seed = self._dice.randrange(2**32)
        for index, one in enumerate(fuzzed(count, seed, self.room.id)):
            if "\0" in one.topic or one.retained or one.topic.endswith("/restart"):
                continue  # one of them would be understood, and restart the host
            fields = f'{{"id":"f{number}-{index}"}}'.encode()
            payload = fields if self._dice.random() < 0.5 else one.payload
            topic = one.topic.rpartition("/")[0] + "/ping" if payload == fields else one.topic
            properties = random_properties(self._dice)
            if self._dice.random() < CROWDS:
                properties = Crowd(self._dice)
            hub.client.publish(topic, payload, qos=self._dice.randrange(2), properties=properties)
        self._answered(hub, f"after-{number}")

    def _answered(self, hub: Hub, id: str) -> None:
        topic = f"{ROOT}/room/{self.room.id}"
        hub.send(f"{topic}/cmd/ping", {"id": id})
        hub.wait_for(f"{topic}/ack/{id}", lambda ack: ack["state"] == "succeeded", seconds=120)

    @property
    def ends(self) -> list[str]:
        """What the daemon's log says of ends of its link."""
        lines = self.room.log.read_text().splitlines()
        return [line for line in lines if "hub link down" in line]
