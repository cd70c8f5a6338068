"""docs/install.md and docs/hub.md: what they tell the technician to type is taken by the tool."""

import re
import shlex
import shutil

import pytest
import yaml

from agent.cli import main
from agent.config import load
from agent.enrolment.authority import Authority
from tests.docs.samples import ROOT, page_text, samples

SET_UPS = [
    sample
    for page in ("docs/install.md", "docs/hub.md")
    for sample in samples(page, "sh")
    if sample.kind == "setup"
]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The sample settings, on a hub of this machine, and the files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "etc/agent.yaml"
    path.parent.mkdir()
    shutil.copy(ROOT / "config/agent.yaml", path)
    assert main(["setup", "--config", str(path), "--no-start", "--hub", "127.0.0.1"]) == 0
    authority = Authority(tmp_path / "hub")
    authority.create("diemcau/v1")
    for file in authority.enrol_room("thon-5", []).iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "token").write_text("room:change-me")
    return path


@pytest.mark.parametrize("sample", SET_UPS, ids=str)
def test_the_set_up_of_the_page_is_taken(settings, sample):
    command = sample.text[sample.text.index("sudo diemcau setup") :].replace("\\\n", "")
    arguments = shlex.split(command)[2:]
    assert main([*arguments, "--config", str(settings), "--no-start"]) == 0
    assert load(settings).media.publish_url.startswith("https://hub.")


def test_both_pages_have_a_set_up():
    assert {sample.page for sample in SET_UPS} == {"docs/install.md", "docs/hub.md"}


def test_the_wiring_is_that_of_the_sample_settings():
    devices = yaml.safe_load((ROOT / "config/agent.yaml").read_text())["devices"]
    diagram = page_text("docs/install.md").split("## 3. Wiring")[1].split("```")[1]
    wired = {
        what: int(re.search(rf"{what}.*?GPIO(\d+)", diagram)[1])
        for what in ("relay board IN", r"lamp \(\+\)", "button")
    }
    assert list(wired.values()) == [
        devices["display"]["relay"]["line"],
        devices["panel"]["on_air_lamp"],
        devices["panel"]["mute_button"],
    ]


def test_the_media_server_listens_where_the_page_says():
    server = yaml.safe_load((ROOT / "config/hub/mediamtx.yml").read_text())
    page = page_text("docs/hub.md")
    assert f"https://hub.example.org{server['webrtcAddress']}/" in page
    user = server["authInternalUsers"][0]
    assert f"echo '{user['user']}:{user['pass']}' > token" in page
