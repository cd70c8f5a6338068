"""English words that stand in a text which should have none."""

from __future__ import annotations

import re

COMMON = """
a an the is are was were be been it its of from to in on at by with without for and or not no nothing there this that
which what who when where why how expected got write means meant did you must may can cannot could should whole number
text list each at most least one two or take unknown keys value values line section does exist make use used see file
folder name only other another first last never here between
"""
"""Words that are neither Vietnamese syllables without their marks, nor what one types."""

VIETNAMESE_TOO = {
    "a",
    "an",
    "the",
    "to",
    "in",
    "on",
    "me",
    "do",
    "can",
    "is",
    "no",
    "be",
    "may",
    "line",
    "file",
    "at",
}
"""Spelled so in Vietnamese as well, or a word of the trade."""

TYPED = re.compile(r"[\w./{}<>*-]*[./_{}:-][\w./{}<>*-]*")
"""Paths, keys, addresses: they are the same in any language."""


def left_in_english(text: str) -> set[str]:
    """Which of the common English words stand in this text, outside of what one types."""
    words = re.findall(r"[A-Za-z']+(?![\w'])", TYPED.sub(" ", text))
    return {word.lower() for word in words} & (set(COMMON.split()) - VIETNAMESE_TOO)
