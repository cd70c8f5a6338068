"""A URL that is shown keeps its place and loses its secrets."""

from __future__ import annotations

import pytest

from agent.core.model.urls import shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://media/giao-ban/whip", "https://media/giao-ban/whip"),
        ("https://media:8443/whip?token=s3cret", "https://media:8443/whip?***"),
        ("https://joe:s3cret@media/whip", "https://***@media/whip"),
        ("https://s3cret@media/whip?k=s3cret#s3cret", "https://***@media/whip?***"),
        ("https://joe:s3@cret@media/whip", "https://***@media/whip"),
        ("https://media/whip#s3cret", "https://media/whip?***"),
        ("https://media/a@b", "https://media/a@b"),
        ("https://media/whip?k=a\nb", "https://media/whip?***"),
    ],
)
def test_user_and_query_are_masked(url: str, expected: str) -> None:
    assert shown(url) == expected
