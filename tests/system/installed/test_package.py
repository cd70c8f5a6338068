"""What the package puts on the machine, and what is left when it goes."""

from pathlib import Path

import pytest

from tests.system.host import install, run, succeeds, unit

pytestmark = pytest.mark.usefixtures("package")


def test_users_folders_and_permissions():
    assert run("id", "--user", "--name", "diemcau").strip() == "diemcau"
    assert succeeds("getent", "group", "gpio")
    secrets = Path("/etc/diemcau/secrets").stat()
    assert (secrets.st_uid, secrets.st_mode & 0o777) == (0, 0o700)


def test_modules_are_private():
    assert not succeeds("env", "--ignore-environment", "python3", "-c", "import agent")
    assert "diemcau" in run("env", "--ignore-environment", "diemcau", "--help")


def test_nothing_is_started_before_the_set_up():
    run("dpkg", "--purge", "diemcau-agent")
    install()
    assert unit("UnitFileState") == "disabled"
    assert unit("ActiveState") == "inactive"


def test_systemd_finds_no_fault_with_the_units():
    units = [str(path) for path in Path("/usr/lib/systemd/system").glob("diemcau-*")]
    assert len(units) == 3
    assert run("systemd-analyze", "verify", "--man=no", *units) == ""


def test_the_sandbox_is_tight():
    report = run("systemd-analyze", "security", "--no-pager", "diemcau-agent.service")
    overall = next(line for line in report.splitlines() if "Overall exposure level" in line)
    assert float(overall.split(":")[1].split()[0]) <= 2.0


def test_remove_keeps_the_settings_and_purge_keeps_nothing():
    settings = Path("/etc/diemcau/agent.yaml")
    Path("/var/lib/diemcau").mkdir(exist_ok=True)
    Path("/etc/diemcau/secrets/tls-key").write_text("a key")
    settings.write_text(settings.read_text() + "# mine\n")
    run("dpkg", "--remove", "diemcau-agent")
    assert settings.read_text().endswith("# mine\n")
    assert not Path("/usr/lib/diemcau").exists()
    run("dpkg", "--purge", "diemcau-agent")
    assert not Path("/etc/diemcau").exists()
    assert not Path("/var/lib/diemcau").exists()
    assert not list(Path("/usr/lib/systemd/system").glob("diemcau-*"))
