"""Whatever code the daemon gives, the tool has a sentence of its own for it, in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import locale
from agent.cli import words
from agent.core.audit import AUDITED
from agent.core.model.documents import EventDetail, EventDocument
from agent.diagnostics.checks.trouble import describe

ROOT = Path(__file__).parents[2]
KINDS = ("camera", "microphone", "speaker", "display", "panel")
SHARED = {"alsa": ("microphone", "speaker"), "gpio": ("display", "panel")}
"""Packages of agent/devices that serve several kinds."""

GIVES = {"degraded", "failed", "DeviceError", "DeviceAbsent", "DeviceBusy", "DeviceTimeout"}
PLAIN = {
    "failed",
    "probe-failed",
    "closed",
    "encoder",
    "wrong-format",
    "wrong-factory",
    "bad-source",
}
"""Of no help to somebody with hands beyond "it does not work": the evidence says the rest."""


@pytest.fixture(autouse=True, params=locale.LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    locale.use(request.param)
    yield request.param
    locale.use("en")


def codes(path: Path) -> set[str]:
    """The codes that the functions in GIVES are called with."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in GIVES:
                found.add(str(node.args[0].value))
    return found


def device_codes() -> set[tuple[str, str]]:
    """(kind, code): all that the drivers say, and what the core says of lamp, relay and probes."""
    found = {("panel", "lamp-failed"), ("display", "relay-failed"), ("display", "unconnected")}
    for path in (ROOT / "agent/devices").rglob("*.py"):
        package = path.relative_to(ROOT / "agent/devices").parts[0]
        kinds = (package,) if package in KINDS else SHARED.get(package, KINDS)
        found |= {(kind, code) for kind in kinds for code in codes(path)}
    found |= {(kind, code) for kind in KINDS for code in ("probe-stuck", "hung")}
    return {(kind, code) for kind, code in found if code not in PLAIN}


def test_every_code_of_a_device_has_words() -> None:
    assert len(device_codes()) > 40
    found = {
        (kind, code): describe(kind, code, "the daemon's text") for kind, code in device_codes()
    }
    assert not {given for given, finding in found.items() if not finding.cause}


def test_every_code_of_the_machine_has_words() -> None:
    found = set()
    for name in ("host/sampling.py", "runtime/prober.py", "store/database.py"):
        source = (ROOT / "agent" / name).read_text("utf-8")
        found |= set(re.findall(r'Trouble\(Status\.\w+, "([a-z-]+)"|\bcode="([a-z-]+)"', source))
        found |= {(code, "") for code in re.findall(r'"(journal-[a-z-]+)"', source)}
    given = {one or other for one, other in found} - {"ok"}
    assert {"probe-stuck", "host-stuck"} <= given
    assert len(given) > 12
    for code in given:
        assert words.host_trouble(code, "the daemon's text") != "the daemon's text", code


def test_every_event_has_words() -> None:
    contract = (
        (ROOT / "docs/contract.md")
        .read_text("utf-8")
        .partition("## Events")[2]
        .partition("| type | when |")[2]
        .partition("\n## ")[0]
    )
    kinds = re.findall(
        r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?) \|", contract, re.MULTILINE))
    )
    assert {"fault", "resumed", *AUDITED} <= set(kinds)
    for kind in {*kinds}:
        of_devices = ("fault", "fault-cleared", *AUDITED)
        detail = EventDetail(device="camera" if kind in of_devices else None)
        at = datetime.now(UTC)
        text = words.event(EventDocument(kind, "r1", "absent", "the daemon's text", at, detail))
        assert text
        assert "the daemon's text" not in text, kind


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("checked: unknown", "đã kiểm tra: chưa đủ để kết luận"),
        ("checking", "đang kiểm tra"),
        (
            "No such command 'floor'. Did you mean 'lower'?",
            "Không có lệnh 'floor'. Ý bạn là 'lower'?",
        ),
        (
            "No such option: --rings (Possible options: --ring, --text)",
            "Không có tùy chọn --rings (có thể là: --ring, --text)",
        ),
    ],
)
def test_what_the_library_and_a_check_say_is_read_as_a_whole(said: str, read: str) -> None:
    locale.use("vi")
    try:
        assert locale.translate(said) == read
    finally:
        locale.use("en")
