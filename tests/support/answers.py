"""SDP answers as the media servers of the world write them, line by line.

Pure: what was offered and what the server says of itself go in, text comes out. `tests/media/test_likeness.py`
compares each with what the real one wrote (`tests/support/servers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

CODECS = ("H264", "VP8", "OPUS", "PCMU")
"""What these servers take or fill a missing medium with, beside retransmissions."""


@dataclass(frozen=True)
class Local:
    """A server's own end of one session."""

    ufrag: str
    password: str
    fingerprint: str
    address: str
    port: int
    ssrcs: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Codec:
    """One format of an offer."""

    number: str
    rtpmap: str
    fmtp: str | None
    feedback: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.rtpmap.partition("/")[0].upper()


@dataclass(frozen=True)
class Section:
    """One medium of an offer, with what of it is answered."""

    kind: str
    mid: str
    codecs: tuple[Codec, ...]
    extensions: tuple[str, ...]
    direction: str

    def only(self, *names: str) -> Section:
        """With no other codecs; retransmissions are `RTX`."""
        return replace(self, codecs=tuple(c for c in self.codecs if c.name in names))

    def offers(self, *names: str) -> bool:
        return any(codec.name in names for codec in self.codecs)


def read_offer(offer: str) -> list[Section]:
    """The media of an offer, each to be answered in the other direction."""
    return [_section(text) for text in re.split(r"^(?=m=)", offer, flags=re.M)[1:]]


def _section(text: str) -> Section:
    lines = text.splitlines()
    kind, *_ = lines[0][2:].split()
    numbers = lines[0].split()[3:]
    found: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, _, value = line.removeprefix("a=").partition(":")
        found.setdefault(name, []).append(value)
    maps, fmtps = _by_number(found.get("rtpmap", [])), _by_number(found.get("fmtp", []))
    feedback = [value.split(" ", 1) for value in found.get("rtcp-fb", [])]
    codecs = tuple(
        Codec(n, maps[n], fmtps.get(n), tuple(what for number, what in feedback if number == n))
        for n in numbers
        if n in maps
    )
    answered = next(
        (a for o, a in {"sendonly": "recvonly", "recvonly": "sendonly"}.items() if o in found),
        "sendrecv",
    )
    mid = found.get("mid", [""])[0]
    return Section(kind, mid, codecs, tuple(found.get("extmap", [])), answered)


def _by_number(values: Iterable[str]) -> dict[str, str]:
    return dict(value.split(" ", 1) for value in values)


class Writer:
    """Writes an answer; each server has its own. `sections` are as they are answered: one without
    codecs is refused.
    """

    cname = "x"
    owner = "-"

    def __init__(self, sections: list[Section], local: Local) -> None:
        self._sections = sections
        self._local = local

    def text(self) -> str:
        lines = [*self.head(), *(line for s in self._sections for line in self.section(s))]
        return "".join(f"{line}\r\n" for line in lines)

    def head(self) -> Iterator[str]:
        raise NotImplementedError

    def section(self, section: Section) -> Iterator[str]:
        raise NotImplementedError

    def bundle(self) -> str:
        return " ".join(["BUNDLE", *(s.mid for s in self._sections if s.codecs)])

    def is_first(self, section: Section) -> bool:
        return section is self._sections[0]

    def media(self, section: Section) -> str:
        numbers = " ".join(codec.number for codec in section.codecs)
        return f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {numbers}"


class Pion(Writer):
    """Servers made with pion. A refused medium is `m=... 0 ... 0` without a mid, out of the bundle."""

    feedback: ClassVar[dict[str, tuple[str, ...]]] = {}
    """By kind, in this order; of each what was offered, but for what pion says by itself."""

    ends = True
    """Whether it says that there are no more candidates."""

    def head(self) -> Iterator[str]:
        yield from ("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=msid-semantic:WMS *")
        yield f"a=fingerprint:sha-256 {self._local.fingerprint}"
        yield f"a=group:{self.bundle()}"

    def section(self, section: Section) -> Iterator[str]:
        local = self._local
        if section.codecs:
            yield self.media(section)
            yield from ("c=IN IP4 0.0.0.0", "a=setup:active", f"a=mid:{section.mid}")
            yield from (f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}")
            yield from ("a=rtcp-mux", "a=rtcp-rsize", *self.codecs(section))
            yield from self.extensions(section)
            if section.direction != "recvonly":
                yield from self.stream(section.kind, local.ssrcs.get(section.kind, 1))
            yield f"a={section.direction}"
        else:
            yield f"m={section.kind} 0 UDP/TLS/RTP/SAVPF 0"
            yield "c=IN IP4 0.0.0.0"
        if self.is_first(section):
            yield from self.candidates()
            yield from ("a=end-of-candidates",) if self.ends else ()

    def codecs(self, section: Section) -> Iterator[str]:
        for codec in section.codecs:
            yield f"a=rtpmap:{codec.number} {codec.rtpmap}"
            if codec.fmtp:
                yield f"a=fmtp:{codec.number} {codec.fmtp}"
            if codec.name != "RTX":
                wanted = self.feedback[section.kind]
                yield from (f"a=rtcp-fb:{codec.number} {w}" for w in wanted if w in codec.feedback)

    def extensions(self, section: Section) -> Iterator[str]:
        return (f"a=extmap:{extension}" for extension in section.extensions)

    def stream(self, kind: str, ssrc: int) -> Iterator[str]:
        cname, label = self.cname, self.label(kind)
        yield f"a=ssrc:{ssrc} cname:{cname}"
        yield f"a=ssrc:{ssrc} msid:{cname} {label}"
        yield f"a=ssrc:{ssrc} mslabel:{cname}"
        yield f"a=ssrc:{ssrc} label:{label}"
        yield f"a=msid:{cname} {label}"

    def label(self, kind: str) -> str:
        return kind

    def candidates(self) -> Iterator[str]:
        """TCP too, where nobody listens: ICE takes what works."""
        address, port = self._local.address, self._local.port
        for component in (1, 2):
            yield f"a=candidate:1 {component} udp 2130706431 {address} {port} typ host"
        for component in (1, 2):
            end = "typ host tcptype passive"
            yield f"a=candidate:2 {component} tcp 1671430143 {address} {port} {end}"


class MediaMtx(Pion):
    cname = "mediamtx"
    feedback: ClassVar = {"video": ("nack", "nack pli", "transport-cc"), "audio": ("transport-cc",)}


class Go2Rtc(Pion):
    cname = "go2rtc"
    ends = False
    feedback: ClassVar = {
        "video": (
            *("goog-remb", "ccm fir", "nack", "nack pli"),
            *("nack", "nack pli", "transport-cc"),
        ),
        "audio": ("transport-cc",),
    }

    def label(self, kind: str) -> str:
        return f"go2rtc-{kind}"

    def candidates(self) -> Iterator[str]:
        local = self._local
        yield f"a=candidate:1 1 tcp 1671430142 {local.address} {local.port} typ host tcptype passive"
        yield f"a=candidate:2 1 udp 2130706429 {local.address} {local.port} typ host"
        yield f"a=candidate:2 1 udp 2130706431 {local.address} {local.port} typ host ufrag {local.ufrag}"


class LiveKit(Pion):
    feedback: ClassVar = {
        "video": ("nack", "nack pli", "ccm fir", "transport-cc"),
        "audio": ("nack",),
    }

    def extensions(self, section: Section) -> Iterator[str]:
        return super().extensions(section) if section.kind == "video" else iter(())

    def candidates(self) -> Iterator[str]:
        return (f"{line} ufrag {self._local.ufrag}" for line in super().candidates())


class Janus(Writer):
    """A refused medium keeps its transport: `m=... 9 ... 0`, `a=inactive`."""

    cname = "janus"
    name = "VideoRoom 1234"
    feedback = ("ccm fir", "nack", "nack pli", "goog-remb", "transport-cc")

    def head(self) -> Iterator[str]:
        yield from ("v=0", f"o=- 1 1 IN IP4 {self._local.address}", f"s={self.name}", "t=0 0")
        yield f"a=group:{self.bundle()}"
        yield "a=ice-options:trickle"
        yield f"a=fingerprint:sha-256 {self._local.fingerprint}"
        yield from ("a=extmap-allow-mixed", "a=msid-semantic: WMS *")

    def bundle(self) -> str:
        return " ".join(["BUNDLE", *(section.mid for section in self._sections)])

    def section(self, section: Section) -> Iterator[str]:
        local = self._local
        yield self.media(section) if section.codecs else f"m={section.kind} 9 UDP/TLS/RTP/SAVPF 0"
        yield f"c=IN IP4 {local.address}"
        yield f"a={section.direction if section.codecs else 'inactive'}"
        yield from (f"a=mid:{section.mid}", "a=rtcp-mux")
        yield from (f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}")
        yield from ("a=ice-options:trickle", "a=setup:active")
        yield from self.codecs(section)
        if section.codecs:
            yield f"a=msid:janus janus{section.mid}"
            yield f"a=ssrc:{local.ssrcs.get(section.kind, 1)} cname:janus"
        yield f"a=candidate:1 1 udp 2015363327 {local.address} {local.port} typ host"
        yield "a=end-of-candidates"

    def codecs(self, section: Section) -> Iterator[str]:
        for codec in section.codecs:
            if codec.name == "RTX":
                yield f"a=rtpmap:{codec.number} rtx/90000"
                yield f"a=fmtp:{codec.number} {codec.fmtp}"
                continue
            lower = section.kind == "audio"
            yield f"a=rtpmap:{codec.number} {codec.rtpmap.lower() if lower else codec.rtpmap}"
            yield from (f"a=rtcp-fb:{codec.number} {what}" for what in self.says(section))
            yield from self.extensions(section)
            if codec.fmtp:
                yield f"a=fmtp:{codec.number} {self.parameters(codec.fmtp)}"

    def parameters(self, fmtp: str) -> str:
        return fmtp

    def says(self, section: Section) -> tuple[str, ...]:
        return self.feedback if section.kind == "video" else ("transport-cc",)

    def extensions(self, section: Section) -> Iterator[str]:
        return (f"a=extmap:{extension}" for extension in section.extensions)


class JanusStreaming(Janus):
    """What its Streaming plugin answers to players."""

    name = "-"

    def parameters(self, fmtp: str) -> str:
        return ";".join(reversed(fmtp.split(";")))

    def says(self, section: Section) -> tuple[str, ...]:
        return self.feedback[:-1] if section.kind == "video" else ()

    def extensions(self, section: Section) -> Iterator[str]:
        return iter(())


class Oven(Writer):
    """OvenMediaEngine, which waits for DTLS."""

    feedback: ClassVar = {
        "video": ("transport-cc", "ccm fir", "nack pli"),
        "audio": ("transport-cc",),
    }

    def head(self) -> Iterator[str]:
        yield from ("v=0", "o=OvenMediaEngine 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0")
        yield f"a=group:{self.bundle()}"
        yield f"a=group:{self.bundle().replace('BUNDLE', 'LS')}"

    def section(self, section: Section) -> Iterator[str]:
        local = self._local
        yield self.media(section)
        yield from ("c=IN IP4 0.0.0.0", f"a={section.direction}", f"a=mid:{section.mid}")
        yield from ("a=setup:passive", f"a=fingerprint:sha-256 {local.fingerprint}")
        yield from (f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}")
        yield f"a=candidate:1 1 UDP 50 {local.address} {local.port} typ host"
        yield from ("a=end-of-candidates", "a=rtcp-mux")
        yield from (f"a=extmap:{extension}" for extension in section.extensions)
        for codec in section.codecs:
            yield f"a=rtpmap:{codec.number} {codec.rtpmap}"
            if codec.fmtp:
                yield f"a=fmtp:{codec.number} {codec.fmtp}"
            yield from (f"a=rtcp-fb:{codec.number} {what}" for what in self.feedback[section.kind])
