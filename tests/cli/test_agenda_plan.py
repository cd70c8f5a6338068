"""`diemcau agenda` at the hub: several operators at one plan, names that no room has, and what is not sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from msgspec import structs

from agent.cli import plan_file
from agent.cli.app import run_tool
from agent.enrolment import register
from agent.enrolment.register import Entry, Kind, Register
from tests.support.broker import Broker, Hub

ROOT = "diemcau/v1"
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def agenda(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs `diemcau agenda ...` for a plan of its own; returns what it printed."""
    monkeypatch.setenv("DIEMCAU_AGENDA", str(tmp_path / "hub/agenda.json"))
    monkeypatch.setenv("DIEMCAU_HUB_FOLDER", str(tmp_path / "enrolment"))

    def run(*arguments: str, code: int = 0) -> str:
        assert run_tool(["agenda", *arguments]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return tmp_path / "hub/agenda.json"


@pytest.fixture
def conductor(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's settings, for `publish`."""
    address = "http://127.0.0.1/{meeting}-{room}"
    settings = {
        "hub": {"host": "127.0.0.1", "port": broker.port, "topic_root": ROOT},
        "media": {"publish_url": address, "play_url": address},
    }
    path = tmp_path / "conductor.yaml"
    path.write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DIEMCAU_CONDUCTOR", str(path))


def meeting(title: str, to: str = "room/xa-a") -> tuple[str, ...]:
    return ("add", title, "--starts", TOMORROW.isoformat(), "--to", to)


def test_two_operators_at_one_plan_lose_nothing(agenda: Callable[..., str], plan: Path) -> None:
    """The last one won: each wrote the plan as it had read it."""
    agenda(*meeting("a"))
    [one] = plan_file.load(plan).meetings

    def work(operator: str) -> None:
        for number in range(20):
            with plan_file.changing(plan) as mine:
                more = structs.replace(one, source=f"{operator}{number}")
                mine.meetings = [*mine.meetings, more]

    threads = [threading.Thread(target=work, args=[operator]) for operator in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(plan_file.load(plan).meetings) == 1 + 60


def test_who_wants_to_change_the_plan_waits_for_who_does(
    agenda: Callable[..., str], plan: Path
) -> None:
    adding = threading.Thread(target=agenda, args=meeting("Họp bão"))
    with plan_file.changing(plan) as mine:
        adding.start()
        adding.join(0.3)
        assert adding.is_alive()
        assert mine.meetings == []
    adding.join(60)
    assert [one.item.title for one in plan_file.load(plan).meetings] == ["Họp bão"]


def test_a_change_that_fails_leaves_the_plan(agenda: Callable[..., str], plan: Path) -> None:
    agenda(*meeting("a"))
    before = plan.read_bytes()
    assert "is not planned" in agenda("cancel", "another", code=2)
    assert plan.read_bytes() == before


def test_a_plan_that_cannot_be_written_is_named(agenda: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file/agenda.json"
    assert f"{target}: " in agenda(*meeting("a"), "--plan", str(target), code=2)


@pytest.mark.usefixtures("conductor")
def test_what_was_changed_while_the_operator_was_asked_is_not_undone(
    agenda: Callable[..., str], plan: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was published without the colleague's meeting, which then stood in no plan any more."""
    agenda(*meeting("mine"))

    def colleague(*_: object, **_more: object) -> bool:
        agenda(*meeting("theirs"))
        return True

    monkeypatch.setattr("agent.cli.agenda.confirm", colleague)
    assert "somebody else has changed the plan" in agenda("publish", code=2)
    assert {one.item.title for one in plan_file.load(plan).meetings} == {"mine", "theirs"}
    with Hub(broker.port, [f"{ROOT}/room/xa-a/agenda", "end"]) as hub:
        hub.send("end", {})
        hub.wait_for("end")
        assert hub.on(f"{ROOT}/room/xa-a/agenda") == []
        agenda("publish", "--yes")
        document = hub.wait_for(f"{ROOT}/room/xa-a/agenda").document
        assert {one["title"] for one in document["items"]} == {"mine", "theirs"}
        hub.send(f"{ROOT}/room/xa-a/agenda", b"", retain=True)


@pytest.mark.usefixtures("conductor")
def test_one_document_that_is_too_large_keeps_all_from_being_sent(
    agenda: Callable[..., str], plan: Path, broker: Broker
) -> None:
    agenda(*meeting("small", "room/aa"))
    agenda(*meeting("ộ" * 200, "room/zz"))
    with plan_file.changing(plan) as mine:
        [long] = [one for one in mine.meetings if one.to == ["room/zz"]]
        items = [structs.replace(long.item, id=f"n-{number}") for number in range(200)]
        mine.meetings += [structs.replace(long, item=item) for item in items]
    with Hub(broker.port, [f"{ROOT}/+/+/agenda", "end"]) as hub:
        assert "room/zz/agenda: this agenda has" in agenda("publish", "--yes", code=2)
        hub.send("end", {})
        hub.wait_for("end")
        assert [one.topic for one in hub.seen] == ["end"]


@pytest.mark.parametrize(
    ("address", "is_known"),
    [
        ("room/xa-a", True),
        ("group/bien-gioi", True),
        ("group/all", True),
        ("room/xa-aa", False),
        ("room/revoked", False),
        ("group/bien", False),
        ("room/bien-gioi", False),
        ("group/xa-a", False),
    ],
)
def test_an_address_that_nobody_is_enrolled_for_is_said_at_once(
    agenda: Callable[..., str], tmp_path: Path, address: str, is_known: bool
) -> None:
    warning = f"{address}: no room of this name, or in this group, is enrolled"
    assert "is enrolled" not in agenda(*meeting("a", address)), "there is no register here"
    day = datetime(2026, 11, 22, tzinfo=UTC)
    entries = [
        Entry(Kind.ROOM, "xa-a", "1", day, day, ["bien-gioi"]),
        Entry(Kind.ROOM, "revoked", "2", day, day, ["bien"], revoked=day),
    ]
    file = tmp_path / "enrolment/register.json"
    register.save(Register(ROOT), file)
    assert "is enrolled" not in agenda(*meeting("a", address)), "no room is enrolled here"
    register.save(Register(ROOT, entries), file)
    assert (warning in agenda(*meeting("a", address))) != is_known
    calendar = tmp_path / "a.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:Họp\n"
        f"DTSTART:{TOMORROW:%Y%m%dT%H%M%SZ}\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    assert (warning in agenda("import", str(calendar), "--to", address)) != is_known
