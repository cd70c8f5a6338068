"""When certificates end, compared with what the `cryptography` library reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.enrolment.authority import Authority
from agent.hub.certificate import days_left, expires


@pytest.mark.parametrize("year", [1970, 2026, 2048, 2055])
def test_the_end_is_the_one_that_the_library_reads(tmp_path: Path, year: int) -> None:
    now = datetime(year, 11, 22, 1, 2, 3, tzinfo=UTC)
    authority = Authority(tmp_path / "authority", lambda: now)
    authority.create("diemcau/v1")
    path = authority.enrol_room("thon-5", []) / "room.pem"
    expected = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    assert expires(path) == expected
    assert days_left(path, now) == 730
    assert days_left(path, expected + timedelta(days=3)) == -3


@pytest.mark.parametrize("content", [None, "", "not a certificate", "header"])
def test_what_cannot_be_read_has_no_end(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "room.pem"
    if content == "header":
        content = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    if content is not None:
        path.write_text(content)
    assert expires(path) is None
    assert days_left(path, datetime.now(UTC)) is None
