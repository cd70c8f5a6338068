"""The MQTT client's way to the network: what paho leaves undone in it, and hides of it.

Pairs with `agent.hub.connection`; nothing here knows of MQTT.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from agent.hub import tls
from agent.hub.dialing import dial
from agent.hub.properties import without_ballast
from agent.settings import Hub


class LastError(logging.Handler):
    """Keeps the socket error that paho logs and otherwise hides behind "connection lost"."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: OSError | None = None
        self.logger = logging.Logger("paho", logging.WARNING)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args or ():
            if isinstance(argument, OSError):
                self.last = argument


class DialingClient(mqtt.Client):
    """paho's client on a socket of ours: paho's own takes the time-out for each address of a name anew. It gets
    messages without what it would read for minutes."""

    def __init__(self, hub: Hub, client_id: str) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
            transport=hub.transport,
        )
        self._hub = hub
        self.connect_timeout = hub.connect_timeout_seconds
        if hub.transport == "websockets":
            self.ws_set_options(hub.websocket_path)

    def _create_socket_connection(self) -> Any:
        hub = self._hub
        return dial(hub.host, hub.port, hub.connect_timeout_seconds, hub.proxy)

    def _ssl_wrap_socket(self, tcp_sock: Any) -> Any:
        sock: ssl.SSLSocket = super()._ssl_wrap_socket(tcp_sock)
        timeout = sock.gettimeout()
        tls.await_verdict(sock)
        sock.settimeout(timeout)
        return sock

    def _handle_publish(self) -> MQTTErrorCode:
        qos = (self._in_packet["command"] & 0x06) >> 1
        packet = bytes(self._in_packet["packet"])
        lean = without_ballast(packet, qos, self._hub.sender_property)
        self._in_packet["packet"] = bytearray(lean)
        return super()._handle_publish()


def pending_bytes(sock: Any) -> int:
    """Bytes that TLS has decrypted already, of which `select` knows nothing."""
    return int(sock.pending()) if hasattr(sock, "pending") else 0
