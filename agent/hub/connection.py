"""One MQTT 5 connection, from CONNECT to its end; the only file that knows paho.

Everything here happens in the one thread that calls `turn`; paho's own thread, reconnects and queues
are not used, since they die silently and keep without bounds (failures rows 15 to 18).
"""

from __future__ import annotations

import logging
import os
import select
from pathlib import Path
from typing import Any, Protocol

from agent.core.model.events import Delivery
from agent.errors import HubError
from agent.hub import reasons, tls, transport
from agent.hub.messages import Incoming, Published
from agent.hub.paho import (
    CallbackAPIVersion,
    MQTTErrorCode,
    PacketTypes,
    Properties,
    ReasonCode,
    SubscribeOptions,
    mqtt,
)
from agent.settings import Hub

RECEIVE_MAXIMUM = 20
"""Commands that the broker may send before we acknowledge one (MQTT 5, 3.1.2.11.3)."""

MAX_PACKET_BYTES = 2 * 1024 * 1024
"""What we are willing to receive: more than a command may have, so that its sender is told so."""

MAX_UNACKNOWLEDGED = 1000
"""Messages of ours that the broker may owe us a PUBACK for; with more, something is broken."""

IN_FLIGHT = 20
"""Messages of ours on their way at a time."""

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears of the connection, always in the thread that calls `turn`; must not block."""

    def on_connected(self) -> None: ...

    def on_subscribed(self, refused: list[str]) -> None: ...

    def on_message(self, incoming: Incoming) -> None: ...

    def on_delivered(self, key: str) -> None: ...

    def on_refused(self, topic: str, reason: str) -> None: ...


class MqttConnection:
    """A connection to the hub's broker. `number` counts them; `wake` is an eventfd that ends `turn`.

    With `clean_start` the broker forgets what it kept for us, messages included.
    """

    def __init__(
        self,
        hub: Hub,
        client_id: str,
        will: Published | None,
        listener: Listener,
        *,
        number: int,
        wake: int,
        clean_start: bool = False,
    ) -> None:
        self._hub = hub
        self._clean_start = clean_start
        self._number = number
        self._wake = wake
        self._listener = listener
        self._sent: dict[int, tuple[str, str]] = {}
        """Packet id -> topic and key of what the broker has not acknowledged."""
        self._filters: list[str] = []
        self._ended: HubError | None = None
        self._socket_error = transport.LastError()
        self._client = self._make_client(client_id, will)

    def _make_client(self, client_id: str, will: Published | None) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = self._hub.connect_timeout_seconds
        client.max_queued_messages_set(MAX_UNACKNOWLEDGED)
        client.max_inflight_messages_set(IN_FLIGHT)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.enable_logger(self._socket_error.logger)
        client.on_socket_open = transport.prepare
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def open(self) -> None:
        """TCP, TLS, CONNECT; `on_connected` follows in a later `turn`. Raises HubError."""
        self._set_credentials()
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._hub.session_expiry_seconds
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        try:
            self._client.connect(
                self._hub.host,
                self._hub.port,
                self._hub.keepalive_seconds,
                clean_start=self._clean_start,
                properties=properties,
            )
        except OSError as error:
            raise reasons.from_os_error(error, self._hub) from error

    def _set_credentials(self) -> None:
        """Read anew for each connection, so that a renewed certificate or password counts."""
        if self._hub.tls:
            self._client.tls_set_context(tls.client_context(self._hub.tls))
        if self._hub.username:
            self._client.username_pw_set(self._hub.username, _password(self._hub.password_file))

    def turn(self, seconds: float) -> None:
        """Wait for the network or the wake-up, so long at the most, and do what there is to do.

        Raises HubError, saying why, once the connection has ended.
        """
        sock: Any = self._client.socket()
        if sock is not None:
            pending = transport.pending_bytes(sock)
            writes = [sock] if self._client.want_write() else []
            wait = 0.0 if pending else max(0.0, seconds)
            readable, _, _ = select.select([sock, self._wake], writes, [], wait)
            if self._wake in readable:
                os.eventfd_read(self._wake)
            if sock in readable or pending:
                self._read()
            self._client.loop_write()
            self._client.loop_misc()
        if self._client.socket() is None:
            raise self._end()

    def _read(self) -> None:
        result = self._client.loop_read()
        if result == MQTTErrorCode.MQTT_ERR_PROTOCOL and self._filters:  # else it is no broker
            text = "the hub passed on a message that the MQTT library cannot read; it is dropped"
            self._ended = HubError(reasons.UNREADABLE, text)

    def subscribe(self, commands: list[str], agendas: list[str], own: list[str]) -> None:
        """Ask for commands at QoS 1 and for what the room itself said at 0; `on_subscribed` follows.

        QoS 1 and not 2: what makes a command count once is its id, in the journal. Retained ones are
        asked for, and as retained, since their senders must hear that this isn't how it is done.
        """
        command = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=1)
        agenda = SubscribeOptions(qos=1)  # the newest with each connection
        self._filters = [*commands, *agendas, *own]
        self._client.subscribe(
            [
                *((one, command) for one in commands),
                *((one, agenda) for one in agendas),
                *((one, SubscribeOptions(0)) for one in own),
            ]
        )

    def watch(self, filters: list[str]) -> None:
        """Ask for all of it at QoS 1, what is retained included; `on_subscribed` follows."""
        self._filters = filters
        self._client.subscribe([(one, SubscribeOptions(qos=1)) for one in filters])

    def unsubscribe(self, topic: str) -> None:
        """Drop what the session still has of other settings, such as a group that we have left."""
        self._client.unsubscribe(f"{topic.rpartition('/')[0]}/+")

    def publish(self, message: Published, key: str = "") -> None:
        """QoS 1; a key comes back by `on_delivered`. Raises HubError if too much is unacknowledged."""
        properties = None
        if message.correlation is not None:
            properties = _properties(PacketTypes.PUBLISH)
            properties.CorrelationData = message.correlation
        info = self._client.publish(
            message.topic, message.payload, qos=1, retain=message.retain, properties=properties
        )
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise HubError("backlog", f"the hub owes us {MAX_UNACKNOWLEDGED} acknowledgements")
        self._sent[info.mid] = (message.topic, key)

    def send(self, topic: str, payload: bytes) -> None:
        """QoS 0."""
        self._client.publish(topic, payload)

    def acknowledge(self, delivery: Delivery) -> None:
        """PUBACK; one for an earlier connection is dropped, since the broker delivers again."""
        if delivery.connection == self._number:
            self._client.ack(delivery.mid, delivery.qos)

    def unacknowledged(self) -> int:
        """Messages of ours that the broker has not acknowledged."""
        return len(self._sent)

    def disconnect(self) -> None:
        """In good order: the broker drops the will. The next turns raise HubError `closed`."""
        self._client.disconnect()

    def close(self) -> None:
        """Drop the socket, whatever state it is in; after a `disconnect` nothing is lost by it."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _end(self) -> HubError:
        if self._ended and self._ended.code != "link-lost":
            return self._ended
        if self._socket_error.last is not None:
            return reasons.from_os_error(self._socket_error.last, self._hub)
        return self._ended or HubError("link-lost", "the connection to the hub broke off")

    # --- paho's callbacks, all from within `turn` ---------------------------------------------

    def _on_connect(
        self, _c: mqtt.Client, _u: Any, _flags: Any, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            self._ended = reasons.from_reason_code(reason.value, str(reason))
        else:
            self._listener.on_connected()

    def _on_disconnect(
        self, _c: mqtt.Client, _u: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, _p: Any
    ) -> None:
        if self._ended is None and flags.is_disconnect_packet_from_server:
            self._ended = reasons.from_reason_code(reason.value, str(reason))

    def _on_subscribe(
        self, _c: mqtt.Client, _u: Any, _mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        answers = zip(self._filters, codes, strict=True)
        self._listener.on_subscribed([one for one, code in answers if code.is_failure])

    def _on_message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        delivery = Delivery(message.mid, message.qos, self._number) if message.qos else None
        self._listener.on_message(
            Incoming(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                response_topic=getattr(message.properties, "ResponseTopic", None),
                correlation=getattr(message.properties, "CorrelationData", None),
                delivery=delivery,
            )
        )

    def _on_publish(self, _c: mqtt.Client, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        topic, key = self._sent.pop(mid, ("", ""))
        if reason.is_failure:
            _log.warning("the hub refused what we published on %s: %s", topic, reason)
            self._listener.on_refused(topic, str(reason))
        elif key:
            self._listener.on_delivered(key)


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]


def _password(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        text = f"hub.password_file: {path} cannot be read: {error}"
        raise HubError("bad-credentials", text) from error
