"""Who is there, from a sysfs of the test's own: nothing is opened, every absence is explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent import settings
from agent.core.model.documents import Status
from agent.devices import registry
from agent.devices.alsa import cards
from agent.devices.camera import picamera2, v4l2, v4l2_nodes
from agent.devices.display import connector
from agent.devices.microphone import alsa as alsa_microphone
from agent.devices.panel.simulated import SimulatedPanel
from agent.errors import DeviceAbsent, DeviceError
from tests.support import asound
from tests.support.waiting import wait_for

NOTHING = settings.Simulation()


PI_4_USB = "platform/scb/fd500000.pcie/usb1/1-1/1-1:1.0"
PI_3_USB = "platform/soc/3f980000.usb/usb1/1-1/1-1:1.0"
CODEC = "platform/soc/bcm2835-codec"


def camera_node(sysfs: Path, number: int, name: str, index: int = 0, bus: str = PI_4_USB) -> None:
    device = sysfs / "devices" / bus / f"{number}"
    node = device / "video4linux" / f"video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(f"{name}\n")
    (node / "index").write_text(f"{index}\n")
    (node / "device").symlink_to(device)
    folder = sysfs / "class" / "video4linux"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"video{number}").symlink_to(node)


def v4l2_wanted(device: str | None) -> settings.Camera:
    return settings.Camera(driver="v4l2", device=device)


def test_a_usb_camera_is_found_by_part_of_its_name_whatever_its_number(tmp_path: Path) -> None:
    camera_node(tmp_path, 0, "bcm2835-codec-decode", bus=CODEC)
    camera_node(tmp_path, 7, "HD Pro Webcam C920: HD Pro Webc")
    camera_node(tmp_path, 8, "HD Pro Webcam C920: HD Pro Webc", index=1)
    told = v4l2.probe(v4l2_wanted("c920"), NOTHING, tmp_path)
    assert told.status is Status.OK
    assert told.detail.device == "/dev/video7"
    assert v4l2.probe(v4l2_wanted(None), NOTHING, tmp_path).detail.device == "/dev/video7"


def test_a_usb_camera_of_a_pi_3_is_no_part_of_its_chip(tmp_path: Path) -> None:
    camera_node(tmp_path, 0, "USB Camera", bus=PI_3_USB)
    assert v4l2.probe(v4l2_wanted(None), NOTHING, tmp_path).status is Status.OK


def test_the_absence_of_a_usb_camera_names_the_ones_found(tmp_path: Path) -> None:
    camera_node(tmp_path, 0, "USB Camera")
    told = v4l2.probe(v4l2_wanted("Logitech C920"), NOTHING, tmp_path)
    assert told.status is Status.ABSENT
    assert told.text == (
        "Camera: no USB camera named 'Logitech C920' found; check its USB cable (found: 'USB Camera')"
    )


def test_a_camera_by_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="moves when cameras are plugged"):
        v4l2_nodes.find("/dev/video0", tmp_path)


def test_a_camera_by_id_path_is_found_through_its_link(tmp_path: Path) -> None:
    camera_node(tmp_path, 3, "USB Camera")
    node = v4l2_nodes.nodes(tmp_path)[0]
    assert v4l2_nodes.find("/dev/./video3", tmp_path) == node


def media_subdevices(sysfs: Path, *names: str) -> None:
    for number, name in enumerate(names):
        subdevice = sysfs / "class" / "video4linux" / f"v4l-subdev{number}"
        subdevice.mkdir(parents=True)
        (subdevice / "name").write_text(f"{name}\n")


def test_a_ribbon_camera_is_seen_by_its_sensor(tmp_path: Path) -> None:
    wanted = settings.Camera(driver="picamera2", device="imx708")
    assert picamera2.probe(wanted, NOTHING, tmp_path).status is Status.ABSENT
    media_subdevices(tmp_path, "Scaler", "dw9807 10-000c", "imx708_wide 10-001a")
    told = picamera2.probe(wanted, NOTHING, tmp_path)
    assert told.status is Status.OK
    assert told.detail.sensor == "imx708_wide"
    any_sensor = picamera2.probe(settings.Camera(driver="picamera2"), NOTHING, tmp_path)
    assert any_sensor.detail.sensor == "imx708_wide"


def test_a_sensor_of_a_rare_make_is_seen_when_the_settings_name_it(tmp_path: Path) -> None:
    media_subdevices(tmp_path, "pispbe-output", "vd56g3 10-0010")
    unnamed = settings.Camera(driver="picamera2")
    assert picamera2.probe(unnamed, NOTHING, tmp_path).status is Status.ABSENT
    named = settings.Camera(driver="picamera2", device="vd56g3")
    assert picamera2.probe(named, NOTHING, tmp_path).detail.sensor == "vd56g3"


def test_the_absence_of_a_ribbon_camera_says_what_to_do(tmp_path: Path) -> None:
    told = picamera2.probe(settings.Camera(driver="picamera2"), NOTHING, tmp_path)
    assert "check its cable at both ends, then power off and on (found: none)" in told.text


def test_a_sound_card_is_found_by_id_and_its_absence_names_the_others(tmp_path: Path) -> None:
    asound.plug_card(tmp_path, "vc4hdmi0", 0)
    wanted = settings.Microphone(driver="alsa", device="plughw:CARD=Jabra,DEV=0")
    told = alsa_microphone.probe(wanted, NOTHING, tmp_path)
    assert told.status is Status.ABSENT
    assert "'Jabra'" in told.text
    assert "(found: vc4hdmi0)" in told.text
    asound.plug_card(tmp_path, "Jabra", 5)
    assert alsa_microphone.probe(wanted, NOTHING, tmp_path).status is Status.OK


def test_the_only_card_is_meant_when_none_is_named_and_two_are_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match="no sound card found"):
        cards.resolve(None, captures=True, name="Microphone", sysfs=tmp_path)
    asound.plug_card(tmp_path, "Jabra", 1)
    only = cards.resolve(None, captures=True, name="Microphone", sysfs=tmp_path)
    assert only == "plughw:CARD=Jabra,DEV=0"
    asound.plug_card(tmp_path, "Webcam", 2)
    with pytest.raises(DeviceError, match=r"several sound cards.*Jabra, Webcam"):
        cards.resolve(None, captures=True, name="Microphone", sysfs=tmp_path)


BY_INDEX = ["hw:1", "plughw:1,0", "plughw:CARD=1,DEV=0", "sysdefault:1", "hdmi:CARD=0,DEV=0"]
BY_INDEX += ["sysdefault:CARD=1", "plug:'hw:1,0'"]


@pytest.mark.parametrize("device", BY_INDEX)
def test_a_sound_card_by_index_is_refused(tmp_path: Path, device: str) -> None:
    with pytest.raises(DeviceError, match="names a card by its index, which moves"):
        cards.resolve(device, captures=True, name="Microphone", sysfs=tmp_path)


NAMES = [
    "plughw:CARD=Jabra,DEV=0",
    "hw:Jabra",
    "plughw:Jabra,0",
    "sysdefault:CARD=Jabra",
    "sysdefault:Jabra",
]
NAMES += [
    "plug:'hw:Jabra,0'",
    "plug:SLAVE='hw:CARD=Jabra'",
    "default:CARD=Jabra",
]


@pytest.mark.parametrize("device", NAMES)
def test_an_unplugged_card_is_absent_by_whatever_name_it_goes(tmp_path: Path, device: str) -> None:
    with pytest.raises(DeviceAbsent, match="no sound card 'Jabra'"):
        cards.resolve(device, captures=True, name="Microphone", sysfs=tmp_path)
    asound.plug_card(tmp_path, "Jabra")
    assert cards.resolve(device, captures=True, name="Microphone", sysfs=tmp_path) == device


@pytest.mark.parametrize(
    "device",
    ["dmix:CARD=Jabra", "dsnoop:Jabra", "front:CARD=Jabra,DEV=0", "surround51:CARD=Jabra"],
)
def test_a_name_that_wants_the_cards_own_format_is_converted_to(
    tmp_path: Path, device: str
) -> None:
    """As they are they refuse one channel: `dmix:` was told to be `plughw:`, which does not mix."""
    with pytest.raises(DeviceAbsent, match="no sound card 'Jabra'"):
        cards.resolve(device, captures=True, name="Microphone", sysfs=tmp_path)
    asound.plug_card(tmp_path, "Jabra")
    found = cards.resolve(device, captures=True, name="Microphone", sysfs=tmp_path)
    assert found == f"plug:'{device}'"


@pytest.mark.parametrize(
    "device", ["default", "pulse", "room_speaker", "plug:dmix", "file:/tmp/x,raw"]
)
def test_a_pcm_of_no_card_is_left_to_alsa(tmp_path: Path, device: str) -> None:
    assert cards.card_of(device) is None
    assert cards.resolve(device, captures=False, name="Speaker", sysfs=tmp_path) == device


HDMI = {
    None: "sysdefault:CARD=vc4hdmi0",
    "plughw:CARD=vc4hdmi0,DEV=0": "sysdefault:CARD=vc4hdmi0",
    "hw:vc4hdmi0": "sysdefault:CARD=vc4hdmi0",
    "sysdefault:CARD=vc4hdmi0": "sysdefault:CARD=vc4hdmi0",
    "hdmi:CARD=vc4hdmi0,DEV=0": "plug:'hdmi:CARD=vc4hdmi0,DEV=0'",
    "plug:'hdmi:CARD=vc4hdmi0,DEV=0'": "plug:'hdmi:CARD=vc4hdmi0,DEV=0'",
    "default:CARD=vc4hdmi0": "default:CARD=vc4hdmi0",
    "dmix:CARD=vc4hdmi0": "sysdefault:CARD=vc4hdmi0",
    "plug:'dmix:CARD=vc4hdmi0,DEV=0'": "sysdefault:CARD=vc4hdmi0",
    "plug:'hw:CARD=vc4hdmi0,DEV=0'": "sysdefault:CARD=vc4hdmi0",
    "front:CARD=vc4hdmi0": "sysdefault:CARD=vc4hdmi0",
    "iec958:CARD=vc4hdmi0": "sysdefault:CARD=vc4hdmi0",
}


@pytest.mark.parametrize("device", HDMI)
def test_hdmi_of_a_pi_is_opened_by_a_name_that_converts(tmp_path: Path, device: str | None) -> None:
    asound.plug_card(tmp_path, "vc4hdmi0")
    found = cards.resolve(device, captures=False, name="Speaker", sysfs=tmp_path)
    assert found == HDMI[device]


@pytest.mark.parametrize("device", [None, "usb:1-1.2"])
def test_a_card_whose_first_pcm_is_not_number_0_is_opened_by_its_own(
    tmp_path: Path, device: str | None
) -> None:
    """It was said to be absent: `DEV=0` of it does not exist."""
    asound.plug_card(tmp_path, "Device", 1, port="1-1.2", pcms=("0p", "10c", "2c"))
    heard = cards.resolve(device, captures=True, name="Microphone", sysfs=tmp_path)
    assert heard == "plughw:CARD=Device,DEV=2"
    played = cards.resolve(device, captures=False, name="Speaker", sysfs=tmp_path)
    assert played == "plughw:CARD=Device,DEV=0"


def test_two_cards_of_a_kind_are_told_apart_by_their_ports(tmp_path: Path) -> None:
    """Their ids change places when the other is found first."""
    asound.plug_card(tmp_path, "Jabra", 1, port="1-1.2")
    asound.plug_card(tmp_path, "Jabra_1", 2, port="1-1.4")
    wanted = {"captures": True, "name": "Microphone", "sysfs": tmp_path}
    assert cards.resolve("usb:1-1.4", **wanted) == "plughw:CARD=Jabra_1,DEV=0"
    with pytest.raises(DeviceError, match=r"Jabra \(usb:1-1.2\), Jabra_1 \(usb:1-1.4\)"):
        cards.resolve(None, **wanted)
    for index in (1, 2):
        asound.unplug_card(tmp_path, index)
    asound.plug_card(tmp_path, "Jabra", 3, port="1-1.4")
    assert cards.resolve("usb:1-1.4", **wanted) == "plughw:CARD=Jabra,DEV=0"
    with pytest.raises(DeviceAbsent, match=r"USB port 1-1.2.*found: Jabra \(usb:1-1.4\)"):
        cards.resolve("usb:1-1.2", **wanted)


EDID_NAME = b"\0\0\0\xfc\0SAMSUNG TV\n  "


def hdmi(sysfs: Path, name: str, connected: bool) -> None:
    folder = sysfs / "class" / "drm" / f"card1-{name}"
    folder.mkdir(parents=True)
    (folder / "status").write_text("connected\n" if connected else "disconnected\n")
    edid = bytes(72) + EDID_NAME.ljust(18) + bytes(38)
    (folder / "edid").write_bytes(edid if connected else b"")


def test_the_display_is_named_by_its_edid(tmp_path: Path) -> None:
    hdmi(tmp_path, "HDMI-A-1", False)
    hdmi(tmp_path, "HDMI-A-2", True)
    output = settings.Output(driver="kms")
    told = connector.probe(output, behind_relay=False, required=False, sysfs=tmp_path)
    assert told.status is Status.OK
    assert told.text == "Display: SAMSUNG TV"
    assert told.detail.connector == "HDMI-A-2"


def test_a_television_goes_before_a_touch_panel(tmp_path: Path) -> None:
    """As the screen itself chooses."""
    hdmi(tmp_path, "DSI-1", True)
    hdmi(tmp_path, "HDMI-A-1", True)
    output = settings.Output(driver="kms")
    told = connector.probe(output, behind_relay=False, required=False, sysfs=tmp_path)
    assert told.detail.connector == "HDMI-A-1"


def test_a_display_without_cable_is_absent_unless_its_relay_may_be_off(tmp_path: Path) -> None:
    hdmi(tmp_path, "HDMI-A-1", False)
    output = settings.Output(driver="kms", connector="HDMI-A-1")
    told = connector.probe(output, behind_relay=False, required=True, sysfs=tmp_path)
    assert told.status is Status.ABSENT
    assert "check the HDMI cable" in told.text
    behind = connector.probe(output, behind_relay=True, required=True, sysfs=tmp_path)
    assert behind.status is Status.OK
    assert behind.detail.connected is False


def test_a_connector_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    hdmi(tmp_path, "HDMI-A-1", True)
    output = settings.Output(driver="kms", connector="HDMI-A-9")
    told = connector.probe(output, behind_relay=False, required=False, sysfs=tmp_path)
    assert told.text == "Display: no connector 'HDMI-A-9' (found: HDMI-A-1)"


def test_what_is_unplugged_while_one_looks_does_not_spoil_the_look(tmp_path: Path) -> None:
    hdmi(tmp_path, "HDMI-A-1", True)
    asound.plug_card(tmp_path, "Jabra", 1)
    going = tmp_path / "class/drm/card0-HDMI-A-9"
    (going / "status").mkdir(parents=True)  # it is listed, and cannot be read
    (tmp_path / "class/sound/card7/id").mkdir(parents=True)
    camera_node(tmp_path, 0, "USB Camera")
    camera_node(tmp_path, 1, "HD Webcam")
    (tmp_path / "class/video4linux/video1/index").unlink()
    assert [one.name for one in connector.connectors(tmp_path)] == ["HDMI-A-1"]
    assert [card.id for card in cards.cards(tmp_path)] == ["Jabra"]
    assert [node.card for node in v4l2_nodes.nodes(tmp_path)] == ["USB Camera"]


def room(folder: Path) -> settings.Devices:
    return settings.Devices(
        camera=settings.Camera(driver="simulated"),
        microphone=settings.Microphone(driver="simulated"),
        speaker=settings.Speaker(driver="simulated", required=False),
        display=settings.Display(relay=settings.Relay(driver="simulated")),
        panel=settings.Panel(driver="simulated"),
        simulation=settings.Simulation(directory=str(folder)),
    )


def test_all_devices_of_a_room_are_looked_up(tmp_path: Path) -> None:
    found = registry.probe_all(room(tmp_path))
    assert list(found) == ["camera", "microphone", "speaker", "display", "panel"]
    assert {status.status for status in found.values()} == {Status.OK}
    assert found["microphone"].required
    assert not found["speaker"].required


def test_an_unplugged_device_is_absent_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "speaker").write_text("unplugged")
    found = registry.probe_all(room(tmp_path))
    assert found["speaker"].status is Status.ABSENT
    assert found["microphone"].status is Status.OK


def test_an_open_panel_speaks_for_itself(tmp_path: Path) -> None:
    """A button that is held for minutes is in the room's health (failure row 10)."""
    devices = room(tmp_path)
    assert devices.panel is not None
    panel = SimulatedPanel(devices.panel, devices.simulation, held_seconds=0)
    panel.open(lambda pressed: None)
    assert registry.probe_all(devices, panel)["panel"].status is Status.OK
    with (tmp_path / "mute-button").open("w") as fifo:
        fifo.write("press\n")
    wait_for(
        lambda: registry.probe_all(devices, panel)["panel"].code == "button-held", 5, "the fault"
    )
    panel.close()
    (tmp_path / "panel").write_text("unplugged")
    assert registry.probe_all(devices, panel)["panel"].status is Status.ABSENT


def test_a_device_left_out_of_the_settings_is_not_looked_up() -> None:
    assert registry.probe_all(settings.Devices()) == {}


def test_looking_up_real_devices_loads_none_of_their_libraries() -> None:
    """The daemon looks every minute, and must stay small and unable to hang in a driver."""
    script = """
import sys
from agent import settings
from agent.devices import registry
registry.probe_all(settings.Devices(
    camera=settings.Camera(driver="v4l2"),
    microphone=settings.Microphone(driver="alsa"),
    speaker=settings.Speaker(driver="alsa"),
    display=settings.Display(relay=settings.Relay(driver="gpio")),
    panel=settings.Panel(driver="gpio"),
))
registry.probe_all(settings.Devices(camera=settings.Camera(driver="picamera2")))
loaded = {"av", "alsaaudio", "gpiozero", "lgpio", "picamera2", "libcamera", "numpy", "gi"}
print(sorted(loaded & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_driver_whose_library_is_missing_is_told_and_hurts_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "agent.devices.camera.v4l2", None)
    found = registry.probe_all(
        settings.Devices(
            camera=settings.Camera(driver="v4l2"),
            microphone=settings.Microphone(driver="simulated"),
        )
    )
    assert found["camera"].code == "not-installed"
    assert found["microphone"].status is Status.OK
