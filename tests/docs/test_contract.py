"""docs/contract.md says what the agent does: samples decode, lists are complete."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, get_args

import msgspec
import pytest

from agent.conductor.core.model.seen import SeenConductor
from agent.core.model import commands, documents
from agent.core.model.agenda import Agenda, AgendaItem
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


def test_the_commands_are_the_ones_in_the_table_in_its_order() -> None:
    assert [row[0] for row in table(CONTRACT, "type", "fields")] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_fields_are_the_ones_of_its_line(name: str) -> None:
    """None is missing and none too many; a question mark says that it may be left out, braces what is inside."""
    (line,) = [row[1] for row in table(CONTRACT, "type", "fields") if row[0] == name]
    assert named_fields(line) == fields_of(COMMANDS[name], deep="{" in line)


def named_fields(line: str) -> set[str]:
    """`meeting {id, title?}, play? [{url}] (words)` gives meeting, meeting.id, meeting.title?, play?, play.url."""
    plain = re.sub(r"\([^)]*\)", "", line.removeprefix("as join:").replace(";", ","))
    found: set[str] = set()
    above = ""
    for name, opens, closes in re.findall(
        r"([a-z_]+\??)\s*\[?(\{)?(\}?)", plain.replace("and ", "")
    ):
        found.add(f"{above}{name}")
        if opens:
            above = f"{name.rstrip('?')}."
        if closes:
            above = ""
    return found


def fields_of(struct: type[msgspec.Struct], *, deep: bool) -> set[str]:
    """Its fields, marked where they may be left out; with `deep` those of the structs in it too."""
    found = set()
    for field in msgspec.structs.fields(struct):
        found.add(f"{field.encode_name}{'' if field.required else '?'}")
        for inner in structs_in(field.type) if deep else ():
            found |= {f"{field.encode_name}.{name}" for name in fields_of(inner, deep=False)}
    return found


def structs_in(hint: Any) -> list[type[msgspec.Struct]]:
    """Those that a field of this type may be, or be a list of."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [one for inner in get_args(hint) for one in structs_in(inner)]


def test_joins_defaults_are_the_ones_in_the_table() -> None:
    defaults = {row[0]: row[1] for row in table(CONTRACT, "field", "default")}
    join = Join(meeting=commands.Meeting("giao-ban"))
    assert defaults["microphone"] == join.microphone
    assert defaults["camera"] == join.camera
    assert defaults["timeout_seconds"] == f"{join.timeout_seconds:g}"
    assert defaults["replace"] == str(join.replace).lower()
    assert f"up to {MAX_SOURCES} WHEP endpoints" in page_text(CONTRACT)


FIELDS: dict[tuple[str, ...], tuple[type[msgspec.Struct], ...]] = {
    ("field of an ack", "meaning"): (commands.Ack,),
    ("field of the state", "values"): (documents.RoomState,),
    ("field of the health", "meaning"): (documents.HealthDocument,),
    ("field of an event", "meaning"): (documents.EventDocument,),
    ("of a finding", "meaning"): (documents.CheckFinding,),
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


@pytest.mark.parametrize(
    "heading", [one for one in FIELDS if "unit" in one], ids=lambda one: one[0]
)
def test_every_number_has_the_unit_that_its_name_says(heading: tuple[str, ...]) -> None:
    """A number with another unit, or without one where its name has one, is read wrong by a factor of thousand."""
    said = {name: row[1] for row in table(CONTRACT, *heading) for name in row[0].split(", ")}
    meant = {name: unit_of(name) for name in said}
    for name, unit in meant.items():
        if unit is not None:
            assert said[name] == unit, f"{name}: the page says {said[name]!r}"


def unit_of(name: str) -> str | None:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), None)


UNITS = {
    "_bits_per_second": "bit/s",
    "frames_per_second": "1/s",
    "framerate": "1/s",
    "_milliseconds": "ms",
    "seconds": "s",
    "_percent": "%",
    "_hz": "Hz",
    "_dbm": "dBm",
    "_dbfs": "dBFS",
    "_celsius": "°C",
    "_megabytes": "10⁶ bytes",
    "_megabits": "10⁶ bit/s",
    "_days_left": "days",
    "_frames": "samples",
}
"""End of a name -> the unit that the page must say; the first that fits counts."""


@pytest.mark.parametrize(
    "heading", [one for one in FIELDS if "unit" in one], ids=lambda one: one[0]
)
def test_every_number_has_a_unit_and_what_is_none_has_none(heading: tuple[str, ...]) -> None:
    said = {name: row[1] for row in table(CONTRACT, *heading) for name in row[0].split(", ")}
    for struct in FIELDS[heading]:
        for field in msgspec.structs.fields(struct):
            kinds = {field.type, *get_args(field.type)}
            number = bool(kinds & {int, float}) and field.name not in NUMBERS
            assert bool(said[field.name]) == number, f"{field.name}: unit {said[field.name]!r}"


NUMBERS = {"choice", "attempt", "version", "items"}
"""They count or name something themselves."""


def test_the_fields_of_an_agenda_are_the_ones_in_the_table() -> None:
    rows = table(CONTRACT, "field of an agenda", "meaning")
    named = {name for row in rows for name in row[0].split(", ")}
    items = {f"items[].{name}" for name in AgendaItem.__struct_fields__}
    assert named == {*Agenda.__struct_fields__, *items}


def test_the_fields_of_a_conductor_are_the_ones_in_the_table() -> None:
    rows = table(CONTRACT, "field of a conductor", "unit", "meaning")
    assert {row[0] for row in rows} == set(SeenConductor.__struct_fields__)


INSIDE = {
    ("field of the state", "meeting"): documents.MeetingState,
    ("field of the state", "agent"): documents.AgentFacts,
    ("field of the state", "floor"): documents.FloorState,
    ("field of the state", "retry"): documents.RetryState,
    ("field of the health", "devices"): documents.DeviceStatus,
    ("field of the health", "readiness"): documents.Readiness,
}
"""Table's heading and a field of it -> the struct whose fields its line names."""


@pytest.mark.parametrize(("heading", "name"), INSIDE, ids=str)
def test_a_line_names_what_is_inside(heading: str, name: str) -> None:
    (row,) = [row for row in rows_with_ticks(heading) if row[0] == f"`{name}`"]
    named = set(re.findall(r"`([a-z_]+)`", row[1])) - {"null"}
    assert named >= set(INSIDE[heading, name].__struct_fields__)


def rows_with_ticks(heading: str) -> list[list[str]]:
    lines = page_text(CONTRACT).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = [line.strip("| ").split(" | ") for line in itertools.takewhile(bool, lines[start:])]
    return rows[2:]


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
