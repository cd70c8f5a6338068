"""A second real broker for MQTT 5 beside Mosquitto: moat-lib-mqtt's, with limits as hosted brokers have them.

It says them in its CONNACK, and ends the connection of who breaks one with the standard's reason code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from anyio.abc import ByteStream
from anyio.from_thread import start_blocking_portal
from moat.lib.mqtt import (
    MQTTClientState,
    MQTTConnAckPacket,
    MQTTConnectPacket,
    MQTTDisconnectPacket,
    MQTTPacket,
    MQTTPublishPacket,
    MQTTSubscribePacket,
    PropertyType,
    ReasonCode,
)
from moat.lib.mqtt.async_broker import AsyncMQTTBroker, AsyncMQTTClientSession

from tests.support.closing import Closing

PUBACK_SECONDS = 0.02
"""After which a message is acknowledged: a far broker's, so that some are under way at a time."""

MOST_FILTERS = 8
"""Of one SUBSCRIBE, as AWS IoT."""


class SecondBroker(Closing):
    """A context manager; `broken` is each connection that it ended, by its reason."""

    def __init__(self, limits: Mapping[PropertyType, Any]) -> None:
        self._broker = _Strict(limits)
        self._portal = start_blocking_portal()
        portal = self._portal.__enter__()
        self._serving, self.port = portal.start_task(self._broker.serve)

    @property
    def broken(self) -> list[ReasonCode]:
        return self._broker.broken

    @property
    def most_in_flight(self) -> int:
        """Of a client's messages, at a time."""
        return self._broker.most_in_flight

    def close(self) -> None:
        self._serving.cancel()
        self._portal.__exit__(None, None, None)


class _Strict(AsyncMQTTBroker):
    def __init__(self, limits: Mapping[PropertyType, Any]) -> None:
        super().__init__(bind_address=("127.0.0.1", 0))
        self._limits = limits
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._under_way: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.broken: list[ReasonCode] = []
        self.most_in_flight = 0

    async def handle_packet(
        self, packet: MQTTPacket, session: AsyncMQTTClientSession, stream: ByteStream
    ) -> None:
        if session.state_machine.state is MQTTClientState.DISCONNECTED and isinstance(
            packet, MQTTPublishPacket | MQTTSubscribePacket
        ):
            return
        self._expect_more(session)
        if isinstance(packet, MQTTConnectPacket):
            await self._connect(packet, session)
        elif isinstance(packet, MQTTPublishPacket):
            await self._publish(packet, session, stream)
        elif isinstance(packet, MQTTSubscribePacket) and (why := self._refuses(packet)):
            await self._end(session, why)
        else:
            await super().handle_packet(packet, session, stream)

    def _limit(self, what: PropertyType, default: int) -> int:
        return int(self._limits.get(what, default))

    # --- CONNECT

    async def _connect(self, packet: MQTTConnectPacket, session: AsyncMQTTClientSession) -> None:
        machine, will = session.state_machine, packet.will
        why = ReasonCode.SUCCESS
        if will and will.retain and not self._limit(PropertyType.RETAIN_AVAILABLE, 1):
            why = ReasonCode.RETAIN_NOT_SUPPORTED
        elif will and will.qos > self._limit(PropertyType.MAXIMUM_QOS, 2):
            why = ReasonCode.QOS_NOT_SUPPORTED
        if why is ReasonCode.SUCCESS:
            machine._state = MQTTClientState.CONNECTED  # its own CONNACK says no limits
            self._state_machine.client_state_machines[packet.client_id] = machine
        answer = MQTTConnAckPacket(
            reason_code=why,
            session_present=False,
            properties=dict(self._limits) if why is ReasonCode.SUCCESS else {},
        )
        answer.encode(machine._out_buffer)
        if why is not ReasonCode.SUCCESS:
            await self._close(session, why)

    # --- what may not be

    async def _publish(
        self, packet: MQTTPublishPacket, session: AsyncMQTTClientSession, stream: ByteStream
    ) -> None:
        if why := self._refuses(packet):
            await self._end(session, why)
            return
        if not packet.qos:
            await super().handle_packet(packet, session, stream)
            return
        now = self._under_way.get(id(session), 0) + 1
        self._under_way[id(session)] = now
        self.most_in_flight = max(self.most_in_flight, now)
        if now > self._limit(PropertyType.RECEIVE_MAXIMUM, 65535):
            await self._end(session, ReasonCode.RECEIVE_MAXIMUM_EXCEEDED)
            return
        task = asyncio.create_task(self._take(packet, session, stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(
        self, packet: MQTTPublishPacket, session: AsyncMQTTClientSession, stream: ByteStream
    ) -> None:
        await asyncio.sleep(PUBACK_SECONDS)
        if session.state_machine.state is MQTTClientState.CONNECTED:
            self._under_way[id(session)] -= 1
            await super().handle_packet(packet, session, stream)
            await session.flush_outbound_data()

    def _refuses(self, packet: MQTTPublishPacket | MQTTSubscribePacket) -> ReasonCode | None:
        written = bytearray()
        packet.encode(written)
        if len(written) > self._limit(PropertyType.MAXIMUM_PACKET_SIZE, 1 << 28):
            return ReasonCode.PACKET_TOO_LARGE
        if isinstance(packet, MQTTSubscribePacket):
            wild = any({"+", "#"} & set(one.pattern.pattern) for one in packet.subscriptions)
            if wild and not self._limit(PropertyType.WILDCARD_SUBSCRIPTION_AVAILABLE, 1):
                return ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED
            return ReasonCode.QUOTA_EXCEEDED if len(packet.subscriptions) > MOST_FILTERS else None
        alias = packet.properties.get(PropertyType.TOPIC_ALIAS, 0)
        if int(alias) > self._limit(PropertyType.TOPIC_ALIAS_MAXIMUM, 0):
            return ReasonCode.TOPIC_ALIAS_INVALID
        if packet.retain and not self._limit(PropertyType.RETAIN_AVAILABLE, 1):
            return ReasonCode.RETAIN_NOT_SUPPORTED
        if packet.qos > self._limit(PropertyType.MAXIMUM_QOS, 2):
            return ReasonCode.QOS_NOT_SUPPORTED
        return None

    # --- ending

    def _expect_more(self, session: AsyncMQTTClientSession) -> None:
        """Within one and a half times what it has granted."""
        if timer := self._timers.pop(id(session), None):
            timer.cancel()
        if granted := self._limit(PropertyType.SERVER_KEEP_ALIVE, 0):
            loop = asyncio.get_running_loop()
            self._timers[id(session)] = loop.call_later(1.5 * granted, self._silent, session)

    def _silent(self, session: AsyncMQTTClientSession) -> None:
        if session.state_machine.state is MQTTClientState.CONNECTED:
            task = asyncio.create_task(self._end(session, ReasonCode.KEEP_ALIVE_TIMEOUT))
            self._tasks.add(task)

    async def _end(self, session: AsyncMQTTClientSession, why: ReasonCode) -> None:
        MQTTDisconnectPacket(reason_code=why).encode(session.state_machine._out_buffer)
        await self._close(session, why)

    async def _close(self, session: AsyncMQTTClientSession, why: ReasonCode) -> None:
        self.broken.append(why)
        session.state_machine._state = MQTTClientState.DISCONNECTED
        await session.flush_outbound_data()
        await session.stream.aclose()
