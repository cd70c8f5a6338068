"""From invitations to documents: who is meant, what would change, and what a document holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agent.agenda.calendar import read_calendars
from agent.agenda.plan import Plan, Planned, changes, planned, read_plan, write_plan
from agent.agenda.rooms import KnownRoom, RoomList
from agent.core.model.agenda import (
    MAX_AGENDA_BYTES,
    MAX_ITEMS,
    Agenda,
    AgendaItem,
    encode_agenda,
    slug,
)
from agent.core.model.commands import Attendance, Meeting
from agent.errors import AgentError
from tests.support.calendars import calendar, read_calendar

FILES = Path(__file__).parent / "files"
NOW = datetime(2026, 11, 28, tzinfo=UTC)
ROOMS = RoomList(
    [
        KnownRoom(
            "xa-lung-cu", "Xã Lũng Cú", ("giao-ban", "bien-gioi"), "lungcu.room@tinh.example"
        ),
        KnownRoom("dat-mui", "Đất Mũi", ("giao-ban",), ""),
    ]
)


def take(plan: Plan, name: str, data: bytes) -> list[str]:
    return take_all(plan, {name: data})


def take_all(plan: Plan, files: dict[str, bytes]) -> list[str]:
    """As `diemcau agenda import` does."""
    readings = read_calendars(list(files.values()), NOW, NOW + timedelta(days=14))
    left: list[str] = []
    for name, reading in zip(files, readings, strict=True):
        meetings = [
            planned(one, ROOMS.match(one.attendees).addresses or ["room/dat-mui"], name)
            for one in reading.occurrences
        ]
        left += plan.put(name, meetings, reading)
    return left


def plan_of(name: str) -> Plan:
    plan = Plan()
    take(plan, name, (FILES / name).read_bytes())
    return plan


def test_attendees_are_found_by_name_group_and_address() -> None:
    matched = ROOMS.match(
        [
            "Xã  LŨNG CÚ",
            "LungCu.Room@tinh.example",
            "Giao-Ban",
            "dat-mui@xa.example",
            "Nguyễn Văn A",
            "all",
        ]
    )
    assert matched.addresses == ["room/xa-lung-cu", "group/giao-ban", "room/dat-mui", "group/all"]
    assert matched.strangers == ["Nguyễn Văn A"]


def test_vietnamese_names_become_ids() -> None:
    assert slug("Phường Đề Thám, tổ 4") == "phuong-de-tham-to-4"


def test_each_address_has_its_document() -> None:
    documents = plan_of("outlook.ics").documents(NOW, {})
    assert set(documents) == {"room/xa-lung-cu", "room/dat-mui", "group/giao-ban"}
    document = documents["room/xa-lung-cu"]
    assert document.items[0].local == "07:15 thứ hai 30.11.2026"
    assert document.items[0].join.meeting.id == "hop-giao-ban-tuan-48"
    assert msgspec.json.decode(encode_agenda(document), type=Agenda) == document


def test_versions_rise_also_when_the_clock_goes_back() -> None:
    plan = plan_of("outlook.ics")
    far = int(NOW.timestamp()) + 10_000
    assert plan.documents(NOW, {"room/dat-mui": far})["room/dat-mui"].version == far + 1


def test_an_address_that_nothing_is_planned_for_any_more_gets_an_empty_document() -> None:
    assert Plan().documents(NOW, {"group/giao-ban": 7})["group/giao-ban"].items == []


def test_what_would_change_is_said() -> None:
    plan = plan_of("outlook.ics")
    before = plan.documents(NOW, {})["room/dat-mui"]
    first, second, third = before.items
    plan.cancel(second.id)
    moved = msgspec.structs.replace(third, starts=third.starts + timedelta(minutes=15))
    plan.meetings = [
        msgspec.structs.replace(one, item=moved) if one.item.id == third.id else one
        for one in plan.meetings
        if one.item.id != first.id
    ]
    after = plan.documents(NOW, {"room/dat-mui": before.version})["room/dat-mui"]
    assert [change.kind for change in changes("room/dat-mui", before, after, NOW)] == [
        "gone",
        "cancelled",
        "moved",
    ]
    assert changes("room/dat-mui", after, after, NOW) == []
    assert {change.kind for change in changes("room/dat-mui", None, before, NOW)} == {"new"}


def test_what_a_file_no_longer_has_is_cancelled() -> None:
    plan = plan_of("outlook.ics")
    plan.put("outlook.ics", plan.meetings[:1], read_calendar(b"", NOW, NOW))
    assert [one.item.cancelled for one in plan.meetings] == [False, True, True]


def test_the_plan_is_kept_whole() -> None:
    plan = plan_of("google.ics")
    assert read_plan(write_plan(plan)) == plan
    with pytest.raises(AgentError):
        read_plan(b"{")


def test_a_full_document_is_small_enough() -> None:
    document = plan_of("outlook.ics").documents(NOW, {})["room/dat-mui"]
    item = document.items[0]
    many = [
        msgspec.structs.replace(item, id=f"{item.id}-{number}"[-80:].lstrip("-"))
        for number in range(200)
    ]
    assert len(encode_agenda(msgspec.structs.replace(document, items=many))) < MAX_AGENDA_BYTES


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ends": "2026-11-30T00:15:00Z"}, "ends must come after"),
        ({"starts": "2026-11-30T00:15:00"}, "timezone"),
        ({"id": ""}, "id"),
        ({"title": ""}, "title"),
        ({"priority": 10}, "priority"),
        ({"join": {}}, "meeting"),
        ({"starts": "2027-11-30T00:15:00Z", "ends": "2027-11-30T00:16:00Z"}, "14 days"),
    ],
)
def test_documents_that_are_none(change: dict[str, object], word: str) -> None:
    item = {
        "id": "a",
        "title": "Giao ban",
        "starts": "2026-11-30T00:15:00Z",
        "ends": "2026-11-30T01:15:00Z",
        "join": {"meeting": {"id": "giao-ban"}},
    }
    document = {
        "v": 1,
        "version": 1,
        "issued": "2026-11-28T00:00:00Z",
        "valid_until": "2026-12-12T00:00:00Z",
    }
    assert msgspec.convert(document | {"items": [item]}, Agenda)
    with pytest.raises(msgspec.ValidationError, match=word):
        msgspec.convert(document | {"items": [item | change]}, Agenda)
    with pytest.raises(msgspec.ValidationError, match="twice"):
        msgspec.convert(document | {"items": [item, item]}, Agenda)


def test_what_is_too_far_ahead_or_too_much_is_named() -> None:
    """A meeting in five weeks was planned, and `publish` said that nothing changes."""
    join = Attendance(Meeting("giao-ban"))
    plan = Plan()
    for day in (*range(1, 14), 35, 20):
        begin = NOW + timedelta(days=day)
        item = AgendaItem(f"day-{day}", "Giao ban", begin, begin + timedelta(hours=1), join)
        plan.meetings.append(Planned(item, ["room/xa-a"]))
    plan.meetings.sort(key=lambda one: one.item.starts)
    assert [one.id for one in plan.untold(NOW)] == ["day-20", "day-35"]
    assert [one.id for one in plan.untold(NOW + timedelta(days=7))] == ["day-35"]
    plan.cancel("day-35")
    assert [one.id for one in plan.untold(NOW)] == ["day-20"]


def test_more_meetings_than_a_document_takes_are_named() -> None:
    join = Attendance(Meeting("giao-ban"))
    plan = Plan()
    for number in range(MAX_ITEMS + 3):
        begin = NOW + timedelta(minutes=number + 1)
        item = AgendaItem(f"n-{number}", "Họp", begin, begin + timedelta(minutes=1), join)
        plan.meetings.append(Planned(item, ["room/xa-a"]))
    assert [one.id for one in plan.untold(NOW)] == [f"n-{MAX_ITEMS + one}" for one in range(3)]


def test_an_event_with_another_title_is_the_same_meeting() -> None:
    plan = plan_of("outlook.ics")
    ids = [one.item.id for one in plan.meetings]
    data = (
        (FILES / "outlook.ics")
        .read_bytes()
        .replace("Họp giao ban".encode(), "Huỷ: Họp giao ban".encode())
    )
    take(plan, "another file", data)
    assert [one.item.id for one in plan.meetings] == ids
    assert plan.meetings[0].item.title.startswith("Huỷ: ")


UTC_TIME = "%Y%m%dT%H%M%SZ"
DAILY = "RRULE:FREQ=DAILY"


def said(day: int, hour: int = 7, *lines: str, sequence: int = 0, method: str = "REQUEST") -> bytes:
    """What a calendar program sent on a day of November: a meeting of the 29th, at an hour."""
    stamp, begin = datetime(2026, 11, day), datetime(2026, 11, 29, hour)
    event = [f"DTSTAMP:{stamp:{UTC_TIME}}", f"SEQUENCE:{sequence}", "SUMMARY:Giao ban"]
    event += [f"DTSTART:{begin:{UTC_TIME}}", "DURATION:PT1H", *lines]
    return calendar(event, head=f"METHOD:{method}")


def held(plan: Plan) -> list[str]:
    """The meetings that rooms will join."""
    return [f"{one.item.starts:%d %H}" for one in plan.meetings if not one.item.cancelled]


def test_a_series_that_is_called_off_in_a_file_of_its_own() -> None:
    plan = Plan()
    take(plan, "a", said(1, 7, DAILY))
    assert len(held(plan)) == 13
    take(plan, "b", said(2, method="CANCEL", sequence=1))
    assert held(plan) == []
    assert take(plan, "a", said(1, 7, DAILY)) == ["Giao ban"], "the invitation is older"
    assert held(plan) == []


def test_a_series_that_was_moved_is_not_held_at_its_old_time_too() -> None:
    """Its change came as another file, and rooms would have joined at seven and at nine."""
    plan = Plan()
    take(plan, "invitation", said(1, 7, "RRULE:FREQ=DAILY;COUNT=2"))
    take(plan, "change", said(2, 9, "RRULE:FREQ=DAILY;COUNT=2", sequence=1))
    assert held(plan) == ["29 09", "30 09"]


@pytest.mark.parametrize(
    "again", ["invitation", "change"], ids=["its own file", "the newer's file"]
)
def test_an_older_invitation_changes_nothing(again: str) -> None:
    plan = Plan()
    take(plan, "invitation", said(1, 7))
    assert take(plan, "change", said(2, 9, sequence=1)) == []
    assert take(plan, again, said(1, 7)) == ["Giao ban"]
    assert held(plan) == ["29 09"]
    assert take(plan, "change", said(2, 9, sequence=1)) == []


def test_a_cancellation_from_before_a_new_invitation_changes_nothing() -> None:
    plan = Plan()
    take(plan, "new", said(3, 9, sequence=2))
    take(plan, "old", said(2, 7, method="CANCEL", sequence=1))
    assert held(plan) == ["29 09"]


def test_a_meeting_that_was_moved_alone_stays_moved_until_the_series_is_changed() -> None:
    plan = Plan()
    series = said(1, 7, "RRULE:FREQ=DAILY;COUNT=2")
    take(plan, "series", series)
    take(plan, "moved", said(2, 10, "RECURRENCE-ID:20261129T070000Z", sequence=1))
    assert held(plan) == ["29 10", "30 07"]
    assert take(plan, "series", series) == ["Giao ban"]
    assert held(plan) == ["29 10", "30 07"]
    assert take(plan, "series", said(3, 7, "RRULE:FREQ=DAILY;COUNT=2")) == []
    assert held(plan) == ["29 07", "30 07"], "an export of today without the exception"


def test_what_the_operator_called_off_does_not_come_back_with_the_next_import() -> None:
    plan = Plan()
    take(plan, "a", said(1, 7))
    plan.cancel(plan.meetings[0].item.id)
    take(plan, "a", said(2, 7))
    assert held(plan) == []
    take(plan, "a", said(3, 7))
    assert held(plan) == [], "however often"
    take(read := read_plan(write_plan(plan)), "a", said(4, 9, sequence=1))
    assert held(read) == ["29 09"], "it was moved since"


def test_an_event_that_cannot_be_read_any_more_is_not_cancelled() -> None:
    plan = Plan()
    take(plan, "a", said(1, 7))
    take(plan, "a", said(2, 7, "EXRULE:FREQ=DAILY", sequence=1))
    assert held(plan) == ["29 07"]


def test_what_a_file_has_too_much_of_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 5,000 events are read; of the others nothing is known."""
    days = [[f"UID:{day}", f"DTSTART:202611{day}T070000Z", "DURATION:PT1H"] for day in (29, 30)]
    plan = Plan()
    take(plan, "a", calendar(*days))
    monkeypatch.setattr("agent.agenda.calendar.MAX_EVENTS", 1)
    take(plan, "a", calendar(*days))
    assert held(plan) == ["29 07", "30 07"]


@pytest.mark.parametrize("bad", [(), ("EXRULE:FREQ=DAILY",)], ids=["older", "not readable"])
def test_what_a_second_file_has_too_is_not_gone_from_it(bad: tuple[str, ...]) -> None:
    """An event that two files have is read with the first of them."""
    plan = Plan()
    take(plan, "b", said(2, 9, sequence=1))
    both = said(1, 7, *bad)
    take_all(plan, {"a": both, "b": both})
    assert held(plan) == ["29 09"]


def test_a_version_is_known_for_a_year() -> None:
    plan = Plan()
    take(plan, "a", said(1, 7))
    plan.forget_before(NOW + timedelta(days=300))
    assert (len(plan.meetings), len(plan.series)) == (0, 1)
    plan.forget_before(NOW + timedelta(days=400))
    assert len(plan.series) == 0
