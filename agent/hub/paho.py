"""The names of paho-mqtt that we use, imported without what it would drag along.

Only `agent.hub.connection` imports this.
"""

from __future__ import annotations

import sys

from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

_dnspython = sys.modules.get("dns", ...)
sys.modules["dns"] = None  # type: ignore[assignment]
try:  # paho imports dnspython where it is installed, for SRV look-ups that nobody asks of it: 3 MB
    from paho.mqtt import client as mqtt
finally:
    del sys.modules["dns"]
    if _dnspython is not ...:
        sys.modules["dns"] = _dnspython

__all__ = [
    "CallbackAPIVersion",
    "MQTTErrorCode",
    "PacketTypes",
    "Properties",
    "ReasonCode",
    "SubscribeOptions",
    "mqtt",
]
