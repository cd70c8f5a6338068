"""Fixtures of the media tests: one media server for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.media_server import MediaServer


@pytest.fixture(scope="session")
def media_server() -> Iterator[MediaServer]:
    with MediaServer() as server:
        yield server
