import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.interview import room_id
from agent.config import load
from agent.diagnostics.findable import cameras, sound_cards
from agent.enrolment.authority import Authority
from tests.cli.conftest import Bench
from tests.cli.test_privacy import openings
from tests.process.test_privacy import Witness
from tests.support.asound import plug_card
from tests.support.broker import REPOSITORY
from tests.support.terminal import Terminal


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory) -> Path:
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


def test_a_room_with_certificates_and_a_password(settings, enrolled, tmp_path):
    password = tmp_path / "password"
    password.write_text("bí mật")
    options = ["--room", "xa-3", "--hub", "10.1.2.3", "--username", "xa-3"]
    options += certificates(enrolled / "xa-3")
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
        assert installed.read_bytes() == (enrolled / "xa-3" / file).read_bytes()
    assert Path(read.hub.password_file).read_text() == "bí mật"


def test_a_renewed_certificate_takes_the_place_of_the_old_one(settings, enrolled):
    """And nothing else changes: room, hub and CA stay as they are."""
    assert setup(settings, "--hub", "10.1.2.3", *certificates(enrolled / "xa-3")) == 0
    before, ca = settings.read_text(), load(settings).hub.tls.ca
    new = enrolled / "xa-4"
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
def test_files_that_do_not_belong_together_change_nothing(
    settings, enrolled, capfd, options, named
):
    assert setup(settings, "--hub", "10.1.2.3", *certificates(enrolled / "xa-3")) == 0
    before = {path: path.read_bytes() for path in settings.parent.rglob("*") if path.is_file()}
    wrong = [
        word for name, file in options.items() for word in (name, str(enrolled / "xa-3" / file))
    ]
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


def at_a_terminal(settings: Path) -> Terminal:
    words = ("--lang", "en", "setup", "--config", str(settings), "--no-start")
    return Terminal((sys.executable, "-m", "agent", *words))


NAME, ID, GROUPS = "The room's name", "The room's id", "Its groups"
HUB, PORT, CA = (
    "name or address of its MQTT broker",
    "The broker's port",
    "PEM file of the hub's CA",
)
CERTIFICATE, KEY = "the room's certificate (empty", "its private key (empty"
WHICH, KEEP = "Which one? (empty:", "Keep it"
WHIP, WHEP, TOKEN = "WHIP address", "WHEP address", "media server's token"


def test_at_a_terminal_every_answer_is_judged_at_its_question(
    settings: Path, enrolled: Path
) -> None:
    """The hub is another machine, where nobody listens; the devices are the sample's, which are not here."""
    ours, others = enrolled / "xa-3", enrolled / "xa-4"
    with at_a_terminal(settings) as terminal:
        terminal.answer(NAME, "Xã 3")
        terminal.answer(ID, "Xã")
        assert "expected 1 to 63 of" in terminal.answer(ID, "")
        terminal.answer(GROUPS, "huyen")
        terminal.answer(HUB, "")
        assert "can't stay empty" in terminal.answer(HUB, "mqtts://0.0.0.0")
        assert "hub.host" in terminal.answer(HUB, "0.0.0.0")
        terminal.answer(PORT, "many")
        assert "from 1 to 65535" in terminal.answer(PORT, "9")
        terminal.answer(CA, "")
        assert "hub.tls.ca: /etc/diemcau/tls/ca.pem" in terminal.answer(CA, "nowhere.pem")
        assert "nowhere.pem: No such file" in terminal.answer(CA, str(ours / "room.key"))
        assert "is no certificate in PEM" in terminal.answer(CA, str(ours / "ca.pem"))
        terminal.answer(CERTIFICATE, str(ours / "room.pem"))
        terminal.answer(KEY, "")
        assert "hub.tls.key: is missing" in terminal.answer(CERTIFICATE, "")
        terminal.answer(KEY, str(others / "room.key"))
        assert "hub.tls.key is not its key" in terminal.answer(
            CERTIFICATE, str(others / "room.pem")
        )
        terminal.answer(KEY, "")  # it is kept
        for _ in range(3):
            terminal.answer(WHICH, "")
            assert "failed" in terminal.answer(KEEP, "y")
        terminal.answer(WHIP, "ftp://media")
        assert "is no URL" in terminal.answer(WHIP, "http://127.0.0.1:9/{meeting}/{room}/whip")
        terminal.answer(WHEP, "http://127.0.0.1:9/{meating}")
        assert "unknown placeholder meating" in terminal.answer(WHEP, "")
        terminal.answer(TOKEN, "")
        assert "+ host: 0.0.0.0" in terminal.answer("Write it?", "maybe")
        terminal.answer("Write it?", "y")
        assert terminal.end() == 0
    assert "The hub's broker does not run" in terminal.shown  # the doctor
    read = load(settings)
    assert (read.room.id, read.room.name, read.hub.host, read.hub.port) == (
        *("xa-3", "Xã 3"),
        *("0.0.0.0", 9),
    )
    assert Path(read.hub.tls.ca).read_bytes() == (ours / "ca.pem").read_bytes()
    assert Path(read.hub.tls.key).read_bytes() == (others / "room.key").read_bytes()


def test_a_device_is_tried_when_it_is_chosen(make_bench: Callable[..., Bench]) -> None:
    """Lamp and audit as for any other try; one that is not well can be tried again."""
    bench = make_bench()
    bench.room.start()
    bench.room.wait_answering(20)  # a daemon that begins has what others hold given back
    bench.break_device("camera", "black")
    opened = openings(bench)
    with at_a_terminal(bench.config) as terminal, Witness(bench.room) as witness:
        for question in (NAME, ID, GROUPS, HUB, PORT, CA, CERTIFICATE, KEY):
            terminal.answer(question, "")
        terminal.answer(WHICH, "r")
        terminal.answer(WHICH, "9")
        assert "a number from 0 to " in terminal.answer(WHICH, "")
        assert "picture is black" in terminal.answer("Keep it all the same?", "")
        bench.heal()
        terminal.answer(WHICH, "")
        healed = terminal.answer(
            "Keep it?", ""
        )  # a busy machine finds it slow, or not to be judged
        assert "pictures/s" in healed
        assert "black" not in healed
        terminal.answer(WHICH, "")
        assert "noise floor" in terminal.answer("Keep it?", "")
        terminal.answer(WHICH, "")
        assert "A tone and a chirp" in terminal.answer("Keep it?", "")
        while_tried = openings(bench)[len(opened) :]
        for question in (WHIP, WHEP, TOKEN):
            terminal.answer(question, "")
        terminal.answer("Write it?", "n")
        assert terminal.end() == 1
    assert witness.dark == []
    assert witness.opened == {"camera.open", "microphone.open"}
    assert len(while_tried) == 4  # the camera twice, and the microphone also for the loudspeaker
    assert "Nothing was written." in terminal.shown


def test_who_may_not_write_the_settings_is_not_asked(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode, **_: mode == os.R_OK)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert setup(settings) == 2
    assert "can't be written: Permission denied; use sudo" in capsys.readouterr().err


def test_an_id_is_made_of_the_name():
    assert room_id("Xã Lũng Cú") == "xa-lung-cu"
    assert room_id("UBND Đất Mũi (tầng 2)") == "ubnd-dat-mui-tang-2"


def test_what_is_plugged_in_is_found(tmp_path):
    cards = tmp_path / "proc/asound"
    (cards / "card1/pcm1c").mkdir(parents=True)
    (cards / "card1/pcm0p").mkdir()
    (cards / "card0/pcm0p").mkdir(parents=True)
    (cards / "cards").write_text(
        " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n"
        " 1 [Jabra          ]: USB-Audio - Jabra SPEAK 510 USB\n"
    )
    assert [one.device for one in sound_cards("c", tmp_path)] == ["plughw:CARD=Jabra,DEV=1"]
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
