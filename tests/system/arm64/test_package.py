"""The package on Debian 13 for arm64, run by qemu-user: it installs, looks, joins, and its drivers' suites pass.

Hub, media server and the meeting's other ends are this machine's own programs; only the room is foreign. Speed means
nothing here, so deadlines are long and pictures small. `scripts/test-system --arm64` makes the root and starts this.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import colorzero
import gpiozero
import pytest
import yaml

from tests.support.broker import REPOSITORY, Broker, Hub, wait_until
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher, Receiver
from tests.support.room import Room
from tests.support.sounds import frequency

ROOT = Path(os.environ["DIEMCAU_ARM64_ROOT"])
PACKAGE = Path(os.environ["DIEMCAU_ARM64_PACKAGE"])
INSTALL_SECONDS = 300
DONE = "the script has come to its end"
SECONDS = 240
"""For anything that the room does: emulated, its first media process loads for half a minute."""


class Machine:
    """A throw-away copy of the root with a folder that it shares with us, under the same name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, script: str) -> list[str]:
        return [
            "systemd-nspawn",
            f"--machine=arm64-{secrets.token_hex(4)}",
            *("--quiet", "--pipe", "--register=no", "--keep-unit", "--volatile=overlay"),
            *(f"--directory={ROOT}", f"--bind={self.folder}", f"--bind-ro={PACKAGE}:/package.deb"),
            *(f"--bind-ro={REPOSITORY}/tests:/tests", *BORROWED),
            *("sh", "-ec", f"{INSTALL}\n{script}"),
        ]

    def run(self, script: str, seconds: float) -> str:
        """Its output, after the package is installed. Fails the test with it when it fails."""
        done = subprocess.run(
            self.command(f"{script}\necho {DONE}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        # nspawn's own exit code also tells of what it could not tidy up
        assert DONE in done.stdout.splitlines(), done.stdout
        return done.stdout.replace(DONE, "")

    def start(self, script: str) -> None:
        with (self.folder / "machine.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(script), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)


BORROWED = [
    f"--bind-ro={Path(module.__file__).parent}:/borrowed/{module.__name__}"
    for module in (gpiozero, colorzero)
]
"""Plain Python that Raspberry Pi OS has in its own archive."""

INSTALL = """
export DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1
test "$(dpkg --print-architecture)" = arm64
apt-get install --quiet --yes --no-install-recommends /package.deb > /tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    one = Machine(tmp_path)
    yield one
    one.stop()


def test_it_installs_and_says_its_version(machine: Machine) -> None:
    lines = machine.run("diemcau --version; uname -m", INSTALL_SECONDS).splitlines()
    assert "aarch64" in lines


def test_the_suites_of_what_has_no_hardware_pass(machine: Machine) -> None:
    """Simulated and stand-in drivers: ctypes' structures, alsa-lib and GStreamer are the architecture's own."""
    text = machine.run(
        "cd / && PYTHONPATH=/usr/lib/diemcau:/:/borrowed python3 -m pytest -q -p no:cacheprovider "
        "-k 'simulated or alsa' tests/conformance/test_speaker.py tests/conformance/test_relay.py 2>&1",
        INSTALL_SECONDS + 600,
    )
    assert " passed" in text
    print(text.splitlines()[-1])


@pytest.fixture
def room(machine: Machine, tmp_path: Path) -> Iterator[dict[str, Any]]:
    with (
        Broker(tmp_path / "broker") as broker,
        MediaServer() as media,
        Hub(broker.port) as hub,
    ):
        room = Room("xa-lung-cu", "Xã Lũng Cú", tmp_path / "room")
        room.use_hub(broker.port, "diemcau/v1")
        room.devices["camera"] |= {"width": 320, "height": 180, "framerate": 5, "bitrate": 200_000}
        room.settings["media"] |= {
            "publish_url": f"{media.url}/room/whip",
            "play_urls": [f"{media.url}/hub/whep"],
        }
        room.folder.mkdir()
        file = room.folder / "agent.yaml"
        file.write_text(yaml.safe_dump(room.settings, allow_unicode=True), "utf-8")
        machine.start(
            f"diemcau --config {file} doctor > {room.folder}/doctor.txt 2>&1 || true\n"
            f"exec diemcau run --config {file} > {room.folder}/daemon.log 2>&1"
        )
        yield {"hub": hub, "media": media, "room": room}


def test_it_joins_a_meeting_and_is_seen_and_heard(room: dict[str, Any], machine: Machine) -> None:
    hub: Hub = room["hub"]
    media: MediaServer = room["media"]
    topic = "diemcau/v1/room/xa-lung-cu"
    try:
        hub.wait_for(f"{topic}/state", lambda d: d and d["connection"] == "online", SECONDS)
    except AssertionError:
        print((machine.folder / "machine.log").read_text("utf-8", "replace")[-3000:])
        raise
    doctor = (room["room"].folder / "doctor.txt").read_text("utf-8")
    assert "ok        settings" in doctor, doctor
    with Publisher(f"{media.url}/hub/whip", framerate=5, size=(320, 180)):
        asked = time.monotonic()
        hub.send(
            f"{topic}/cmd/join",
            {"id": "j", "meeting": {"id": "m"}, "microphone": "live", "timeout_seconds": 200},
        )
        final = {"succeeded", "failed", "rejected", "superseded", "expired"}
        ack = hub.wait_for(f"{topic}/ack/j", lambda d: d["state"] in final, SECONDS).document
        assert ack["state"] == "succeeded", (ack, room["room"].log_tail())
        print(f"joined in {time.monotonic() - asked:.0f} s")
        with Receiver(f"{media.url}/room/whep") as receiver:
            receiver.request_keyframe()
            assert receiver.wait_for_picture(60).shape == (180, 320, 3)
            assert abs(frequency(receiver.hear(2.0, 60)) - 440) < 2
    hub.send(f"{topic}/cmd/leave", {"id": "l"})
    wait_until(
        lambda: any(one.document["state"] == "succeeded" for one in hub.on(f"{topic}/ack/l")),
        "left",
        SECONDS,
    )
