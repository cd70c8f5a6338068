"""The enrolment tool's promises about files, names, lifetimes and lists."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.enrolment.authority import Authority
from agent.errors import ConfigError

TODAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "authority", lambda: TODAY)
    made.create("diemcau/v1")
    return made


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_second_ca_does_not_overwrite_the_first(authority: Authority) -> None:
    before = (authority.broker / "ca.pem").read_bytes()
    with pytest.raises(ConfigError, match="there is a CA already"):
        authority.create("diemcau/v1")
    assert (authority.broker / "ca.pem").read_bytes() == before


def test_private_keys_are_the_owners_alone(authority: Authority) -> None:
    authority.enrol_hub(["hub.example.org"])
    authority.enrol_room("thon-5", [])
    authority.enrol_operator("ha")
    keys = list(authority.folder.rglob("*.key"))
    assert len(keys) == 5
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert b"PRIVATE" not in b"".join(
        one.read_bytes() for one in authority.folder.rglob("*") if one.is_file() and one not in keys
    )


def test_a_room_gets_what_it_needs_and_for_two_years(authority: Authority) -> None:
    folder = authority.enrol_room("thon-5", ["xa-ba-vi"])
    assert {one.name for one in folder.iterdir()} == {"ca.pem", "room.pem", "room.key"}
    made = certificate(folder / "room.pem")
    assert made.subject.rfc4514_string() == "CN=thon-5"
    assert made.not_valid_after_utc == TODAY + timedelta(days=730)
    assert made.not_valid_before_utc < TODAY, "a room's clock may be behind"


@pytest.mark.parametrize("name", ["Thon-5", "thon 5", "thon/5", "thon+5", "operator.ha", "", "#"])
def test_names_that_the_topics_cannot_have_are_refused(authority: Authority, name: str) -> None:
    with pytest.raises(ConfigError, match="a-z, 0-9"):
        authority.enrol_room(name, [])
    assert authority.load().entries == []


def test_the_list_says_who_may_what(authority: Authority) -> None:
    authority.enrol_room("thon-5", ["xa-ba-vi"])
    authority.enrol_operator("ha")
    text = (authority.broker / "acl").read_text()
    assert "user thon-5\ntopic read diemcau/v1/group/xa-ba-vi/cmd/+\n" in text
    assert "user operator.ha\ntopic write diemcau/v1/room/+/cmd/+\n" in text
    authority.revoke("operator.ha")
    authority.revoke("thon-5")
    text = (authority.broker / "acl").read_text()
    assert "user" not in text


def test_a_renewed_certificate_is_another_and_the_groups_stay(authority: Authority) -> None:
    folder = authority.enrol_room("thon-5", ["xa-ba-vi"])
    first = certificate(folder / "room.pem")
    assert authority.renew("thon-5") == folder
    assert certificate(folder / "room.pem").serial_number != first.serial_number
    assert authority.load().entries[-1].groups == ["xa-ba-vi"]


def test_revocation_is_listed_for_the_one_or_for_all(authority: Authority) -> None:
    authority.enrol_room("thon-5", [])
    authority.renew("thon-5")
    old, new = authority.load().entries
    assert [one.serial for one in authority.revoke("thon-5", old.serial)] == [old.serial]
    assert _revoked(authority) == {int(old.serial, 16)}
    assert [one.serial for one in authority.revoke("thon-5")] == [new.serial]
    assert _revoked(authority) == {int(old.serial, 16), int(new.serial, 16)}


def _revoked(authority: Authority) -> set[int]:
    crl = x509.load_pem_x509_crl((authority.broker / "ca.crl").read_bytes())
    assert crl.next_update_utc is not None
    assert crl.next_update_utc > TODAY + timedelta(days=3000), "an outdated one locks all out"
    return {one.serial_number for one in crl}


def test_unknown_names_and_damaged_registers_are_named(authority: Authority) -> None:
    with pytest.raises(ConfigError, match="thon-9: nobody of that name"):
        authority.revoke("thon-9")
    register = authority.folder / "register.json"
    entries = json.loads(register.read_text())
    register.write_text(json.dumps(entries)[:-5])
    with pytest.raises(ConfigError, match=r"register\.json: cannot be used"):
        authority.enrol_room("thon-5", [])


def test_without_a_ca_the_first_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="diemcau hub ca"):
        Authority(tmp_path).enrol_room("thon-5", [])
