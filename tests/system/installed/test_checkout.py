"""./scripts/install on a Debian that has nothing for it: the checkout becomes the installed agent."""

import filecmp
import shutil
from pathlib import Path

import pytest

from tests.support.broker import wait_until
from tests.support.peers import Publisher
from tests.system.host import CHECKOUT, main_pid, run

INSTALLED = Path("/usr/lib/diemcau/agent")


@pytest.fixture(scope="module")
def checkout() -> Path:
    return shutil.copytree(CHECKOUT, Path("/root/diemcau"))


def same(one: Path, other: Path) -> bool:
    """Whether both folders have the same sources, those aside that the hub's package has."""
    names = [path.relative_to(one) for path in one.rglob("*.py")]
    names = [name for name in names if name.parts[0] != "conductor"]
    _, different, missing = filecmp.cmpfiles(one, other, names, shallow=False)
    return names != [] and not different and not missing


def test_it_installs_what_is_checked_out_and_again_after_a_change(checkout):
    run(str(checkout / "scripts/install"))
    assert same(checkout / "agent", INSTALLED)
    with (checkout / "agent/core/room.py").open("a") as file:
        file.write("# changed\n")
    run(str(checkout / "scripts/install"))
    assert same(checkout / "agent", INSTALLED)


def test_it_disturbs_no_meeting(checkout, room):
    with Publisher(f"{room.plays}/whip"):
        room.join()
        daemon = main_pid()
        run(str(checkout / "scripts/install"))
        assert main_pid() == daemon
        assert room.state()["phase"] == "in-meeting"
        room.leave()
    wait_until(lambda: main_pid() not in (0, daemon), "then what was installed runs", 60)
    room.wait_for_phase("standby")


def test_apt_takes_it_away_again(checkout):
    run("apt-get", "purge", "--yes", "diemcau-agent")
    assert not INSTALLED.exists()
    assert not Path("/etc/diemcau").exists()
