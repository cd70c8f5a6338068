"""How answers refuse one medium, and other things that are met in them, done to an answer's text."""

from __future__ import annotations

import re
from collections.abc import Callable

Shape = Callable[[str], str]
"""What becomes of the refused section's text."""


def sections(answer: str) -> list[str]:
    """The session's lines, then each medium's."""
    return re.split(r"^(?=m=)", answer, flags=re.M)


def _line(section: str) -> str:
    return section.splitlines()[0]


def _bare(section: str) -> str:
    """As pion does."""
    kind = _line(section)[2:].split()[0]
    return f"m={kind} 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n"


def _no_formats(section: str) -> str:
    return _bare(section).replace("SAVPF 0", "SAVPF")


def _port_0(section: str) -> str:
    """With all that an accepted one has."""
    return re.sub(r"^(m=\w+) \d+", r"\1 0", section)


def _port_0_without_transport(section: str) -> str:
    """As RFC 9143 wants it."""
    kept = r"^a=(?:ice-|fingerprint|setup|candidate|end-of|rtcp-mux|rtcp:).*\r\n"
    return re.sub(kept, "", _port_0(section), flags=re.M)


def _inactive(section: str) -> str:
    return re.sub(r"^a=(?:sendrecv|sendonly|recvonly)", "a=inactive", section, flags=re.M)


def _inactive_without_formats(section: str) -> str:
    """As Janus does."""
    kept = r"^a=(?:rtpmap|fmtp|rtcp-fb|extmap|ssrc|msid).*\r\n"
    text = re.sub(kept, "", _inactive(section), flags=re.M)
    return re.sub(r"SAVPF [\d ]+", "SAVPF 0", text)


SHAPES: dict[str, Shape] = {
    "bare": _bare,
    "no-formats": _no_formats,
    "port-0": _port_0,
    "port-0-without-transport": _port_0_without_transport,
    "inactive": _inactive,
    "inactive-without-formats": _inactive_without_formats,
}


def refuse(answer: str, kind: str, shape: str, *, bundled: bool) -> str:
    """The answer with its medium of this kind (`video` or `audio`) refused so; `bundled`: its mid stays
    in the group.
    """
    head, *media = sections(answer)
    refused = next(one for one in media if one.startswith(f"m={kind} "))
    mid = re.search(r"^a=mid:(\S+)", refused, flags=re.M)
    if not bundled and mid:
        head = re.sub(rf"^(a=group:BUNDLE.*) {re.escape(mid[1])}\b", r"\1", head, flags=re.M)
    return head + "".join(SHAPES[shape](one) if one is refused else one for one in media)
