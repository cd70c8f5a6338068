"""One MQTT 5 connection, from CONNECT to its end; with `transport`, all that knows paho.

Everything here happens in the one thread that calls `turn`; paho's own thread, reconnects and queues
are not used, since they die silently and keep without bounds (failures rows 15 to 18).
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from paho.mqtt import client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.core.model.events import Delivery
from agent.errors import HubError
from agent.hub import reasons, tls, transport
from agent.hub.limits import IN_FLIGHT, Attempt, Limits, batches, limits_of
from agent.hub.messages import Incoming, Published
from agent.settings import Hub

RECEIVE_MAXIMUM = 20
"""Commands that the broker may send before we acknowledge one (MQTT 5, 3.1.2.11.3)."""

MAX_PACKET_BYTES = 2 * 1024 * 1024
"""What we are willing to receive: more than a command may have, so that its sender is told so."""

MAX_QUEUED = 1000
"""Messages that a caller who does not ask for room may leave here."""

_log = logging.getLogger(__name__)


class Refused(NamedTuple):
    """The broker took a message of ours and threw it away, or would not take it."""

    topic: str
    key: str
    code: str
    text: str


class Listener(Protocol):
    """Who hears of the connection, always in the thread that calls `turn`; must not block."""

    def on_connected(self) -> None: ...

    def on_subscribed(self, refused: list[str]) -> None: ...

    def on_message(self, incoming: Incoming) -> None: ...

    def on_delivered(self, key: str) -> None: ...

    def on_refused(self, refused: Refused) -> None: ...


class _Sent(NamedTuple):
    """What the broker has not acknowledged yet."""

    topic: str
    key: str
    copy: bool
    at: float


class MqttConnection:
    """A connection to the hub's broker. `wake` is an eventfd that ends `turn`."""

    def __init__(
        self,
        hub: Hub,
        client_id: str,
        will: Published | None,
        listener: Listener,
        attempt: Attempt,
        wake: int,
    ) -> None:
        self._hub = hub
        self._attempt = attempt
        self._wake = wake
        self._listener = listener
        self.limits = Limits(keepalive_seconds=hub.keepalive_seconds)
        self._sent: dict[int, _Sent] = {}
        """By packet id, oldest first."""
        self._subscribing: dict[int, list[str]] = {}
        self._refused: list[str] = []
        self._connected = False
        self._ended: HubError | None = None
        self._socket_error = transport.LastError()
        self._client = self._make_client(client_id, will)

    def _make_client(self, client_id: str, will: Published | None) -> mqtt.Client:
        client = transport.DialingClient(self._hub, client_id)
        client.max_queued_messages_set(MAX_QUEUED)
        client.max_inflight_messages_set(IN_FLIGHT)
        if will is not None:
            retain = will.retain and self._attempt.will_retain
            client.will_set(will.topic, will.payload, qos=self._attempt.will_qos, retain=retain)
        client.enable_logger(self._socket_error.logger)
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
                clean_start=self._attempt.clean_start,
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

    def turn(self, seconds: float, *, listen: bool = True) -> None:
        """Wait for the network or the wake-up, so long at the most, and do what there is to do.

        Without `listen` nothing is read: what the broker sends waits at the broker. Raises HubError, saying
        why, once the connection has ended.
        """
        sock: Any = self._client.socket()
        if sock is not None:
            pending = listen and transport.pending_bytes(sock)
            writes = [sock] if self._client.want_write() else []
            reads = [sock, self._wake] if listen else [self._wake]
            wait = 0.0 if pending else max(0.0, seconds)
            readable, _, _ = select.select(reads, writes, [], wait)
            if self._wake in readable:
                os.eventfd_read(self._wake)
            if sock in readable or pending:
                self._read()
            self._client.loop_write()
            if listen:  # it counts what was not read as silence, and would cut the link
                self._client.loop_misc()
        if self._client.socket() is None:
            raise self._end()

    def _read(self) -> None:
        result = self._client.loop_read()
        if result == MQTTErrorCode.MQTT_ERR_PROTOCOL and self._connected:  # else it is no broker
            text = "the hub passed on a message that the MQTT library cannot read; it is dropped"
            self._ended = HubError(reasons.UNREADABLE, text)

    def subscribe(self, commands: list[str], agendas: list[str], own: list[str]) -> None:
        """Ask for commands at QoS 1 and for what the room itself said at 0; `on_subscribed` follows.

        QoS 1 and not 2: what makes a command count once is its id, in the journal. Retained ones are
        asked for, and as retained, since their senders must hear that this isn't how it is done.
        """
        command = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=1)
        agenda = SubscribeOptions(qos=1)  # the newest with each connection
        self._ask(
            [
                *((one, command) for one in commands),
                *((one, agenda) for one in agendas),
                *((one, SubscribeOptions(0)) for one in own),
            ]
        )

    def watch(self, filters: list[str]) -> None:
        """Ask for all of it at QoS 1, what is retained included; `on_subscribed` follows."""
        self._ask([(one, SubscribeOptions(qos=1)) for one in filters])

    def _ask(self, filters: list[tuple[str, SubscribeOptions]]) -> None:
        options = dict(filters)
        for some in batches(list(options), self.limits):
            _, mid = self._client.subscribe([(one, options[one]) for one in some])
            assert mid is not None
            self._subscribing[mid] = some

    def unsubscribe(self, topic: str) -> None:
        """Drop what the session still has of other settings, such as a group that we have left: its commands, which
        were asked for by a wildcard or one by one, or its agenda."""
        self._client.unsubscribe([topic, f"{topic.rpartition('/')[0]}/+"])

    @property
    def has_room(self) -> bool:
        """Whether the broker takes one more message now; else after the next PUBACK."""
        return len(self._sent) < self.limits.in_flight

    def publish(self, message: Published, key: str = "", *, copy: bool = False) -> None:
        """QoS 1, if the broker has it; only while there `has_room`. A key comes back by `on_delivered`."""
        size, most = message.size, self.limits.maximum_packet_bytes
        if most is not None and size > most:
            text = f"{size} bytes on {message.topic} are more than the hub takes ({most})"
            self._listener.on_refused(Refused(message.topic, key, "too-large", text))
            return
        properties = None
        if message.correlation is not None:
            properties = _properties(PacketTypes.PUBLISH)
            properties.CorrelationData = message.correlation
        info = self._client.publish(
            message.topic,
            message.payload,
            qos=self.limits.maximum_qos,
            retain=message.retain and self.limits.retains,
            properties=properties,
        )
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise HubError("backlog", f"the hub owes us {MAX_QUEUED} acknowledgements")
        if self.limits.maximum_qos:
            self._sent[info.mid] = _Sent(message.topic, key, copy, time.monotonic())
        elif key:
            self._listener.on_delivered(key)  # nobody will ever confirm it

    def send(self, topic: str, payload: bytes) -> None:
        """QoS 0."""
        self._client.publish(topic, payload)

    def acknowledge(self, delivery: Delivery) -> None:
        """PUBACK; one for an earlier connection is dropped, since the broker delivers again."""
        if delivery.connection == self._attempt.number:
            self._client.ack(delivery.mid, delivery.qos)

    def unacknowledged(self) -> int:
        """Messages of ours that the broker has not acknowledged."""
        return len(self._sent)

    def unacknowledged_seconds(self) -> float:
        """Since when the broker owes us the oldest PUBACK."""
        oldest = next(iter(self._sent.values()), None)
        return time.monotonic() - oldest.at if oldest else 0.0

    def copies_under_way(self) -> bool:
        """Whether a message to a command's sender is among them."""
        return any(one.copy for one in self._sent.values())

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
        self, _c: mqtt.Client, _u: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._ended = reasons.from_reason_code(reason.value, str(reason), properties)
            return
        self._connected = True
        self.limits = limits_of(properties, self._hub.keepalive_seconds)
        self._listener.on_connected()

    def _on_disconnect(
        self, _c: mqtt.Client, _u: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, p: Any
    ) -> None:
        if self._ended is None and flags.is_disconnect_packet_from_server:
            self._ended = reasons.from_reason_code(reason.value, str(reason), p)

    def _on_subscribe(
        self, _c: mqtt.Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        answers = zip(self._subscribing.pop(mid, []), codes, strict=False)
        self._refused += [one for one, code in answers if code.is_failure]
        if not self._subscribing:
            self._listener.on_subscribed(self._refused)

    def _on_message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        number = self._attempt.number
        delivery = Delivery(message.mid, message.qos, number) if message.qos else None
        properties = message.properties
        self._listener.on_message(
            Incoming(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
                delivery=delivery,
                sender=next(self._senders(properties), None),
            )
        )

    def _senders(self, properties: Any) -> Iterator[str]:
        """The user property by which the broker vouches for the sender; the last one counts, which a
        broker that adds its own puts behind the sender's."""
        wanted = self._hub.sender_property
        pairs = getattr(properties, "UserProperty", ()) if wanted else ()
        return (value for name, value in reversed(pairs) if name == wanted)

    def _on_publish(self, _c: mqtt.Client, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        sent = self._sent.pop(mid, None)
        if sent is None:
            return
        if reason.is_failure and sent.copy:
            _log.info("the hub refuses a command's Response Topic: %s", reason)
        elif reason.is_failure:
            code, text = reasons.from_puback(reason.value, str(reason), sent.topic)
            self._listener.on_refused(Refused(sent.topic, sent.key, code, text))
        elif sent.key:
            self._listener.on_delivered(sent.key)


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
