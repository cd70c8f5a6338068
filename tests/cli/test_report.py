"""The support bundle: listed before it is written, whole, and without any secret."""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path

import pytest

from agent.diagnostics.bundle.redaction import Redactor
from tests.cli.conftest import Bench

SECRETS = {
    "password file": "Mat-Khau-7f3a",
    "token file": "eyJhbGciOi.tok-en.Zm9v",
    "password in the settings": "trong-yaml-91",
    "URL user": "url-pass-55",
    "URL query": "query-tok-66",
    "journal password": "log-pass-77",
    "journal bearer": "bearer-tok-88",
    "private key": "MIGHAgEAMBMGByqGSM49AgEG",
    "environment": "env-secret-99",
    "command line": "argv-secret-11",
}


def planted(bench: Bench, folder: Path) -> None:
    """Every secret where one may be found in the field."""
    (folder / "password").write_text(SECRETS["password file"] + "\n")
    (folder / "token").write_text(SECRETS["token file"] + "\n")
    settings = bench.room.settings
    settings["hub"] |= {"username": "lung-cu", "password_file": str(folder / "password")}
    settings["hub"]["password"] = SECRETS["password in the settings"]
    settings["media"] |= {
        "token_file": str(folder / "token"),
        "publish_url": f"http://ha:{SECRETS['URL user']}@127.0.0.1:9/x?token={SECRETS['URL query']}",
    }
    bench.write_settings()
    journal = "\n".join(
        [
            f"password={SECRETS['journal password']} and {SECRETS['password file']} again",
            f"Authorization: Bearer {SECRETS['journal bearer']}",
            f'{{"publish":{{"url":"https://x/y","token":"{SECRETS["token file"]}"}}}}',
            f"-----BEGIN PRIVATE KEY-----\n{SECRETS['private key']}\n-----END PRIVATE KEY-----",
            f"a join with https://m.example/whip?jwt={SECRETS['URL query']}",
        ]
    )
    fake_tools(folder / "bin", {"journalctl": journal, "dmesg": journal, "ip": journal})
    bench.environment |= {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "DIEMCAU_SECRET": SECRETS["environment"],
    }


def fake_tools(folder: Path, outputs: dict[str, str]) -> None:
    """Programs that say this, in the place of the machine's."""
    folder.mkdir()
    for name, output in outputs.items():
        tool = folder / name
        (folder / f"{name}.txt").write_text(output)
        tool.write_text(f"#!/bin/sh\ncat {folder}/{name}.txt\n")
        tool.chmod(0o755)


def contents(archive: Path) -> dict[str, str]:
    texts = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            file = opened.extractfile(member)
            assert file is not None
            texts[Path(member.name).name] = file.read().decode()
    return texts


def test_the_bundle_holds_no_secret_and_is_listed_first(make_bench, tmp_path: Path) -> None:
    bench = make_bench()
    planted(bench, tmp_path)
    out = tmp_path / "bundle.tar.gz"
    done = bench.run("report", "--yes", "--out", str(out))
    assert done.returncode == 0, done.stderr
    files = contents(out)
    everything = "\n".join(files.values()) + done.stdout + done.stderr
    assert [name for name, secret in SECRETS.items() if secret in everything] == []
    listed, written = done.stdout.split("is written")[0], files
    assert all(name in listed for name in written)
    assert {"status.json", "doctor.json", "settings.txt", "log.txt", "usb.txt"} <= set(files)
    assert "a join with https://m.example/whip" in files["log.txt"]
    assert "did you mean" in files["settings.txt"] or "password_file" in files["settings.txt"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_an_archive_that_cannot_be_written_is_named(make_bench) -> None:
    done = make_bench().run("report", "--yes", "--out", "/proc/bundle.tar.gz")
    assert done.returncode == 2
    assert "/proc/bundle.tar.gz" in done.stderr
    done = make_bench().run("report", "--yes", "--out", "/nowhere/bundle.tar.gz")
    assert done.returncode == 2
    assert "/nowhere: no such folder" in done.stderr
    assert done.stdout == "", "before anything was looked at"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: hunter22", "password: ***"),
        ('"token":"abc","x":1', '"token":***,"x":1'),
        ("token_file: /etc/diemcau/token", "token_file: /etc/diemcau/token"),
        ("https://a:b@host/x?k=v rest", "https://***@host/x?*** rest"),
        ("tool --password hunter22 -v", "tool --password *** -v"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("the known one is s3cret!", "the known one is ***"),
        ("an ordinary line: 12 ms", "an ordinary line: 12 ms"),
    ],
)
def test_what_looks_like_a_secret_is_blackened(text: str, expected: str) -> None:
    cleaned = Redactor({"s3cret!"}).clean(text)
    assert cleaned.startswith(expected)
    assert "hunter22" not in cleaned
    assert "abc.def" not in cleaned
