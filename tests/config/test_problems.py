"""A broken settings file: all problems at once, each naming the line, the key and what to do."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from agent.config import load
from agent.config.credentials import Credentials
from agent.config.first_run import FirstRun, typed
from agent.config.reading import read
from agent.errors import ConfigError
from agent.settings import Settings

MINIMAL = "room: {id: r1}\nhub: {host: localhost}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "agent.yaml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str, **arguments: bool) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), **arguments)
    return caught.value.problems


def only(folder: Path, text: str) -> str:
    (problem,) = problems(folder, MINIMAL + text)
    return problem


def test_what_an_id_and_an_address_may_be_is_said_in_words(tmp_path: Path) -> None:
    found = problems(tmp_path, "room: {id: Thôn 5}\nhub: {host: '', topic_root: a/#}\n")
    assert any("room.id: expected 1 to 63 of a-z, 0-9 and '-'" in one for one in found)
    assert any("hub.host: expected text, got ''" in one for one in found)
    assert any("hub.topic_root: expected words with '/' between" in one for one in found)


def test_a_key_that_is_wrong_is_not_called_missing_as_well(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "room: {id: r1}\nhub: {host: hub.example, tls: [ca.pem]}\n")
    assert "hub.tls: expected a section with keys (ca, certificate, key), got a list" in problem


def test_as_many_sources_as_a_room_plays_are_no_problem(tmp_path: Path) -> None:
    urls = "[http://a/1, http://a/2, http://a/3, http://a/4]"
    settings = load(write(tmp_path, MINIMAL + f"media: {{play_urls: {urls}}}\n"))
    assert len(settings.media.play_urls) == 4


def test_a_minimal_file_is_filled_with_defaults(tmp_path: Path) -> None:
    settings = load(write(tmp_path, MINIMAL + "health:\n# interval_seconds: 5\n"))
    assert isinstance(settings, Settings)
    assert settings.hub.keepalive_seconds == 30
    assert settings.health.interval_seconds == 60
    assert settings.devices.camera is None


def test_an_empty_file_tells_what_must_be_in_it(tmp_path: Path) -> None:
    assert problems(tmp_path, "# nothing yet\n") == [
        "agent.yaml: hub: is missing; it is where commands come from",
        "agent.yaml: room: is missing; it is which room this is",
    ]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = """\
room:
  id: 101
hub:
  host: hub.example.org
  keepalive_second: 30
  port: 70000
devices:
  camera: {driver: v4l, bitrate: 100000}
  microphone: {driver: alsa, device: "hw:1,0"}
media:
  publish_url: http://media/{room}/{metting}
"""
    found = problems(tmp_path, text)
    starts = [problem.split(" ")[0] for problem in found]
    assert starts == [
        "agent.yaml:2:",
        "agent.yaml:3:",
        "agent.yaml:5:",
        "agent.yaml:6:",
        "agent.yaml:8:",
        "agent.yaml:9:",
        "agent.yaml:11:",
    ], "\n".join(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hoom: 1", "hoom: unknown key; did you mean room?"),
        ("health: {intervall_seconds: 5}", "did you mean interval_seconds?"),
        ("volume: 3", "volume: unknown key here; did you mean devices.speaker.volume?"),
        ("clock: {zone: x}", "clock.zone: unknown key; there are trusted"),
        ("health: {interval_seconds: '30'}", "write it without quotes"),
        ("health: {interval_seconds: often}", "got 'often' (it is "),
        (
            "devices: {camera: {driver: simulated, minimum_bitrate: 5}}",
            "expected a whole number of at least 50000, got 5",
        ),
        ("health: {interval_seconds: 0}", "expected a number from 1 to 3600, got 0"),
        ("health: {interval_seconds: }", "(the default is 60)"),
        ("health: {interval_seconds: !special 3}", "!special is for another program"),
        ("media: {publish_url: !secret media_url}", "write the value itself"),
        ("media: {play_urls: [http://a, !env x]}", "!env is for another program"),
        ("media: {publish_url: {{ url }}}", "a template such as {{ name }}"),
        ("media: {publish_url: '{{ url }}'}", "a template such as {{ name }}"),
        ("media: {publish_url: '${MEDIA}'}", "a template such as {{ name }}"),
        ("devices: !include devices.yaml", "!include is for another program to fill in"),
        ("media: {jitter_buffer_milliseconds: 017}", "017 is another number to YAML"),
        ("health: {interval_seconds: 018}", "base eight; write 18"),
        ("media: {publish_url: http://a}\0", "not YAML: a character that is no text (code 0)"),
        ("clock: {trusted: 1}", "clock.trusted: expected true or false, got 1"),
        ("store: /var", "store: expected a section with keys (path), got one value"),
        ("store: {path: 5}", 'write it in quotes: "5"'),
        ("devices: {panel: {driver: gipo}}", "one of gpio, simulated, got 'gipo'; did you mean gp"),
        ("devices: {speaker: {volume: 5}}", "devices.speaker.driver: is missing; it is alsa or"),
        ("media: {play_urls: [http://a, 5]}", "media.play_urls[1]: expected text, got 5; write it"),
        ("media: {publish_url: 5}", 'expected text, got 5; write it in quotes: "5"'),
        (
            "devices: {microphone: {driver: simulated, source: /nowhere.wav}}",
            "devices.microphone.source: /nowhere.wav cannot be found",
        ),
        ("media: {token_file: /tmp}", "media.token_file: /tmp is not a file"),
        ("store: {path: /a, path: /b}", "store.path: stands twice, first in line 3; keep one"),
    ],
)
def test_a_bad_value_or_key_comes_with_advice(tmp_path: Path, text: str, expected: str) -> None:
    problem = only(tmp_path, text)
    assert problem.startswith("agent.yaml:3: ")
    assert expected in problem


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("media: {publish_url: 'http://a/{x}'}", "media.publish_url", "there are meeting and r"),
        ("media: {publish_url: 'http://a/{'}", "media.publish_url", "unbalanced braces"),
        ("media: {play_urls: ['rtsp://a']}", "media.play_urls[0]", "expected http://"),
        (
            "media: {play_urls: [http://a/1, http://a/2, http://a/3, http://a/4, http://a/5]}",
            "media.play_urls",
            "has 5 URLs; a room plays 4 at the most",
        ),
        (
            "devices: {camera: {driver: v4l2, device: /dev/video0}}",
            "devices.camera.device",
            "/dev/v4l/by-id/",
        ),
        (
            "devices: {camera: {driver: simulated, bitrate: 100000}}",
            "devices.camera.minimum_bitrate",
            "150000 is more than bitrate (100000)",
        ),
        (
            "devices: {camera: {driver: simulated, width: 641}}",
            "devices.camera.width",
            "use 640 or 642",
        ),
        (
            "devices: {speaker: {driver: alsa, device: 'plughw:CARD=1,DEV=0'}}",
            "devices.speaker.device",
            "/proc/asound/cards",
        ),
        (
            "devices: {display: {relay: {driver: gpio, line: 5, chip: gpiochip4}}}",
            "devices.display.relay.chip",
            "gpiodetect",
        ),
        (
            "devices: {display: {relay: {driver: gpio, line: 5}}, panel: {driver: gpio, on_air_lamp: 5}}",
            "devices.panel.on_air_lamp",
            "line 5 is taken by devices.display.relay.line already",
        ),
        ("devices: {panel: {driver: gpio}}", "devices.panel", "needs on_air_lamp, mute_button"),
        ("store: {path: state}", "store.path", "'state' is relative"),
        (f"control: {{socket: /{'x' * 107}}}", "control.socket", "107 bytes"),
    ],
)
def test_keys_must_fit_together(tmp_path: Path, text: str, key: str, expected: str) -> None:
    problem = only(tmp_path, text)
    assert f": {key}: " in problem
    assert expected in problem


@pytest.mark.parametrize("host", ["hub.example.org", "10.0.0.1", "localhost.example.org"])
def test_another_machine_needs_tls(tmp_path: Path, host: str) -> None:
    (problem,) = problems(tmp_path, f"room: {{id: r1}}\nhub: {{host: {host}}}\n")
    assert problem.startswith("agent.yaml:2: hub.tls: is missing")
    assert "give at least tls.ca" in problem


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.2.1", "'::1'"])
def test_this_machine_needs_no_tls(tmp_path: Path, host: str) -> None:
    load(write(tmp_path, f"room: {{id: r1}}\nhub: {{host: {host}}}\n"))


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("mqtt://hub.example", "write host: hub.example"),
        ("mqtts://hub.example:8883/", "write host: hub.example, port: 8883"),
        ("wss://hub.example:443", "port: 443, transport: websockets"),
        ("wss://hub.example/mqtt", "host: hub.example, transport: websockets, websocket_path: /m"),
        ("hub.example:8883", "write host: hub.example, port: 8883"),
        ("[::1]", "write host: ::1"),
        ("[2001:db8::1]:8883", "write host: 2001:db8::1, port: 8883"),
        (" hub.example ", "write host: hub.example"),
        ("hub example", "expected a name or an address, got 'hub example'"),
        ("mqtt://room:s3cret@hub.example", "hub.username, hub.password_file"),
    ],
)
def test_an_address_with_more_in_it_comes_with_advice(
    tmp_path: Path, host: str, advice: str
) -> None:
    (problem,) = problems(tmp_path, f"room: {{id: r1}}\nhub: {{host: '{host}'}}\n")
    assert problem.startswith("agent.yaml:2: hub.host: ")
    assert advice in problem
    assert "s3cret" not in problem


def test_what_is_merged_gives_way_to_what_stands_there(tmp_path: Path) -> None:
    merged = "room: {id: r1}\nhub: &hub {host: localhost, keepalive_seconds: 40}\n"
    both = f"{merged}health:\n  <<: {{interval_seconds: 5}}\n  interval_seconds: 7.0\n"
    settings = load(write(tmp_path, both))
    assert settings.health.interval_seconds == 7
    twice = "room:\n  <<: {id: a}\n  id: b\n  id: c\nhub: {host: localhost}\n"
    (problem,) = problems(tmp_path, twice)
    assert "room.id: stands twice, first in line 3" in problem


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("hub:\n  <<: 5\n  host: localhost\n", "3: hub.<<", "expected a section to take in"),
        ("hub:\n  <<:\n  host: localhost\n", "3: hub.<<", "expected a section to take in"),
        ("hub:\n  <<: [{host: h}, {<<: [3]}]\n", "3: hub.<<", "expected a section to take in"),
        ("hub:\n  <<: {[a, b]: 1}\n", "2: hub", "this one is a list"),
        ("hub:\n  ? [a, b]\n  : 1\n", "2: hub", "this one is a list"),
        ("hub: {{ hub }}\n", "2: hub", "has to be filled in before"),
        ("<<: {{ all }}\n", "", "has to be filled in before"),
        ("hub: {host: localhost, port: 14:43}\n", "2: hub.port", "base sixty"),
        ("hub: {host: !!timestamp x}\n", "2: hub.tls", "is not this machine"),
        ("hub: {host: localhost, port: !!nothing 5}\n", "2: hub.port", "expected a whole number"),
        ("hub: {host: localhost, port: !!bool 5}\n", "2: hub.port", "expected a whole number"),
    ],
)
def test_what_yaml_makes_nothing_of_is_one_clear_line(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    found = problems(tmp_path, f"room: {{id: r1}}\n{text}")
    assert any(f"agent.yaml:{place}" in line and says in line for line in found), found
    assert not any("\n" in line for line in found)


def test_a_whole_number_may_be_written_as_a_decimal_one(tmp_path: Path) -> None:
    text = "room: {id: r1}\nhub: {host: localhost, port: 1883.0}\n"
    assert load(write(tmp_path, text)).hub.port == 1883
    assert problems(tmp_path, text.replace(".0", ".5"))


def test_half_an_identity_and_a_password_without_a_user_are_told(tmp_path: Path) -> None:
    text = "room: {id: r1}\nhub: {host: h, tls: {ca: /ca, certificate: /c}, password_file: /p}\n"
    found = problems(tmp_path, text, check_files=False)
    assert any("hub.tls.key: is missing; tls.certificate is of no use" in line for line in found)
    assert any("hub.username: is missing" in line for line in found)


def test_files_must_be_there_and_secrets_closed_to_others(tmp_path: Path) -> None:
    key = tmp_path / "room.key"
    key.write_text("secret")
    key.chmod(0o644)
    ca = tmp_path / "ca.pem"
    ca.write_text("public")
    text = (
        f"room: {{id: r1}}\nhub:\n  host: h\n  tls: {{ca: {ca}, certificate: {tmp_path}/none.pem,"
        f" key: {key}}}\n"
    )
    missing, open_to_all = problems(tmp_path, text)
    assert f"hub.tls.certificate: {tmp_path}/none.pem cannot be found" in missing
    assert f"hub.tls.key: {key} is open to everybody on this machine; chmod 640 it" in open_to_all
    load(write(tmp_path, text), check_files=False)


def test_a_file_that_this_user_cannot_read_is_told() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        token = folder / "token"
        token.write_text("x")
        token.chmod(0)
        path = write(folder, f"{MINIMAL}media: {{token_file: {token}}}\n")
        path.chmod(0o644)
        was = os.geteuid()
        os.seteuid(65534 if was == 0 else was)  # root reads everything
        try:
            with pytest.raises(ConfigError, match="token cannot be read by this user"):
                load(path)
        finally:
            os.seteuid(was)


def test_a_bare_name_is_a_systemd_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "media: {token_file: media-token}\n"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "neither an absolute path nor a systemd credential" in only(tmp_path, text)

    (tmp_path / "media-token").write_text("t")
    (tmp_path / "media-token").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = load(write(tmp_path, MINIMAL + text))
    assert settings.media.token_file == str(tmp_path / "media-token")


def test_signatures_need_keys_that_nobody_else_can_add_to(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    text = (
        f"room: {{id: r1}}\nhub: {{host: localhost, require_signature: true, trusted_keys: {keys}}}"
    )
    (missing,) = problems(tmp_path, text)
    assert f"hub.trusted_keys: {keys} cannot be looked into (No such file" in missing
    keys.mkdir()
    keys.chmod(0o777)
    writable, empty = problems(tmp_path, text)  # of one line: by the alphabet
    assert "holds no key" in empty
    assert "chmod 755" in writable
    (keys / "operator.json").write_text("{}")
    for mode in (0o666, 0o664):
        (keys / "operator.json").chmod(mode)
        keys.chmod(0o755 | mode & 0o022)
        folder, file = problems(tmp_path, text)
        assert "chmod 755" in folder
        assert "operator.json can be written by others on this machine; chmod 644 it" in file
    (keys / "operator.json").chmod(0o644)
    keys.chmod(0o755)
    load(write(tmp_path, text))


@pytest.mark.parametrize("key", ["password", "passwort_file"])
def test_a_misplaced_secret_is_not_repeated(tmp_path: Path, key: str) -> None:
    text = f"room: {{id: r1}}\nhub: {{host: localhost, {key}: hunter2}}\n"
    (problem,) = problems(tmp_path, text)
    assert "password_file" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("text", "line"), [("room: {id: r1\nhub: x\n", 2), ("room:\n\tid: r1\n", 2), ("a: b: c\n", 1)]
)
def test_what_is_no_yaml_names_the_line(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"agent.yaml:{line}: not YAML: ")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, text: str) -> None:
    assert "expected a section with keys (room, hub," in "".join(problems(tmp_path, text))


def test_a_missing_unreadable_or_binary_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"none\.yaml: does not exist; make it with: sudo diemcau setup"
    ):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"room: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary.yaml")


@pytest.mark.parametrize("content", ["m\u1eadt-kh\u1ea9u", "two words", "one\ntwo", "", "\n"])
def test_a_token_that_can_be_no_header_is_a_settings_error(tmp_path: Path, content: str) -> None:
    token = tmp_path / "token"
    token.write_text(content)
    token.chmod(0o600)
    problem = only(tmp_path, f"media: {{token_file: {token}}}")
    assert "token" in problem
    assert content.strip() not in problem or not content.strip()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: &a [x,x]\n" + "".join(f"{n}: &{n} [*a,*a,*a]\n" for n in "bcdefghij"), "aliases"),
        ("[" * 5000 + "]" * 5000, "deep"),
        ("{a: " * 3000 + "1" + "}" * 3000, "deep"),
        ("# " + "x" * 300_000, "characters"),
        ("room: &a {id: x, name: *a}", "stands within"),
    ],
    ids=["aliases", "lists", "mappings", "size", "ring"],
)
def test_what_would_take_the_reader_s_time_or_stack_is_refused(
    tmp_path: Path, text: str, word: str
) -> None:
    """Wherever YAML is read: the whole file, one answer, and the file that `setup` and `config set` change."""
    reading = read(text, "agent.yaml", Credentials(None, Path("/nonexistent")))
    assert [word in problem.text for problem in reading.problems] == [True]
    with pytest.raises(ConfigError, match=word):
        typed("room.name", text)
    path = tmp_path / "agent.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=word):
        FirstRun(path)
