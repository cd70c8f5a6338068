"""docs/hub-security.md: its commands are typed, its tables are complete."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from agent import settings
from agent.cli.app import run_tool
from agent.core.model.commands import Code
from agent.core.model.events import CommandReceived
from agent.hub import reasons, tls
from agent.hub.signature import Signed
from tests.docs.samples import ROOT, samples, table
from tests.hub.conftest import RunningLink
from tests.support.broker import Broker

PAGE = "docs/hub-security.md"


def typed(capsys: pytest.CaptureFixture[str], kind: str = "hub") -> list[str]:
    """Types the page's lines one after the other; what each printed."""
    printed = []
    for sample in samples(PAGE, "sh"):
        for line in sample.text.splitlines() if sample.kind == kind else []:
            program, *arguments = shlex.split(line)
            assert program == "diemcau"
            assert run_tool(arguments) == 0, f"{line}: {capsys.readouterr()}"
            printed.append(capsys.readouterr().out)
    return printed


def test_the_pages_life_of_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIEMCAU_HUB_FOLDER", str(tmp_path))
    printed = typed(capsys)
    assert any("thon-5" in lines and "days" in lines for lines in printed), "hub list"
    assert printed[-1].count(".") == 2, "a JWS"
    assert run_tool(["hub", "enroll", "thon-5", "--group", "xa-ba-vi"]) == 0
    config = ROOT / "config/hub/production.conf"
    with Broker(tmp_path / "run", config=config, files=tmp_path / "broker") as broker:
        running = _room(tmp_path, broker.port)
        running.start()
        _type_as_operator(tmp_path / "operators/ha", broker.ports[8884])
        received = running.wait_for(CommandReceived)
        running.link.close()
    assert (received.command.id, received.command.type) == ("try-1", "ping")


def _room(folder: Path, port: int) -> RunningLink:
    files = folder / "rooms/thon-5"
    names = {"ca": "ca.pem", "certificate": "room.pem", "key": "room.key"}
    paths = settings.Tls(**{field: str(files / name) for field, name in names.items()})
    hub = settings.Hub(host="127.0.0.1", port=port, tls=paths)
    return RunningLink(hub, settings.Room(id="thon-5", groups=["xa-ba-vi"]))


def _type_as_operator(files: Path, port: int) -> None:
    (sample,) = [one for one in samples(PAGE, "sh") if one.kind == "operator"]
    subscribe, publish = (
        line.replace("-h hub.example.org -p 8884", f"-h 127.0.0.1 -p {port}")
        for line in sample.text.splitlines()
    )
    done = subprocess.run(
        f"{subscribe} -C 1 -W 20", shell=True, cwd=files, capture_output=True, text=True, check=True
    )
    assert '"connection":"online"' in done.stdout
    subprocess.run(publish, shell=True, cwd=files, check=True, timeout=60)


def test_every_refusal_is_explained() -> None:
    listed = {row[0] for row in table(PAGE, "code")}
    assert listed >= tls.CODES
    elsewhere = {"no-mqtt-5", "client-id-refused", "banned", "quota-exceeded", "hub-moved"}
    elsewhere |= {"malformed-packet", "protocol-error", "topic-refused", "too-large"}
    elsewhere |= {"rate-too-high", "no-confirmation", "proxy-refused", "websocket-refused"}
    assert reasons.REFUSALS - elsewhere <= listed


def test_the_fields_of_a_signature_and_its_answers_are_the_codes_own() -> None:
    fields = [name for row in table(PAGE, "field") for name in row[0].split(", ")]
    assert fields == list(Signed.__struct_fields__)
    assert {row[0] for row in table(PAGE, "answer")} <= set(Code)
