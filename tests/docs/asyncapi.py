"""docs/asyncapi.yaml, made from the agent's own types and the contract's own samples.

`python -m tests.docs.asyncapi > docs/asyncapi.yaml` writes it anew; a test compares.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec
import yaml

from agent.core.model.agenda import Agenda
from agent.core.model.commands import COMMANDS, Ack
from agent.core.model.documents import EventDocument, HealthDocument, RoomState
from tests.docs.samples import samples

CONTRACT = "docs/contract.md"
DOCUMENTS: dict[str, type] = {
    "state": RoomState,
    "health": HealthDocument,
    "event": EventDocument,
    "ack": Ack,
}
RECEIVED: dict[str, type] = {"agenda": Agenda}
"""Documents that are written for a room or a group of them."""

ADDRESSES = {
    "state": "diemcau/v1/room/{room}/state",
    "health": "diemcau/v1/room/{room}/health",
    "event": "diemcau/v1/room/{room}/event/{type}",
    "ack": "diemcau/v1/room/{room}/ack/{id}",
}
PARAMETERS = {
    "room": "the room's id",
    "group": "a group of rooms; every room is in all",
    "type": "the event's type",
    "id": "the command's id",
}
ENVELOPE = {
    "id": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$"},
    "issued": {"type": "string", "format": "date-time"},
    "expires": {"type": "string", "format": "date-time"},
}
REF = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The whole AsyncAPI 3 document."""
    kinds = [*COMMANDS.values(), *DOCUMENTS.values(), *RECEIVED.values()]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REF)
    for body in COMMANDS.values():
        schemas[body.__name__]["properties"] |= ENVELOPE
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for name, kind in DOCUMENTS.items():
        _add_message(messages, name, kind, f"document:{kind.__name__}")
        _add_channel(channels, operations, name, ADDRESSES[name], "send")
    for name, kind in COMMANDS.items():
        _add_message(messages, name, kind, f"command:{name}")
        for whom in ("room", "group"):
            address = f"diemcau/v1/{whom}/{{{whom}}}/cmd/{name}"
            _add_channel(channels, operations, name, address, "receive", prefix=f"{whom}-")
    for name, kind in RECEIVED.items():
        _add_message(messages, name, kind, f"document:{kind.__name__}")
        for whom in ("room", "group"):
            address = f"diemcau/v1/{whom}/{{{whom}}}/{name}"
            _add_channel(channels, operations, name, address, "receive", prefix=f"{whom}-")
    made = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "diemcau: a room and its hub",
            "version": "1.0.0",
            "description": "Made from the agent's types; docs/contract.md says what they mean.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }
    # JSON Schema's patterns are ECMAScript's, where the end is $ and never before a line feed
    plain: dict[str, Any] = json.loads(json.dumps(made).replace("\\\\Z", "$"))
    return plain


def _add_message(messages: dict[str, Any], name: str, kind: type, sample: str) -> None:
    examples = [
        {"payload": json.loads(one.text)} for one in samples(CONTRACT, "json") if one.kind == sample
    ]
    summary = (kind.__doc__ or name).splitlines()[0]
    payload = {"$ref": REF.format(name=kind.__name__)}
    messages[name] = {"summary": summary, "payload": payload, "examples": examples}


def _add_channel(
    channels: dict[str, Any],
    operations: dict[str, Any],
    name: str,
    address: str,
    action: str,
    *,
    prefix: str = "",
) -> None:
    key = f"{prefix}{name}"
    used = {p: {"description": text} for p, text in PARAMETERS.items() if f"{{{p}}}" in address}
    message = {"$ref": f"#/components/messages/{name}"}
    channels[key] = {"address": address, "parameters": used, "messages": {name: message}}
    operations[key] = {"action": action, "channel": {"$ref": f"#/channels/{key}"}}


def text() -> str:
    """As it stands in docs/."""
    return yaml.safe_dump(document(), allow_unicode=True, sort_keys=True, width=120)


if __name__ == "__main__":
    sys.stdout.write(text())
