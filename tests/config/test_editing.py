import pytest
import yaml

from agent.config.editing import with_value
from tests.support.broker import REPOSITORY

SHIPPED = (REPOSITORY / "config/agent.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("room.id", "xa-3"),
        ("room.name", 'Phòng họp 3: "A" #1'),
        ("room.groups", ["a", "b"]),
        ("hub.tls.key", "/etc/diemcau/key"),
        ("hub.tls", None),
        ("media.play_urls", ["https://media.example/{meeting}/whep"]),
        ("devices.camera.device", "USB Camera: 1"),
        ("clock.trusted", True),
    ],
)
def test_one_value_changes_and_the_rest_stays(path, value):
    changed = with_value(SHIPPED, path, value)
    expected = yaml.safe_load(SHIPPED)
    *sections, name = path.split(".")
    section = expected
    for part in sections:
        section = section[part]
    section[name] = value
    assert yaml.safe_load(changed) == expected
    comments = [line for line in SHIPPED.splitlines() if line.lstrip().startswith("# ")]
    kept = [line for line in changed.splitlines() if line.lstrip().startswith("# ")]
    assert set(comments) - set(kept) <= ({*comments} if value is None else set())


def test_a_key_that_is_commented_out_gets_its_own_place():
    text = "room:\n  id: a\n  # A name.\n  #name: x\n  groups: []\n"
    assert with_value(text, "room.name", "b") == text.replace("#name: x", "name: b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("room:\n  id: a\n", {"room": {"id": "a"}, "hub": {"tls": {"ca": "/ca"}}}),
        ("hub: {host: b}\n", {"hub": {"host": "b", "tls": {"ca": "/ca"}}}),
        ("hub: {}\n", {"hub": {"tls": {"ca": "/ca"}}}),
        ("hub:\n", {"hub": {"tls": {"ca": "/ca"}}}),
        ("hub:\n  tls: null\n  port: 1\n", {"hub": {"tls": {"ca": "/ca"}, "port": 1}}),
    ],
)
def test_sections_on_the_way_are_made(text, expected):
    assert yaml.safe_load(with_value(text, "hub.tls.ca", "/ca")) == expected


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("room:\n  groups:\n  - a\n  - b\n  id: x\n", "room.groups", ["c"]),
        ("room:\n  groups:  # those near\n    - a\n  # whose\n  id: x\n", "room.groups", []),
        ("hub:\n  tls:\n    # a CA\n    ca: x\n  port: 1\n", "hub.tls", None),
    ],
)
def test_a_list_with_dashes_gives_way_and_comments_stay(text, path, value):
    """As `yaml.safe_dump` and many people write it: the dashes as far left as their key."""
    changed = with_value(text, path, value)
    section, name = path.split(".")
    expected = yaml.safe_load(text)
    expected[section][name] = value
    assert yaml.safe_load(changed) == expected
    assert changed.count("#") == text.count("#")


def test_a_plain_value_is_no_section():
    with pytest.raises(KeyError):
        with_value("[1, 2]", "hub.tls", 1)
