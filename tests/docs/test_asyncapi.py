"""docs/asyncapi.yaml is what the types say, and the agent decodes its examples."""

from __future__ import annotations

import json

import msgspec
import yaml

from agent.core.model.command_codec import command_from, decode_object
from agent.core.model.commands import COMMANDS, Origin
from tests.docs import asyncapi
from tests.docs.samples import ROOT

PAGE = ROOT / "docs" / "asyncapi.yaml"


def test_it_is_made_from_the_types() -> None:
    """`python -m tests.docs.asyncapi > docs/asyncapi.yaml` makes it anew."""
    assert PAGE.read_text("utf-8") == asyncapi.text(), (
        "run: .venv/bin/python -m tests.docs.asyncapi > docs/asyncapi.yaml"
    )


def test_every_message_has_an_example_that_the_agent_decodes() -> None:
    messages = yaml.safe_load(PAGE.read_text("utf-8"))["components"]["messages"]
    documents = asyncapi.DOCUMENTS | asyncapi.RECEIVED
    assert set(messages) == {*COMMANDS, *documents}
    for name, message in messages.items():
        assert message["examples"], name
        for example in message["examples"]:
            payload = json.dumps(example["payload"]).encode()
            if name in COMMANDS:
                decoded = command_from(decode_object(payload), name, Origin.HUB, lambda: "x")
                assert decoded.unknown_fields == []
            else:
                msgspec.json.decode(payload, type=documents[name])
