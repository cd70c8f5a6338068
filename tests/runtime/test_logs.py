"""What a log line looks like to the technician who reads it."""

import io
import logging
from collections.abc import Callable

import pytest

from agent.runtime.logs import REPEAT_SECONDS, JournalHandler, Repeats, plain_handler


@pytest.fixture
def logger():
    logger = logging.Logger("agent.hub.link")
    yield logger
    logger.handlers.clear()


def counting(logger: logging.Logger, *clock: Callable[[], float]) -> io.StringIO:
    """What gets through of its lines when repeats are counted."""
    stream = io.StringIO()
    handler = plain_handler(stream)
    handler.addFilter(Repeats(*clock))
    logger.addHandler(handler)
    return stream


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


def test_what_is_said_again_and_again_is_counted(logger):
    """A full disk wrote a line for every write: thousands an hour, on the card that was full."""
    now = [0.0]
    stream = counting(logger, lambda: now[0])
    for _ in range(1000):
        logger.error("the journal cannot be written: %s", "the disk is full")
    now[0] = REPEAT_SECONDS
    logger.error("the journal cannot be written: %s", "the disk is full")
    assert stream.getvalue().splitlines() == [
        "error agent.hub.link: the journal cannot be written: the disk is full",
        "error agent.hub.link: the journal cannot be written: the disk is full"
        " (999 more times since it was said last)",
    ]


def test_what_only_its_values_tell_apart_is_counted_too(logger):
    """A client that is turned away and comes again is another process each time; two of them take turns."""
    now = [0.0]
    stream = counting(logger, lambda: now[0])
    for pid in range(1000):
        logger.warning("process %d may not", pid)
        logger.warning("it said %s", pid)
        logger.info("process %d may", pid)
    told = stream.getvalue().splitlines()
    assert sum("may not" in line for line in told) == sum("said" in line for line in told) == 10
    assert sum("info" in line for line in told) == 1000
    now[0] = REPEAT_SECONDS
    logger.warning("process %d may not", 1000)
    last = stream.getvalue().splitlines()[-1]
    assert last.endswith("process 1000 may not (990 more of this kind came before)")


def test_a_line_flaps_and_each_change_is_told(logger):
    stream = counting(logger)
    for _ in range(3):
        logger.warning("hub link down: timeout")
        logger.info("hub link up")
    logger.info("accepted", extra={"COMMAND": "01A"})
    logger.info("accepted", extra={"COMMAND": "01B"})
    assert len(stream.getvalue().splitlines()) == 8
