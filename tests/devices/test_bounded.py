"""Calls with a deadline."""

from __future__ import annotations

import threading
import time

import pytest

from agent.devices.bounded import call_within
from agent.errors import DeviceTimeout
from tests.support.waiting import wait_for


def test_result_and_exception_are_the_calls() -> None:
    assert call_within(5, lambda: 42, "answering") == 42
    assert call_within(5, lambda: None, "answering nothing") is None
    with pytest.raises(ZeroDivisionError):
        call_within(5, lambda: 1 // 0, "dividing")


def test_a_call_that_hangs_is_left_behind_in_time() -> None:
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(DeviceTimeout, match=r"opening it did not return within 0.1 s"):
        call_within(0.1, release.wait, "opening it")
    assert time.monotonic() - began < 10
    release.set()


def test_what_was_opened_too_late_is_closed_again() -> None:
    release, closed = threading.Event(), list[str]()

    def open_slowly() -> str:
        release.wait()
        return "camera"

    with pytest.raises(DeviceTimeout):
        call_within(0.1, open_slowly, "opening it", closed.append)
    release.set()
    wait_for(lambda: closed == ["camera"], 5, "the camera closed")


def test_what_was_opened_in_time_stays_open() -> None:
    closed = list[str]()
    assert call_within(5, lambda: "camera", "opening it", closed.append) == "camera"
    assert closed == []
