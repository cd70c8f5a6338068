"""Candidates that are found after the offer went out: told to the server by PATCH (RFC 9725, 4.3.1).

A relay that answers late, or that the server itself named with its answer. A server that takes no PATCH loses
nothing: the checks that come from such a candidate make it known too (RFC 8445, 7.3.1.3).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from agent.media.loop import Loop

GATHERED_SECONDS = 0.1
"""For others that come with the first one, so that they go together."""

MOST_CANDIDATES = 64
OF_SECTION = re.compile(r"^a=(?:mid|ice-ufrag|ice-pwd):.*$", re.M)


class Trickle:
    """Of one session: `add` from the beginning, in GStreamer's threads; `begin` once the server has answered."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._count = 0
        self._offer = ""
        self._tell: Callable[[str], bool] | None = None
        self._flushing = False

    def add(self, candidate: str) -> None:
        """`candidate:...`, as webrtcbin says it; an empty one says that there are no more."""
        with self._lock:
            if not candidate or self._count >= MOST_CANDIDATES:
                return
            self._count += 1
            self._waiting.append(candidate)
        self._flush_soon()

    def begin(self, offer: str, tell: Callable[[str], bool]) -> None:
        """From now on what this offer did not have is given to `tell` as an SDP fragment, in a thread of its own; it
        says whether the server takes more.
        """
        with self._lock:
            self._offer, self._tell = offer, tell
            self._waiting = [one for one in self._waiting if one not in offer]
        self._flush_soon()

    def stop(self) -> None:
        with self._lock:
            self._tell = None

    def _flush_soon(self) -> None:
        with self._lock:
            if self._tell is None or not self._waiting or self._flushing:
                return
            self._flushing = True
        self._loop.post(self._flush_later)

    def _flush_later(self) -> None:
        self._loop.later(GATHERED_SECONDS, self._start)

    def _start(self) -> None:
        threading.Thread(target=self._flush, name="trickle", daemon=True).start()

    def _flush(self) -> None:
        with self._lock:
            tell, found, self._waiting = self._tell, self._waiting, []
        goes_on = bool(tell and found and tell(fragment(self._offer, found)))
        with self._lock:
            self._flushing = False
            if not goes_on:
                self._tell = None
        self._flush_soon()


def fragment(offer: str, candidates: list[str]) -> str:
    """RFC 8840, 9: of the section that all the others are bundled with, which is the first."""
    session, section, *_ = [*re.split(r"^(?=m=)", offer, flags=re.M), ""]
    group = re.findall(r"^a=group:BUNDLE .*$", session, flags=re.M)
    medium = re.findall(r"^m=.*$", section, flags=re.M)
    lines = [*group, *medium, *OF_SECTION.findall(section), *(f"a={one}" for one in candidates)]
    return "".join(f"{line.strip()}\r\n" for line in lines)
