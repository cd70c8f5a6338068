"""iCalendar files as real programs write them: the right instants, and a line for what is none."""

from __future__ import annotations

import random
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from agent.agenda.calendar import MAX_FILE_BYTES, Reading, read_calendars
from tests.support.calendars import calendar, read_calendar
from tests.support.fuzz import lines_turned_about

FILES = Path(__file__).parent / "files"
BEGIN = datetime(2026, 11, 28, tzinfo=UTC)
END = BEGIN + timedelta(days=14)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def read(name: str) -> Reading:
    return read_calendar((FILES / name).read_bytes(), BEGIN, END)


def local(reading: Reading) -> list[str]:
    """`30.11. 07:15-08:30`, with `x` before what is cancelled."""
    return [
        ("x" if one.cancelled else "")
        + f"{one.starts.astimezone(HANOI):%d.%m. %H:%M}-{one.ends.astimezone(HANOI):%H:%M}"
        for one in reading.occurrences
    ]


EXPECTED = {
    "google.ics": [
        "30.11. 07:15-07:45",
        "01.12. 14:00-14:30",  # moved to the afternoon
        "x02.12. 07:15-07:45",
        *[f"{day:02}.12. 07:15-07:45" for day in (4, 7, 8, 9, 10, 11)],  # the 3rd is an exception
    ],
    "outlook.ics": [f"{day} 07:15-08:30" for day in ("30.11.", "01.12.", "02.12.")],
    "exchange.ics": [
        "01.12. 09:00-10:00",
        "01.12. 10:00-11:00",
        "01.12. 11:30-12:00",
        "x01.12. 15:00-16:00",
    ],
    "nextcloud.ics": ["30.11. 23:30-00:30", "02.12. 23:30-00:30", "05.12. 08:00-09:00"],
    "apple.ics": ["01.12. 08:00-09:30"],
    "thunderbird.ics": [
        "28.11. 16:30-17:00",
        "29.11. 16:30-17:00",
        "01.12. 17:00-18:00",
        "02.12. 16:30-17:00",
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_program_s_file_gives_the_right_instants(name: str) -> None:
    assert local(read(name)) == EXPECTED[name]


def test_every_time_that_is_none_has_its_line() -> None:
    complaints = read("exchange.ics").complaints
    assert len(complaints) == 2
    assert "tzone://Microsoft/Custom" in complaints[0]
    assert "floating time" in complaints[1]
    assert read("google.ics").complaints == [
        "'Ngày nghỉ': it takes whole days; a meeting has a time of day"
    ]


def test_two_files_customized_time_zones_are_two() -> None:
    data = (FILES / "exchange.ics").read_bytes()
    other = data.replace(b"TZOFFSETTO:+0700", b"TZOFFSETTO:+0300").replace(
        b"TZOFFSETFROM:+0700", b"TZOFFSETFROM:+0300"
    )
    first = read_calendar(data, BEGIN, END).occurrences[0].starts
    shifted = {one.title: one for one in read_calendar(other, BEGIN, END).occurrences}
    assert shifted["Họp có múi giờ riêng"].starts - first == timedelta(hours=4)


def test_an_instance_keeps_its_id_when_it_is_moved() -> None:
    data = (FILES / "google.ics").read_bytes()
    before = {one.id for one in read_calendar(data, BEGIN, END).occurrences}
    moved = data.replace(b"20261201T140000", b"20261201T150000").replace(
        b"20261201T143000", b"20261201T153000"
    )
    assert {one.id for one in read_calendar(moved, BEGIN, END).occurrences} == before


def test_who_is_invited_and_how_urgent_it_is() -> None:
    outlook = read("outlook.ics").occurrences[0]
    assert {"Xã Lũng Cú", "giao-ban", "dat-mui"} <= set(outlook.attendees)
    assert (outlook.title, outlook.priority) == ("Họp giao ban, tuần 48", 0)
    google = read("google.ics").occurrences[0]
    assert {"Xã Lũng Cú", "dat-mui@xa.example"} <= set(google.attendees), (
        "a folded line is one line"
    )
    assert read("exchange.ics").occurrences[0].priority == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data + b"\0",
        lambda data: data + data,
    ],
    ids=["bom", "utf-16", "line feeds", "final nul", "two calendars"],
)
def test_the_same_file_in_another_coat(change) -> None:
    data = (FILES / "outlook.ics").read_bytes()
    assert set(local(read_calendar(change(data), BEGIN, END))) == set(EXPECTED["outlook.ics"])


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "VCALENDAR"),
        (b"<html>not logged in</html>", "VCALENDAR"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "not an iCalendar file"),
        (b"x" * (MAX_FILE_BYTES + 1), "at most"),
    ],
)
def test_what_is_no_calendar_is_said(data: bytes, word: str) -> None:
    reading = read_calendar(data, BEGIN, END)
    assert reading.occurrences == []
    assert word in reading.complaints[0]


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["DTSTART:20261201T000000Z", "RRULE:FREQ=SECONDLY"], "secondly"),
        (["DTSTART:20261201T000000Z", "RRULE:FREQ=MINUTELY;COUNT=3"], "minutely"),
        (["DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY"], "begins in 1"),
        (["DTSTART:20261201T020000Z", "DTEND:20261201T010000Z"], "takes"),
        (["DTSTART:20261201T020000Z", "DTEND:20261203T010000Z"], "24 h"),
        (["DTSTART:20261201T020000Z", "DURATION:-PT1H"], "less than no time"),
        (["DTSTART:20261201T020000Z", "DTEND;VALUE=DATE:20261202"], "no time of day"),
        (["DTSTART:20261201T000000Z", "RRULE:FREQ=DAILY;INTERVAL=0"], "INTERVAL"),
        (["DTSTART:20261201T000000Z", "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3,4,5"], "15"),
        (["DTSTART:20261201T000000Z", "EXRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"], "EXRULE"),
        (["DTSTART:yesterday"], "s"),
        (["DTSTART;TZID=../../etc/passwd:20261201T020000", "DURATION:PT1H"], "time zone"),
        (["DTSTART;TZID=Asia/Nowhere:20261201T020000", "DURATION:PT1H"], "Asia/Nowhere"),
    ],
)
def test_what_is_no_meeting_is_said_in_a_line(lines: list[str], word: str) -> None:
    reading = read_calendar(calendar(lines), BEGIN, END)
    assert reading.occurrences == []
    assert len(reading.complaints) == 1
    assert word in reading.complaints[0]


def test_one_bad_event_costs_no_other() -> None:
    good = (FILES / "apple.ics").read_bytes()
    bad = (
        calendar(["DTSTART;TZID=Nowhere:20261201T020000"])
        .split(b"BEGIN:VEVENT")[1]
        .split(b"END:VEVENT")[0]
    )
    mixed = good.replace(b"END:VCALENDAR", b"BEGIN:VEVENT" + bad + b"END:VEVENT\r\nEND:VCALENDAR")
    reading = read_calendar(mixed, BEGIN, END)
    assert local(reading) == EXPECTED["apple.ics"]
    assert len(reading.complaints) == 1


def test_random_rules_against_another_expansion() -> None:
    """dateutil's rrule by itself, in local time: the same instants for 150 random series."""
    dice = random.Random(19)
    for _ in range(150):
        start = datetime(
            2026, 11, dice.randrange(1, 28), dice.randrange(24), dice.choice([0, 15, 30])
        )
        rule = random_rule(dice)
        found = read_calendar(
            calendar(
                [
                    f"DTSTART;TZID=Asia/Ho_Chi_Minh:{start:%Y%m%dT%H%M%S}",
                    "DURATION:PT30M",
                    f"RRULE:{rule}",
                ]
            ),
            BEGIN,
            END,
        )
        expanded = rrulestr(rule, dtstart=start).between(
            datetime(2026, 11, 1), datetime(2026, 12, 31), inc=True
        )
        wanted = [one.replace(tzinfo=HANOI).astimezone(UTC) for one in expanded]
        half_an_hour = timedelta(minutes=30)
        assert [one.starts for one in found.occurrences] == [
            one for one in wanted if one + half_an_hour > BEGIN and one < END
        ], (rule, start, found.complaints)


def random_rule(dice: random.Random) -> str:
    days = ",".join(dice.sample(["MO", "TU", "WE", "TH", "FR", "SA", "SU"], dice.randrange(1, 4)))
    rule = dice.choice(
        [
            "FREQ=DAILY",
            f"FREQ=DAILY;INTERVAL={dice.randrange(1, 5)}",
            f"FREQ=WEEKLY;BYDAY={days}",
            f"FREQ=WEEKLY;INTERVAL=2;BYDAY={days};WKST=MO",
            f"FREQ=MONTHLY;BYMONTHDAY={dice.randrange(1, 29)}",
            f"FREQ=MONTHLY;BYDAY={dice.choice(['1TU', '-1FR', '2WE'])}",
        ]
    )
    return rule + dice.choice(["", f";COUNT={dice.randrange(1, 30)}"])


def test_mutated_files_give_a_reading() -> None:
    """Files with bytes and lines turned about: always an answer, and never a time without a zone."""
    dice = random.Random(2026)
    originals = [path.read_bytes() for path in sorted(FILES.glob("*.ics"))]
    for _ in range(300):
        reading = read_calendar(lines_turned_about(dice, dice.choice(originals)), BEGIN, END)
        assert all(
            one.starts.tzinfo is UTC and one.ends > one.starts for one in reading.occurrences
        )
        assert all(line.isprintable() for line in reading.complaints)


SERIES = [
    "DTSTART;TZID=Asia/Ho_Chi_Minh:20261130T071500",
    "DURATION:PT45M",
    "RRULE:FREQ=DAILY;COUNT=4",
]
DAYS = ["30.11. 07:15-08:00", *[f"{day:02}.12. 07:15-08:00" for day in (1, 2, 3)]]


def instance(original: str, starts: str, *more: str) -> list[str]:
    zone = "TZID=Asia/Ho_Chi_Minh"
    name = original if original.startswith(";") else f";{zone}:{original}"
    return [f"RECURRENCE-ID{name}", f"DTSTART;{zone}:{starts}", "DURATION:PT30M", *more]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["EXDATE;VALUE=DATE:20261201"], [DAYS[0], *DAYS[2:]]),
        (["EXDATE:20261201T001500Z"], [DAYS[0], *DAYS[2:]]),
        (["RDATE;VALUE=PERIOD:20261204T010000Z/PT2H"], [*DAYS, "04.12. 08:00-10:00"]),
        (
            ["RDATE;VALUE=PERIOD;TZID=SE Asia Standard Time 1:20261204T080000/PT2H"],
            [*DAYS, "04.12. 08:00-10:00"],
        ),
    ],
)
def test_exceptions_and_additions_in_every_form(lines: list[str], wanted: list[str]) -> None:
    assert local(read_calendar(calendar(SERIES + lines), BEGIN, END)) == wanted


@pytest.mark.parametrize(
    ("until", "count"),
    [
        ("20261202T071500", 3),
        ("20261202T071459", 2),
        ("20261202T001500Z", 3),
        ("20261202", 3),
        ("20261201", 2),
    ],
)
def test_an_end_in_local_time_in_utc_or_as_a_day(until: str, count: int) -> None:
    series = [*SERIES[:2], f"RRULE:FREQ=DAILY;UNTIL={until}"]
    assert local(read_calendar(calendar(series), BEGIN, END)) == DAYS[:count]


@pytest.mark.parametrize(
    "original", ["20261201T071500", ";VALUE=DATE:20261201", ":20261201T001500Z"]
)
def test_a_meeting_that_is_moved_over_midnight(original: str) -> None:
    """Whatever its original time is written like, it takes place once."""
    original = ";X=y" + original if original.startswith(":") else original
    moved = calendar(SERIES, instance(original, "20261202T003000"))
    assert local(read_calendar(moved, BEGIN, END)) == [
        DAYS[0],
        "02.12. 00:30-01:00",
        *DAYS[2:],
    ]


def test_this_and_all_later_ones_have_ids_of_their_own() -> None:
    original = ";RANGE=THISANDFUTURE;TZID=Asia/Ho_Chi_Minh:20261201T071500"
    reading = read_calendar(calendar(SERIES, instance(original, "20261201T100000")), BEGIN, END)
    assert [one[:12] for one in local(reading)[1:]] == [f"{day:02}.12. 10:00" for day in (1, 2, 3)]
    assert len({one.id for one in reading.occurrences}) == 4


def test_an_invitation_its_change_and_its_cancellation_in_three_files() -> None:
    """As a mail program saves them into a folder; in whatever order they are read."""
    invited = calendar([*SERIES, "SEQUENCE:0"])
    earlier = calendar(instance("20261202T071500", "20261202T090000", "SEQUENCE:1"))
    later = calendar(instance("20261202T071500", "20261202T140000", "SEQUENCE:2"))
    off = instance("20261203T071500", "20261203T071500", "SEQUENCE:3", "SUMMARY:Canceled: s")
    one_off = calendar(off, head="METHOD:CANCEL")
    all_off = calendar([*SERIES[:2], "SEQUENCE:9", "SUMMARY:Canceled: s"], head="METHOD:CANCEL")
    for files in ([invited, earlier, later, one_off], [one_off, later, earlier, invited]):
        found = read_calendars(files, BEGIN, END)
        meetings = [one for reading in found for one in local(reading)]
        assert meetings == [*DAYS[:2], "02.12. 14:00-14:30", "x03.12. 07:15-07:45"]
    whole = [
        one for reading in read_calendars([all_off, invited], BEGIN, END) for one in local(reading)
    ]
    assert whole == ["x" + one for one in DAYS]
    called_off = read_calendar(all_off, BEGIN, END)
    assert local(called_off) == ["x" + DAYS[0]]
    assert called_off.series.keys() == {
        one.series for one in read_calendar(invited, BEGIN, END).occurrences
    }, "and the others are no meetings any more"


def test_a_known_name_is_what_everybody_knows_whatever_the_file_says() -> None:
    lie = "BEGIN:VTIMEZONE\r\nTZID:{0}\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    for name in ("SE Asia Standard Time", "Asia/Ho_Chi_Minh"):
        event = [f"DTSTART;TZID={name}:20261130T071500", "DURATION:PT45M"]
        data = calendar(event, head=lie.format(name))
        assert local(read_calendar(data, BEGIN, END)) == DAYS[:1]


def test_letters_however_they_are_written() -> None:
    title = "Họp giao ban Đất Mũi với các xã biên giới tỉnh"
    data = calendar([f"SUMMARY:{title}", *SERIES[:2]])
    line = f"SUMMARY:{title}".encode()
    folded = b"\r\n ".join(line[at : at + 7] for at in range(0, len(line), 7))
    windows = unicodedata.normalize("NFD", title).encode("cp1258", "ignore")
    for wanted, change in (
        (title, data.replace(line, folded)),
        (title, data.replace(line, folded).replace(b"\r\n", b"\r")),
        (title, unicodedata.normalize("NFD", data.decode()).encode()),
        (
            unicodedata.normalize("NFC", windows.decode("cp1258")),
            data.replace(title.encode(), windows),
        ),
    ):
        (found,) = read_calendar(change, BEGIN, END).occurrences
        assert found.title == wanted
    assert "Mũi" in found.title or "ũ" in found.title
