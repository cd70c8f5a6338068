"""coturn on loopback, by UDP, TCP and TLS: what passes media on where nothing else gets through."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests.support.closing import Closing
from tests.support.loopback import ADDRESS
from tests.support.media_server import HERE, Place
from tests.support.waiting import wait_for

USER, PASSWORD = "phong", "mật:khẩu@1"


def free_port() -> int:
    with socket.socket() as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        one.bind((ADDRESS, 0))
        number: int = one.getsockname()[1]
        other.bind((ADDRESS, number))
        return number


def make_certificate(folder: Path, name: str = ADDRESS) -> Path:
    """A key and a certificate for an address, in one file; it is its own authority."""
    file = folder / "turn.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{name}", "-days", "1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", *key, *subject, "-keyout", "-", "-out", "-"]
    file.write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return file


class TurnServer(Closing):
    """A context manager; `log` is what it has said, with each allocation."""

    def __init__(self, folder: Path, place: Place = HERE, tls_port: int = 0) -> None:
        self._within = place.within
        self.certificate = make_certificate(folder, place.address)
        self.port, self.tls_port = free_port(), tls_port or free_port()
        self._log = folder / "turn.log"
        options = {
            "listening-ip": place.address,
            "relay-ip": place.address,
            "listening-port": self.port,
            "tls-listening-port": self.tls_port,
            "realm": "diemcau",
            "user": f"{USER}:{PASSWORD}",
            "cert": self.certificate,
            "pkey": self.certificate,
            "db": folder / "turn.sqlite",
            "pidfile": folder / "turn.pid",
        }
        flags = ["-n", "--lt-cred-mech", "--allow-loopback-peers", "--no-cli", "--verbose"]
        command = ["turnserver", *flags, *(f"--{name}={value}" for name, value in options.items())]
        self._process = subprocess.Popen(
            [*place.within, *command, "--log-file=stdout", "--no-dtls"],
            stdout=self._log.open("w"),
            stderr=subprocess.STDOUT,
        )
        wait_for(self._answers, 20, "coturn listens")

    def _answers(self) -> bool:
        if self._within:  # not to be reached from here
            return "UDP listener opened on" in self.log
        with socket.socket() as one:
            return one.connect_ex((ADDRESS, self.tls_port)) == 0

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(60)
