"""docs/contract.md says what the agent does: samples decode, lists are complete."""

from __future__ import annotations

import json
import re
from typing import get_args

import msgspec
import pytest

from agent.core.model import commands, documents
from agent.core.model.agenda import Agenda
from agent.core.model.command_codec import command_from, decode_object
from agent.core.model.commands import (
    COMMANDS,
    FINAL_STATES,
    MAX_SOURCES,
    AckState,
    Code,
    Join,
    Origin,
)
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.figures import LinkState, Path
from agent.core.model.room_status import HubLinkStatus, RoomStatus
from tests.docs.samples import ROOT, Sample, page_text, samples, table

CONTRACT = "docs/contract.md"
JSON_SAMPLES = samples(CONTRACT, "json")
COMMAND_SAMPLES = [sample for sample in JSON_SAMPLES if sample.kind.startswith("command:")]
DOCUMENT_SAMPLES = [sample for sample in JSON_SAMPLES if sample.kind.startswith("document:")]
DOCUMENTS = {
    "Ack": commands.Ack,
    "RoomState": documents.RoomState,
    "HealthDocument": documents.HealthDocument,
    "EventDocument": documents.EventDocument,
    "Agenda": Agenda,
}


def test_every_json_sample_is_of_a_kind_that_is_run() -> None:
    assert {sample.kind.partition(":")[0] for sample in JSON_SAMPLES} == {
        "command",
        "document",
        "control",
    }


@pytest.mark.parametrize("sample", COMMAND_SAMPLES, ids=str)
def test_a_command_sample_is_taken_without_a_warning(sample: Sample) -> None:
    kind = sample.kind.removeprefix("command:")
    fields = decode_object(sample.text.encode())
    decoded = command_from(fields, kind, Origin.HUB, lambda: "made-up")
    assert decoded.unknown_fields == []
    assert decoded.command.type == kind


def test_every_command_has_a_sample() -> None:
    assert {sample.kind.removeprefix("command:") for sample in COMMAND_SAMPLES} == set(COMMANDS)


def test_the_control_sample_is_a_command_with_its_type() -> None:
    (sample,) = [sample for sample in JSON_SAMPLES if sample.kind == "control"]
    fields = decode_object(sample.text.encode())
    decoded = command_from(fields, fields["type"], Origin.LOCAL, lambda: "made-up")
    assert decoded.unknown_fields == []
    assert isinstance(decoded.command.body, Join)


@pytest.mark.parametrize("sample", DOCUMENT_SAMPLES, ids=str)
def test_a_document_sample_has_exactly_the_fields_that_are_sent(sample: Sample) -> None:
    document = msgspec.json.decode(
        sample.text, type=DOCUMENTS[sample.kind.removeprefix("document:")]
    )
    assert json.loads(msgspec.json.encode(document)).keys() == json.loads(sample.text).keys()


def test_every_document_has_a_sample() -> None:
    assert {sample.kind.removeprefix("document:") for sample in DOCUMENT_SAMPLES} == set(DOCUMENTS)


def test_the_codes_are_the_closed_list_in_its_order() -> None:
    assert [row[0] for row in table(CONTRACT, "code", "in state")] == [str(code) for code in Code]


def test_the_ack_states_and_which_are_final() -> None:
    rows = table(CONTRACT, "state", "final")
    assert [row[0] for row in rows] == [str(state) for state in AckState]
    assert {row[0] for row in rows if row[1] == "yes"} == {str(state) for state in FINAL_STATES}


def test_the_commands_and_all_their_fields_are_named() -> None:
    rows = {row[0]: row[1] for row in table(CONTRACT, "type", "fields")}
    assert list(rows) == list(COMMANDS)
    for name, body in COMMANDS.items():
        for field in body.__struct_fields__:
            assert field in rows[name], f"{name}: {field} is not in the table"


def test_joins_defaults_are_the_ones_in_the_table() -> None:
    defaults = {row[0]: row[1] for row in table(CONTRACT, "field", "default")}
    join = Join(meeting=commands.Meeting("giao-ban"))
    assert defaults["microphone"] == join.microphone
    assert defaults["camera"] == join.camera
    assert defaults["timeout_seconds"] == f"{join.timeout_seconds:g}"
    assert defaults["replace"] == str(join.replace).lower()
    assert f"up to {MAX_SOURCES} WHEP endpoints" in page_text(CONTRACT)


FIELDS: dict[tuple[str, ...], tuple[type[msgspec.Struct], ...]] = {
    ("detail of an ack", "of"): (commands.AckDetail,),
    ("detail of an event", "unit"): (documents.EventDetail,),
    ("detail of a device", "unit"): (DeviceDetail,),
    ("host", "unit"): (documents.HostHealth,),
    ("session of a finding", "unit"): (documents.SessionFigures,),
    ("media", "unit"): (documents.MediaHealth,),
    ("of path", "unit"): (Path,),
    ("of uplink and downlinks", "unit"): (documents.UplinkHealth, documents.DownlinkHealth),
}
"""The contract's table with these headings -> the structs whose fields it lists."""


@pytest.mark.parametrize("heading", FIELDS, ids=lambda heading: heading[0])
def test_every_field_has_its_line_and_every_line_its_field(heading: tuple[str, ...]) -> None:
    named = [name for row in table(CONTRACT, *heading) for name in row[0].split(", ")]
    fields = {name for struct in FIELDS[heading] for name in struct.__struct_fields__}
    assert sorted(named) == sorted(fields)


def test_the_control_sockets_status_has_a_line_for_every_field() -> None:
    rows = {row[0]: row[-1] for row in table(CONTRACT, "status", "meaning")}
    assert list(rows) == ["type", *RoomStatus.__struct_fields__]
    assert {name for name in HubLinkStatus.__struct_fields__ if name in rows["link"]} == set(
        HubLinkStatus.__struct_fields__
    )


def test_the_states_of_a_link_are_all_there() -> None:
    (row,) = [row for row in table(CONTRACT, "of uplink and downlinks") if row[0] == "state"]
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)?", row[-1])) - {"or"} == set(get_args(LinkState))


def test_the_state_words_are_all_there() -> None:
    text = page_text(CONTRACT)
    for word in (*documents.Connection, *documents.Phase, *documents.Status):
        assert f"`{word}`" in text


def test_the_events_that_the_core_tells_are_all_there() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "agent" / "core").rglob("*.py"))
    told = set(re.findall(r'tell\(\s*"([a-z-]+)"', source))
    assert {"mute-pressed", "resumed", "reconnected"} <= told
    for kind in told:
        assert f"`{kind}`" in page_text(CONTRACT)
