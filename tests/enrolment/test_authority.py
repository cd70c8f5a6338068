"""The enrolment tool's promises about files, names, lifetimes and lists."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.enrolment import authority as authority_module
from agent.enrolment import register
from agent.enrolment.authority import Authority
from agent.errors import ConfigError
from agent.files import replace_file

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


def test_nobody_but_a_ca_may_make_certificates(authority: Authority) -> None:
    leaves = [
        (authority.enrol_room("thon-5", []) / "room.pem", ExtendedKeyUsageOID.CLIENT_AUTH),
        (authority.enrol_operator("ha") / "operator.pem", ExtendedKeyUsageOID.CLIENT_AUTH),
        (authority.enrol_hub(["hub.example.org"]) / "hub.pem", ExtendedKeyUsageOID.SERVER_AUTH),
    ]
    for path, purpose in leaves:
        found = certificate(path).extensions
        assert not found.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = found.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert usage.value.digital_signature
        assert not usage.value.key_cert_sign
        assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == [purpose]
    for name in ("ca.pem", "operators-ca.pem"):
        made = certificate(authority.broker / name).extensions
        constraints = made.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical
        assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
        assert made.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_the_hubs_certificate_lasts_two_years_and_an_operators_one(authority: Authority) -> None:
    hub = certificate(authority.enrol_hub(["hub.example.org"]) / "hub.pem")
    operator = certificate(authority.enrol_operator("ha") / "operator.pem")
    assert hub.not_valid_after_utc == TODAY + timedelta(days=730)
    assert operator.not_valid_after_utc == TODAY + timedelta(days=365)


def test_what_the_broker_reads_is_readable_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        made = Authority(tmp_path / "authority", lambda: TODAY)
        made.create("diemcau/v1")
        made.enrol_hub(["hub.example.org"])
    finally:
        os.umask(umask)
    modes = {one.name: one.stat().st_mode & 0o777 for one in made.broker.iterdir()}
    assert modes.pop("hub.key") == 0o600
    assert modes.pop("acl") == 0o640
    assert set(modes.values()) == {0o644}


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


def test_a_renewed_certificate_is_another_and_the_groups_lifecycle(authority: Authority) -> None:
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


def test_two_who_enrol_at_once_lose_nothing(authority: Authority) -> None:
    """Each wrote the register as it had read it: the other's rooms were gone from list, ACL and revocations."""
    colleague = Authority(authority.folder, lambda: TODAY)
    rooms = [[f"xa-{who}-{number}" for number in range(12)] for who in "ab"]

    def enrol(whose: Authority, names: list[str]) -> None:
        for name in names:
            whose.enrol_room(name, [])

    threads = [
        threading.Thread(target=enrol, args=work)
        for work in zip((authority, colleague), rooms, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {one.name for one in authority.load().entries} == {*rooms[0], *rooms[1]}
    for name in (*rooms[0], *rooms[1]):
        files = authority.folder / "rooms" / name
        ssl.create_default_context().load_cert_chain(files / "room.pem", files / "room.key")


def test_wherever_enrolling_breaks_off_no_certificate_is_unknown(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is not in the register could never be taken back."""
    for last in range(20):
        done: list[Path] = []

        def write_or_die(path: Path, data: bytes, mode: int = 0o644) -> None:
            if len(done) == last:  # noqa: B023
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            replace_file(path, data, mode)
            done.append(path)  # noqa: B023

        for user in (authority_module, register):
            monkeypatch.setattr(user, "replace_file", write_or_die)
        with contextlib.suppress(OSError):
            authority.enrol_room(f"xa-{last}", [])
        known = {int(one.serial, 16) for one in authority.load().entries}
        given = authority.folder.glob("rooms/*/room.pem")
        assert {certificate(one).serial_number for one in given} <= known
    assert len(done) < last, "the last ones had no fault"


def test_unknown_names_and_damaged_registers_are_named(authority: Authority) -> None:
    with pytest.raises(ConfigError, match="thon-9: nobody of that name"):
        authority.revoke("thon-9")
    file = authority.folder / "register.json"
    entries = json.loads(file.read_text())
    file.write_text(json.dumps(entries)[:-5])
    with pytest.raises(ConfigError, match=r"register\.json: cannot be used"):
        authority.enrol_room("thon-5", [])


def test_without_a_ca_the_first_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="diemcau hub ca"):
        Authority(tmp_path).enrol_room("thon-5", [])
