"""What is published of a plan, and what is refused before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agent.conductor.agenda_desk import AgendaDesk
from agent.conductor.settings import HubMedia, HubSettings
from agent.core.model.agenda import MAX_AGENDA_BYTES, Agenda, AgendaItem, encode_agenda
from agent.core.model.commands import Attendance, Meeting
from agent.errors import AgentError
from agent.hub.signature import make_key
from agent.locale import sayer
from agent.settings import Hub

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SETTINGS = HubSettings(hub=Hub("127.0.0.1"), media=HubMedia("http://h/whip", "http://h/whep"))


def agenda(count: int = 1, letters: int = 5, days: int = 1) -> Agenda:
    """A document with this many meetings, their titles this long."""
    title = "ộ" * letters
    begin = NOW + timedelta(days=days)
    items = [
        AgendaItem(
            id=f"n-{number}",
            title=title,
            starts=begin,
            ends=begin + timedelta(hours=1),
            join=Attendance(Meeting("giao-ban", title)),
        )
        for number in range(count)
    ]
    return Agenda(1, 1, NOW, NOW + timedelta(days=14), items, to="room/xa-a")


def signed(folder: Path) -> AgendaDesk:
    signer, _public = make_key("ha", "Hà", ["agenda"], ["*"], [])
    path = folder / "ha.jwk"
    path.write_bytes(msgspec.json.encode({**signer.key, "kid": "ha"}))
    return AgendaDesk(SETTINGS, path)


def refusal(desk: AgendaDesk, document: Agenda) -> str:
    with pytest.raises(AgentError) as caught:
        desk.messages({"group/xa-b": agenda(), "room/xa-a": document})
    return caught.value.text


def test_a_document_that_is_too_large_is_refused_and_says_what_to_do() -> None:
    document = agenda(200, letters=200)
    text = refusal(AgendaDesk(SETTINGS), document)
    first, last = text.splitlines()
    assert first.startswith("diemcau/v1/room/xa-a/agenda: this agenda has ")
    assert f"{len(encode_agenda(document))} bytes, a room takes {MAX_AGENDA_BYTES}; short" in first
    assert last == "nothing was published for any room"
    assert sayer("vi")(text).splitlines() == [
        f"diemcau/v1/room/xa-a/agenda: lịch này có {len(encode_agenda(document))} byte, một phòng chỉ nhận "
        f"{MAX_AGENDA_BYTES}; hãy rút ngắn tiêu đề, hoặc lên ít cuộc họp hơn cho địa chỉ này",
        "chưa công bố gì cho phòng nào",
    ]


def test_a_signature_counts(tmp_path: Path) -> None:
    document = agenda(200, letters=150)
    [plain] = AgendaDesk(SETTINGS).messages({"room/xa-a": document})
    assert len(plain.payload) <= MAX_AGENDA_BYTES
    assert "bytes, a room takes" in refusal(signed(tmp_path), document)
    [small] = signed(tmp_path).messages({"room/xa-a": agenda()})
    assert small.payload.count(b".") == 2


def test_what_a_room_refuses_for_other_reasons_is_not_sent_either() -> None:
    many = refusal(AgendaDesk(SETTINGS), agenda(201))
    assert "no room would take this agenda: Expected `array` of length <= 200" in many


def test_the_hub_s_own_limit_is_named_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older configuration of ours let 128 KiB through: the broker closed the connection, and nobody knew why."""
    desk = AgendaDesk(SETTINGS)
    monkeypatch.setattr("agent.conductor.visit.Visit.maximum_packet_bytes", 131072)
    text = refusal(desk, agenda(200, letters=150))
    assert "bytes, the hub takes 131072; raise max_packet_size in its mosquitto.conf" in text
