"""What a server's SDP answer says to our offer, and the answer as webrtcbin bears it.

Pure, text in and text out. Servers refuse a medium in every shape (port 0 or not, with and without
transport, mid, formats), of which webrtcbin takes none: so it is given an answer in which all media are
taken, on the one transport that the server described, and the refused ones are not sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from agent.core.model.figures import Medium
from agent.media.webrtc.transport_feedback import URI as TRANSPORT_FEEDBACK

MEDIA: dict[str, Medium] = {"video": "picture", "audio": "sound"}

LEAST_UFRAG_LETTERS, LEAST_PASSWORD_LETTERS = 4, 22
"""RFC 8839, 5.4: less can be guessed, and libnice refuses it."""

MOST_SECTIONS = 16
TRANSPORT = ("ice-ufrag", "ice-pwd", "fingerprint", "setup")
OF_SESSION = (*TRANSPORT, "group", "ice-options", "ice-lite", "candidate", "end-of-candidates")
CODEC_LINES = ("rtpmap", "fmtp", "rtcp-fb")
STREAM_LINES = {
    "ssrc-group": re.compile(r"\S+( \d{1,10})+"),
    "ssrc": re.compile(r"\d{1,10} [\w-]+(:.{0,200})?"),
    "msid": re.compile(r".{1,200}"),
}
NEVER = re.compile(r"(?!)")
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
ANSWERS_TO = {"sendonly": "recvonly", "recvonly": "sendonly", "sendrecv": "sendrecv"}


class Unusable(Exception):
    """The text is no answer to the offer; the argument says why."""


class Section(Struct, frozen=True):
    """One medium of an offer or answer; `formats` are payload types as written."""

    kind: str
    port: int
    formats: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def of_format(self, name: str) -> dict[str, str]:
        """By payload type, of attributes such as `rtpmap`."""
        pairs = (value.partition(" ") for value in self.all(name))
        return {number: text for number, _, text in pairs}

    @property
    def direction(self) -> str:
        """`sendrecv` where nothing is said (RFC 8866, 6.7)."""
        return next((key for key, _ in self.attributes if key in DIRECTIONS), "sendrecv")


class Description(Struct, frozen=True):
    """An SDP, read as kindly as possible."""

    head: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


class Accepted(NamedTuple):
    """What a server takes of one medium, or gives of it."""

    codec: str
    """The first one's name, upper case."""
    parameters: str
    """Its fmtp as the server wrote it, or empty."""
    numbered: bool
    """Whether packets may be numbered for transport-wide feedback (RFC 8285, 5: only what the section
    itself accepts)."""
    repeats: bool
    """Whether lost packets may be sent again in a stream of their own (RFC 4588)."""


class Agreement(NamedTuple):
    """`sdp` is for webrtcbin; `media` has what both ends take, in the offer's order."""

    sdp: str
    media: dict[Medium, Accepted]
    refused: tuple[Medium, ...]
    """What was offered and is not taken."""


def read(text: str) -> Description:
    """Raises Unusable where it is no SDP at all."""
    lines = [line.strip() for line in text.lstrip("\ufeff").replace("\0", "").splitlines()]
    lines = [line for line in lines if line]
    if not lines or lines[0] != "v=0":
        raise Unusable("it is no SDP: it does not begin with v=0")
    parts: list[list[str]] = [[]]
    for line in lines:
        if not re.match(r"[a-z]=", line):
            raise Unusable(f"it is no SDP: {line[:40]!r}")
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    if len(parts) - 1 > MOST_SECTIONS:
        raise Unusable(f"it has {len(parts) - 1} media")
    head = tuple(line for line in parts[0] if not line.startswith("a="))
    return Description(head, _attributes(parts[0]), tuple(_section(part) for part in parts[1:]))


def _attributes(lines: list[str]) -> tuple[tuple[str, str], ...]:
    split = (line[2:].partition(":") for line in lines if line.startswith("a="))
    return tuple((name.strip(), value.strip()) for name, _, value in split)


def _section(lines: list[str]) -> Section:
    words = lines[0][2:].split()
    if len(words) < 3 or not re.fullmatch(r"\d{1,5}(/\d+)?", words[1]):
        raise Unusable(f"it is no SDP: {lines[0][:40]!r}")
    port = int(words[1].partition("/")[0])
    return Section(words[0], port, tuple(words[3:]), _attributes(lines))


def agree(offer: str, answer: str) -> Agreement:
    """Raises Unusable, with what is wrong, where nothing can flow by this answer."""
    asked, told = read(offer), read(answer)
    kinds = [[section.kind for section in one.sections] for one in (asked, told)]
    if sorted(kinds[0]) == sorted(kinds[1]) and kinds[0] != kinds[1]:
        raise Unusable(f"its media come as {_list(kinds[1])}, the offer's as {_list(kinds[0])}")
    if kinds[0] != kinds[1]:
        raise Unusable(f"it has {_list(kinds[1])} where {_list(kinds[0])} was offered")
    pairs = list(zip(asked.sections, told.sections, strict=True))
    media = {
        MEDIA[ours.kind]: _accepted(ours, theirs) for ours, theirs in pairs if _taken(ours, theirs)
    }
    refused = tuple(MEDIA[ours.kind] for ours, _ in pairs if MEDIA[ours.kind] not in media)
    if not media:
        raise Unusable(f"it takes none of {_list([MEDIA[kind] for kind in kinds[0]])}")
    lines = [*_head(told, asked), *_media(pairs, told, media)]
    return Agreement("".join(f"{line}\r\n" for line in lines), media, refused)


def _list(words: list[str]) -> str:
    return " and ".join(words) or "nothing"


def _taken(ours: Section, theirs: Section) -> bool:
    """Whether this medium is to flow."""
    common = _common(ours, theirs)
    wanted = {ANSWERS_TO[ours.direction], "sendrecv"}
    return bool(theirs.port and common and theirs.direction in wanted)


def _common(ours: Section, theirs: Section) -> list[str]:
    """The formats that both have, retransmissions aside."""
    names = ours.of_format("rtpmap")
    told = theirs.of_format("rtpmap")
    return [
        number
        for number in theirs.formats
        if number in names
        and _name(names[number]) != "RTX"
        and _name(told.get(number, names[number])) == _name(names[number])
        and _fits(_name(names[number]), theirs.of_format("fmtp").get(number, ""))
    ]


def _fits(codec: str, parameters: str) -> bool:
    """Whether what the encoders make is what the server takes of this codec. Of H.264 that is packets of
    mode 1, and constrained baseline (RFC 6184, 8.1), which every baseline, main and high decoder takes;
    an answer may only repeat the profile that was offered (8.2.2). Its level is not compared: servers that only
    forward repeat one that is written in them, whatever they were offered.
    """
    if codec != "H264":
        return True
    values = dict(re.findall(r"([\w-]+)\s*=\s*([^;\s]+)", parameters.lower()))
    profile = values.get("profile-level-id", "42")
    return values.get("packetization-mode") != "0" and profile.startswith(("42", "4d"))


def _name(rtpmap: str) -> str:
    return rtpmap.partition("/")[0].strip().upper()


def _accepted(ours: Section, theirs: Section) -> Accepted:
    first = _common(ours, theirs)[0]
    extensions = [value.split() for value in theirs.all("extmap")]
    numbered = any(TRANSPORT_FEEDBACK in words for words in extensions)
    return Accepted(
        _name(ours.of_format("rtpmap")[first]),
        theirs.of_format("fmtp").get(first, ""),
        numbered,
        bool(_repeats(ours, theirs)),
    )


def _repeats(ours: Section, theirs: Section) -> list[str]:
    """Formats of retransmissions that both have."""
    names = ours.of_format("rtpmap")
    return [n for n in theirs.formats if n in names and _name(names[n]) == "RTX"]


# --- the answer for webrtcbin


def _head(told: Description, asked: Description) -> Iterator[str]:
    yield "v=0"
    yield next((line for line in told.head if line.startswith("o=")), "o=- 1 1 IN IP4 0.0.0.0")
    yield from ("s=-", "t=0 0")
    yield " ".join(["a=group:BUNDLE", *(section.first("mid") or "" for section in asked.sections)])
    yield from (_line(name, value) for name, value in told.attributes if name not in OF_SESSION)


def _line(name: str, value: str) -> str:
    return f"a={name}:{value}" if value else f"a={name}"


def _media(
    pairs: list[tuple[Section, Section]], told: Description, media: dict[Medium, Accepted]
) -> Iterator[str]:
    transport = _transport(pairs, told, media)
    candidates = dict.fromkeys(
        value
        for attributes in (told.attributes, *(theirs.attributes for _, theirs in pairs))
        for name, value in attributes
        if name == "candidate"
    )
    for ours, theirs in pairs:
        taken = MEDIA[ours.kind] in media
        formats = [*_common(ours, theirs), *_repeats(ours, theirs)] if taken else ours.formats
        yield f"m={ours.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(formats)}"
        yield "c=IN IP4 0.0.0.0"
        yield f"a={ANSWERS_TO[ours.direction]}"
        yield f"a=mid:{ours.first('mid')}"
        yield from (_line(name, value) for name, value in transport)
        yield from ("a=rtcp-mux", "a=rtcp-rsize")
        yield from _codecs(ours, theirs if taken else None, formats)
        if taken:
            yield from _streams(theirs)
        if ours is pairs[0][0]:
            yield from (_line("candidate", value) for value in candidates)
            yield "a=end-of-candidates"


def _transport(
    pairs: list[tuple[Section, Section]], told: Description, media: dict[Medium, Accepted]
) -> list[tuple[str, str]]:
    """Of the first medium that is taken, or of the whole session; one that is refused may have none."""
    taken = next(theirs for ours, theirs in pairs if MEDIA[ours.kind] in media)
    found: list[tuple[str, str]] = []
    for name in TRANSPORT:
        of_section = [(key, value) for key, value in taken.attributes if key == name]
        found += of_section or [(key, value) for key, value in told.attributes if key == name]
    _check(dict(found))
    if not any(name == "setup" for name, _ in found):
        found.append(("setup", "active"))
    return found


def _check(transport: dict[str, str]) -> None:
    for name, least in (
        ("ice-ufrag", LEAST_UFRAG_LETTERS),
        ("ice-pwd", LEAST_PASSWORD_LETTERS),
    ):
        if name not in transport:
            raise Unusable(f"it has no ICE credentials (a={name})")
        if len(transport[name]) < least:
            raise Unusable(f"its a={name} is too short: {least} letters at least")
    if "fingerprint" not in transport:
        raise Unusable("it has no DTLS fingerprint")
    if transport.get("setup", "active") not in ("active", "passive"):
        raise Unusable(f"it says a=setup:{transport['setup'][:20]}, which is no answer")


def _codecs(
    ours: Section, theirs: Section | None, formats: list[str] | tuple[str, ...]
) -> Iterator[str]:
    """As offered, since that is what is sent and decoded; feedback as answered."""
    for name in CODEC_LINES:
        said = theirs if theirs and name == "rtcp-fb" else ours
        for value in said.all(name):
            if value.partition(" ")[0] in formats:
                yield _line(name, value)
    offered = ours.all("extmap")
    told = theirs.all("extmap") if theirs else []
    yield from (
        _line("extmap", value) for value in told if _extension(value) in map(_extension, offered)
    )


def _streams(theirs: Section) -> Iterator[str]:
    """Which stream is which, of what the server sends: repeats are told from first packets by it."""
    for name, value in theirs.attributes:
        if STREAM_LINES.get(name, NEVER).fullmatch(value):
            yield _line(name, value)


def _extension(value: str) -> str:
    """Without its number's direction: `4/recvonly URI` is `4 URI`."""
    words = value.split()
    return f"{words[0].partition('/')[0]} {words[1]}" if len(words) > 1 else value
