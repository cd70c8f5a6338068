import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import main
from agent.config import load
from tests.support.broker import REPOSITORY


@pytest.fixture
def settings(tmp_path):
    """The settings as the package installs them."""
    path = tmp_path / "etc/agent.yaml"
    path.parent.mkdir()
    shutil.copy(REPOSITORY / "config/agent.yaml", path)
    return path


def setup(settings, *options):
    return main(["setup", "--config", str(settings), "--no-start", *options])


def test_a_room_with_certificates_and_a_password(settings, tmp_path):
    options = ["--room", "xa-3", "--hub", "10.1.2.3", "--username", "xa-3"]
    for name in ("ca", "certificate", "key", "password-file"):
        (tmp_path / name).write_text(f"content of {name}")
        options += [f"--{name}", str(tmp_path / name)]
    assert setup(settings, *options) == 0

    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for secret in (settings.parent / "secrets").iterdir():
        assert secret.stat().st_mode & 0o777 == 0o600
        shutil.copy(secret, credentials / f"secrets_{secret.name}")
    read = load(settings, credentials=credentials)
    assert (read.room.id, read.hub.host) == ("xa-3", "10.1.2.3")
    assert Path(read.hub.tls.ca).read_text() == "content of ca"
    assert Path(read.hub.tls.key).read_text() == "content of key"
    assert Path(read.hub.password_file).read_text() == "content of password-file"


def test_a_hub_on_this_machine_needs_no_certificates(settings):
    assert setup(settings, "--room", "xa-3", "--hub", "127.0.0.1", "--port", "1883") == 0
    assert load(settings).hub.tls is None


def test_any_other_setting(settings):
    setup(settings, "--hub", "127.0.0.1", "--set", "devices.camera.driver=v4l2")
    assert setup(settings, "--set", "devices.camera.width=640") == 0
    camera = load(settings).devices.camera
    assert (camera.driver, camera.width) == ("v4l2", 640)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--room", "Xã 3", "--hub", "127.0.0.1"], "room.id"),
        (["--hub", "10.1.2.3"], "hub.tls.ca"),  # the file named there does not exist
        (["--hub", "127.0.0.1", "--set", "hub.prot=1"], "did you mean port?"),
        (["--set", "hub.port"], "expected KEY=VALUE"),
        (["--hub", "10.1.2.3", "--ca", "/nowhere/ca.pem"], "/nowhere/ca.pem"),
    ],
)
def test_bad_answers_change_nothing(settings, capfd, options, named):
    before = settings.read_bytes()
    assert setup(settings, *options) == 2
    assert named in capfd.readouterr().err
    assert settings.read_bytes() == before
    assert [path.name for path in settings.parent.iterdir()] == ["agent.yaml"]


def test_a_device_that_the_room_does_not_have(settings):
    assert setup(settings, "--hub", "127.0.0.1", "--set", "devices.panel=null") == 0
    assert load(settings).devices.panel is None


def test_at_a_terminal_it_asks(settings, tmp_path):
    (tmp_path / "ca.pem").write_text("the CA")
    command = [sys.executable, "-m", "agent", "setup", "--config", str(settings), "--no-start"]
    answers = ["xa-3", "Xã 3", "10.1.2.3", "8884", str(tmp_path / "ca.pem"), "", ""]
    leader, follower = os.openpty()
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower) as asking:
        os.close(follower)
        os.write(leader, "".join(f"{answer}\n" for answer in answers).encode())
        assert asking.wait(60) == 0, os.read(leader, 10_000).decode()
    os.close(leader)
    read = load(settings)
    assert (read.room.id, read.room.name, read.hub.host, read.hub.port) == (
        "xa-3",
        "Xã 3",
        "10.1.2.3",
        8884,
    )
    assert Path(read.hub.tls.ca).read_text() == "the CA"
