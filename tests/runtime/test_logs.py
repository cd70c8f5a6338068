"""What a log line looks like to the technician who reads it."""

import io
import logging

import pytest

from agent.runtime.logs import JournalHandler, plain_handler


@pytest.fixture
def logger():
    logger = logging.Logger("agent.hub.link")
    yield logger
    logger.handlers.clear()


def test_a_plain_line_has_level_origin_text_and_fields(logger):
    stream = io.StringIO()
    logger.addHandler(plain_handler(stream))
    logger.warning("lost the hub:\nno route", extra={"MEETING": "giao-ban", "COMMAND": "01J"})
    logger.info("back")
    assert stream.getvalue().splitlines() == [
        "warning agent.hub.link: lost the hub: | no route [meeting=giao-ban command=01J]",
        "info agent.hub.link: back",
    ]


def test_the_journal_gets_searchable_fields(logger):
    sent: list[tuple[str, dict[str, str]]] = []
    logger.addHandler(JournalHandler("room-a", lambda text, **fields: sent.append((text, fields))))
    logger.error("ended", extra={"COMMAND": "01J", "MESSAGE_ID": "0" * 32, "MEETING": ""})
    assert sent == [
        (
            "ended",
            {
                "PRIORITY": "3",
                "SYSLOG_IDENTIFIER": "diemcau",
                "LOGGER": "agent.hub.link",
                "ROOM": "room-a",
                "COMMAND": "01J",
                "MESSAGE_ID": "0" * 32,
            },
        )
    ]


def test_an_exception_keeps_its_traceback(logger):
    stream = io.StringIO()
    logger.addHandler(plain_handler(stream))
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("cannot go on")
    assert stream.getvalue().startswith("error agent.hub.link: cannot go on\nTraceback")
    assert "ValueError: broken" in stream.getvalue()
