import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.interview import room_id
from agent.config import load
from agent.diagnostics.findable import cameras, sound_cards
from agent.enrolment.authority import Authority
from tests.support.asound import plug_card
from tests.support.broker import REPOSITORY


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Path:
    """What the hub's operator made for two rooms: ca.pem, room.pem, room.key in a folder each."""
    authority = Authority(tmp_path_factory.mktemp("hub"))
    authority.create("diemcau/v1")
    for room in ("xa-3", "xa-4"):
        authority.enrol_room(room, [])
    return authority.folder / "rooms"


@pytest.fixture
def settings(tmp_path):
    """The settings as the package installs them."""
    path = tmp_path / "etc/agent.yaml"
    path.parent.mkdir()
    shutil.copy(REPOSITORY / "config/agent.yaml", path)
    return path


def setup(settings, *options):
    return main(["setup", "--config", str(settings), "--no-start", *options])


FILES = {"--ca": "ca.pem", "--certificate": "room.pem", "--key": "room.key"}


def certificates(folder):
    return [word for name, file in FILES.items() for word in (name, str(folder / file))]


def test_a_file_that_is_not_there_is_named_with_what_it_was_to_be(settings, capsys):
    assert setup(settings, "--room", "xa-3", "--ca", "nowhere.pem") == 2
    assert "hub.tls.ca: nowhere.pem: No such file" in capsys.readouterr().err
    settings.write_text("")
    assert setup(settings, "--room", "xa-3") == 2
    assert "has no sections; copy config/agent.yaml there first" in capsys.readouterr().err
    settings.unlink()
    assert setup(settings, "--room", "xa-3", "--hub", "127.0.0.1") == 0
    assert load(settings).room.id == "xa-3"


def test_a_room_with_certificates_and_a_password(settings, hub, tmp_path):
    password = tmp_path / "password"
    password.write_text("bí mật")
    options = ["--room", "xa-3", "--hub", "10.1.2.3", "--username", "xa-3"]
    options += certificates(hub / "xa-3")
    umask = os.umask(
        0o077
    )  # as careful administrators have it: the service must read them all the same
    try:
        assert setup(settings, *options, "--password-file", str(password)) == 0
    finally:
        os.umask(umask)

    secrets = settings.parent / "secrets"
    assert settings.stat().st_mode & 0o777 == 0o644
    assert secrets.stat().st_mode & 0o777 == 0o700
    for secret in secrets.iterdir():
        assert secret.stat().st_mode & 0o777 == 0o600
    read = load(settings)
    assert (read.room.id, read.hub.host) == ("xa-3", "10.1.2.3")
    for name, file in FILES.items():
        installed = Path(getattr(read.hub.tls, name.removeprefix("--")))
        assert installed.read_bytes() == (hub / "xa-3" / file).read_bytes()
    assert Path(read.hub.password_file).read_text() == "bí mật"


def test_a_renewed_certificate_takes_the_place_of_the_old_one(settings, hub):
    """And nothing else changes: room, hub and CA stay as they are."""
    assert setup(settings, "--hub", "10.1.2.3", *certificates(hub / "xa-3")) == 0
    before, ca = settings.read_text(), load(settings).hub.tls.ca
    new = hub / "xa-4"
    options = ["--certificate", str(new / "room.pem"), "--key", str(new / "room.key")]
    assert setup(settings, *options) == 0
    assert settings.read_text() == before
    read = load(settings).hub.tls
    assert Path(read.certificate).read_bytes() == (new / "room.pem").read_bytes()
    assert Path(read.ca).read_bytes() == Path(ca).read_bytes()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"--ca": "room.key"}, "hub.tls.ca: is no certificate"),
        ({"--certificate": "../xa-4/room.pem"}, "hub.tls.key is not its key"),
        ({"--key": "ca.pem"}, "hub.tls.key is not its key"),
    ],
)
def test_files_that_do_not_belong_together_change_nothing(settings, hub, capfd, options, named):
    assert setup(settings, "--hub", "10.1.2.3", *certificates(hub / "xa-3")) == 0
    before = {path: path.read_bytes() for path in settings.parent.rglob("*") if path.is_file()}
    wrong = [word for name, file in options.items() for word in (name, str(hub / "xa-3" / file))]
    assert setup(settings, *wrong) == 2
    assert named in capfd.readouterr().err
    after = {path: path.read_bytes() for path in settings.parent.rglob("*") if path.is_file()}
    assert after == before


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


def test_at_a_terminal_it_asks_until_it_has_an_answer(settings, hub):
    ca = hub / "xa-3/ca.pem"
    command = [sys.executable, "-m", "agent", "setup", "--config", str(settings), "--no-start"]
    # a name, its id as proposed after one that is none, groups, no hub, the hub, its port, media, files
    answers = ["Xã 3", "Xã", "", "huyen", "", "10.1.2.3", "many", "8884"]
    answers += ["", "", "nowhere.pem", "", "", "", ""]  # without its CA it is not written
    answers += [
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        str(ca),
        "",
        "",
        "maybe",
        "y",
    ]  # again, with what was typed
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
    assert Path(read.hub.tls.ca).read_bytes() == ca.read_bytes()


def test_an_id_is_made_of_the_name():
    assert room_id("Xã Lũng Cú") == "xa-lung-cu"
    assert room_id("UBND Đất Mũi (tầng 2)") == "ubnd-dat-mui-tang-2"


def test_what_is_plugged_in_is_found(tmp_path):
    cards = tmp_path / "proc/asound"
    (cards / "card1/pcm0c").mkdir(parents=True)
    (cards / "card1/pcm0p").mkdir()
    (cards / "card0/pcm0p").mkdir(parents=True)
    (cards / "cards").write_text(
        " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n"
        " 1 [Jabra          ]: USB-Audio - Jabra SPEAK 510 USB\n"
    )
    assert [one.device for one in sound_cards("c", tmp_path)] == ["plughw:CARD=Jabra,DEV=0"]
    assert len(sound_cards("p", tmp_path)) == 2


def test_two_speakerphones_of_a_kind_are_offered_by_their_ports(tmp_path: Path) -> None:
    asound = tmp_path / "proc" / "asound"
    listed = [
        " 0 [Jabra          ]: USB-Audio - Jabra Speak 510 Họp",
        " 1 [Jabra_1        ]: USB-Audio - Jabra Speak 510 Họp",
        " 2 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0",
    ]
    for number, (name, port) in enumerate((("Jabra", "1-1.2"), ("Jabra_1", "1-1.4"))):
        (asound / f"card{number}" / "pcm0p").mkdir(parents=True)
        plug_card(tmp_path / "sys", name, number, port=port)
    (asound / "card2" / "pcm0p").mkdir(parents=True)
    (asound / "cards").write_text("\n".join(listed) + "\n", encoding="utf-8")
    found = sound_cards("p", tmp_path)
    assert [one.device for one in found] == ["usb:1-1.2", "usb:1-1.4", "sysdefault:CARD=vc4hdmi0"]
    assert found[1].title == "Jabra_1 (usb:1-1.4): USB-Audio - Jabra Speak 510 Họp"
    assert cameras(tmp_path) == []


def test_two_cameras_of_a_kind_are_offered_by_their_ports(tmp_path: Path) -> None:
    """One of them was never offered, since both have the same name."""
    places = tmp_path / "sys/class/video4linux"
    links = tmp_path / "dev/v4l/by-path"
    places.mkdir(parents=True)
    links.mkdir(parents=True)
    for number, port in ((0, "1.2"), (2, "1.4")):
        node = tmp_path / f"sys/devices/usb1/1-{port}/video4linux/video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text("HD Pro Webcam C920\n")
        (node / "index").write_text("0\n")
        (places / f"video{number}").symlink_to(node)
        (links / f"usb-0:{port}:1.0-video-index0").symlink_to(f"../../video{number}")
    assert [one.device for one in cameras(tmp_path)] == [
        "/dev/v4l/by-path/usb-0:1.2:1.0-video-index0",
        "/dev/v4l/by-path/usb-0:1.4:1.0-video-index0",
    ]
