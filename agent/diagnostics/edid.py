"""What a display says about itself: the parts of its EDID that name it (VESA E-EDID 1.4)."""

from __future__ import annotations

from msgspec import Struct

HEADER = bytes.fromhex("00ffffffffffff00")
DETAILED_AT = 54
"""Four blocks of 18 bytes: timings, or texts such as the name."""

NAME_TAG = 0xFC


class DisplayFacts(Struct, frozen=True):
    """`name` may be empty; sizes in pixels of its preferred picture, 0 if it doesn't say."""

    maker: str
    name: str
    width: int
    height: int


def read_edid(data: bytes) -> DisplayFacts | None:
    """The facts, or None if this is no EDID."""
    if len(data) < 128 or not data.startswith(HEADER) or sum(data[:128]) % 256:
        return None
    blocks = [data[at : at + 18] for at in range(DETAILED_AT, DETAILED_AT + 72, 18)]
    timing = next((block for block in blocks if block[0] or block[1]), None)
    name = next((b[5:] for b in blocks if b[:3] == b"\0\0\0" and b[3] == NAME_TAG), b"")
    return DisplayFacts(
        maker=_maker(int.from_bytes(data[8:10], "big")),
        name=name.split(b"\n")[0].decode("ascii", "replace").strip(),
        width=timing[2] | (timing[4] & 0xF0) << 4 if timing else 0,
        height=timing[5] | (timing[7] & 0xF0) << 4 if timing else 0,
    )


def _maker(packed: int) -> str:
    """Three letters, five bits each, A is 1."""
    return "".join(chr(ord("A") - 1 + (packed >> shift & 0x1F)) for shift in (10, 5, 0))
