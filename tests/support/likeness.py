"""How the media servers of the world behave, for the test server to be like one of them.

What each answers is compared with what the real one did in `tests/media/test_likeness.py`; the
transcripts are in `tests/support/servers`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from tests.support import answers
from tests.support.answers import Local, Section, Writer


@dataclass(frozen=True)
class Said:
    """A response without an SDP."""

    status: int
    text: str = ""
    content_type: str = "text/plain"


class Likeness:
    """This is of no other server: RFC 9725 and the WHEP draft in their plainest form."""

    whip_url, whep_url = "/NAME/whip", "/NAME/whep"
    """`whep_url` is empty where a server lets nobody play."""

    session_url = "/session/ID"
    """Relative to the request, as its `Location` says it."""

    restarts_ice = False
    """Whether a PATCH has it find another way for the same session."""

    names_players = True
    """Whether a player gets a `Location`."""

    outlives_publisher = False
    """Whether players stay when the source goes: they hear its RTCP then, and nothing else ever."""

    replaces = True
    """Whether who publishes a name that is taken throws the one before out."""

    dead_publisher_seconds: float | None = 0.0
    """After these a publisher that died holds its name no longer; None: only DELETE ends that."""

    waits_for_dtls = False
    feedback_of = ("video", "audio")
    """The media whose packets it tells the arrival of: what else is numbered, it says is lost."""

    absent: Said | None = Said(404, "nobody publishes this")
    """To who plays a name that nobody publishes; None: it is taken, and silent."""

    taken = Said(409)
    gone = Said(404)
    ended = Said(200)

    def counters(self, name: str) -> int | None:
        """The status with which it answers a player by an offer of its own; None: it takes theirs."""
        return None

    # --- requests

    def whip(self, name: str) -> str:
        return self.whip_url.replace("NAME", name)

    def whep(self, name: str) -> str:
        return self.whep_url.replace("NAME", name)

    def asked(self, path_and_query: str) -> tuple[str, str] | None:
        """`whip` or `whep`, and the name; None where there is no such endpoint."""
        for kind, pattern in (("whip", self.whip_url), ("whep", self.whep_url)):
            wanted = re.escape(pattern).replace("NAME", "([^&?/]+)")
            asked = path_and_query if "?" in pattern else path_and_query.partition("?")[0]
            if pattern and (found := re.fullmatch(wanted, asked)):
                return kind, found.group(1)
        return None

    def location(self, kind: str, name: str, session: str) -> str | None:
        if kind == "whep" and not self.names_players:
            return None
        url = self.session_url.replace("NAME", name).replace("KIND", kind)
        return url.replace("ID", session)

    def session(self, path_and_query: str) -> str | None:
        """The session that a DELETE or PATCH is about."""
        found = re.search(r"([0-9a-f]{32})", path_and_query)
        return found.group(1) if found else None

    # --- responses

    def forbidden(self, kind: str, token: str) -> Said:
        return Said(401)

    def headers(self, session: str) -> dict[str, str]:
        """Beside `Location` and `Content-Type`."""
        return {}

    def refusal(self, sections: list[Section], kinds: set[str]) -> Said | None:
        """To an offer to play a source that has these kinds; None: it is taken."""
        return None

    def writer(self, kind: str) -> type[Writer] | None:
        """None: as aiortc writes it."""
        return None

    def answered(self, kind: str, section: Section, kinds: set[str]) -> Section:
        """What of an offered section is answered; `kinds` is what the source has, all for `whip`."""
        return section if section.kind in kinds else replace(section, codecs=())

    def answer(self, kind: str, offer: str, kinds: set[str], local: Local) -> str | None:
        """The SDP; None: as aiortc writes it."""
        writer = self.writer(kind)
        if writer is None:
            return None
        sections = [self.answered(kind, one, kinds) for one in answers.read_offer(offer)]
        return writer(sections, local).text()


class MediaMtx(Likeness):
    whip_url, whep_url = "/m/NAME/whip", "/m/NAME/whep"
    session_url = "/m/NAME/KIND/ID"
    gone = Said(404, '{"status":"error","error":"session not found"}', "application/json")
    ended = Said(200, '{"status":"ok"}', "application/json")

    @property
    def absent(self) -> Said:  # type: ignore[override]
        return self._error(404, "no stream is available on path 'm/dat-mui'")

    def forbidden(self, kind: str, token: str) -> Said:
        return self._error(401, "authentication error")

    def headers(self, session: str) -> dict[str, str]:
        return {
            "Accept-Patch": "application/trickle-ice-sdpfrag",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "ETag, ID, Accept-Patch, Link, Location",
            "Etag": "*",
            "Id": session,
        }

    def refusal(self, sections: list[Section], kinds: set[str]) -> Said | None:
        """It fills a missing sound with a stand-in of PCMU, in which nothing ever comes."""
        sound = next((section for section in sections if section.kind == "audio"), None)
        if "audio" not in kinds and not (sound and sound.offers("PCMU")):
            return self._error(400, "codecs not supported by client")
        return None

    def writer(self, kind: str) -> type[Writer]:
        return answers.MediaMtx

    def answered(self, kind: str, section: Section, kinds: set[str]) -> Section:
        wanted = {"video": "H264", "audio": "OPUS"}[section.kind]
        if section.kind in kinds:
            return section.only(wanted)
        if section.kind == "audio":
            return section.only("PCMU")
        return replace(section.only("VP8"), direction="inactive")

    @staticmethod
    def _error(status: int, text: str) -> Said:
        said = json.dumps({"status": "error", "error": text}, separators=(",", ":"))
        return Said(status, said, "application/json")


class Go2Rtc(Likeness):
    whip_url, whep_url = "/api/webrtc?dst=NAME", "/api/webrtc?src=NAME"
    session_url = "webrtc?id=ID"
    names_players = False
    outlives_publisher = True
    absent = Said(500, "streams: unknown error")

    def writer(self, kind: str) -> type[Writer]:
        return answers.Go2Rtc

    def answered(self, kind: str, section: Section, kinds: set[str]) -> Section:
        wanted = section.only({"video": "H264", "audio": "OPUS"}[section.kind])
        return wanted if section.kind in kinds else replace(wanted, direction="inactive")


class Janus(Likeness):
    whip_url, whep_url = "/whip/endpoint/NAME", "/whep/endpoint/NAME"
    session_url = "/KIND/resource/ID"
    outlives_publisher = True
    replaces = False
    dead_publisher_seconds = None
    absent = None
    taken = Said(403, "Endpoint ID already in use", "text/html")
    gone = Said(404, "Invalid resource ID", "text/html")
    ended = Said(200, "OK")

    def counters(self, name: str) -> int | None:
        """Its VideoRoom by 406, as `vr-lung-cu` in the transcripts, and Debian's version by 201."""
        return {"vr": 406, "old": 201}.get(name.partition("-")[0])

    def forbidden(self, kind: str, token: str) -> Said:
        return Said(403, "Unauthorized", "text/html")

    def headers(self, session: str) -> dict[str, str]:
        return {
            "X-Powered-By": "Express",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Location, Link",
            "Accept-Patch": "application/trickle-ice-sdpfrag",
            "ETag": f'"{session[:16]}"',
        }

    def writer(self, kind: str) -> type[Writer]:
        return answers.Janus if kind == "whip" else answers.JanusStreaming

    def answered(self, kind: str, section: Section, kinds: set[str]) -> Section:
        wanted = {"video": "H264", "audio": "OPUS"}[section.kind]
        left = section.only(wanted, "RTX")
        return left if section.kind in kinds else replace(left, codecs=())


class LiveKit(Likeness):
    whip_url, whep_url = "/whip/NAME", ""
    session_url = "/whip/NAME/PA_ID"
    feedback_of = ("video",)
    absent = Said(404)

    def forbidden(self, kind: str, token: str) -> Said:
        """It repeats the token."""
        why = "go-jose/go-jose: error in cryptographic primitive"
        return Said(401, f"invalid token: {token}, error: {why}")

    def headers(self, session: str) -> dict[str, str]:
        return {
            "Etag": session[:16],
            "Link": '<stun:127.0.0.1:9>; rel="ice-server"',
            "Vary": "Origin",
        }

    def writer(self, kind: str) -> type[Writer]:
        return answers.LiveKit

    def answered(self, kind: str, section: Section, kinds: set[str]) -> Section:
        return section.only("H264", "RTX") if section.kind == "video" else section.only("OPUS")


class Oven(Likeness):
    whip_url, whep_url = "/app/NAME?direction=whip", ""
    session_url = "/app/NAME/ID?direction=KIND"
    replaces = False
    dead_publisher_seconds = 32.0
    waits_for_dtls = True
    absent = Said(404, "", "text/html")
    taken = Said(409, "Stream is already exist")
    ended = Said(200, "", "text/html")

    def headers(self, session: str) -> dict[str, str]:
        return {
            "ETag": session[:8],
            "Access-Control-Expose-Headers": "Location, Link, ETag",
            "Access-Control-Allow-Headers": "*",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
            "Access-Control-Allow-Origin": "*",
            "Server": "OvenMediaEngine",
        }

    def writer(self, kind: str) -> type[Writer]:
        return answers.Oven

    def answered(self, kind: str, section: Section, kinds: set[str]) -> Section:
        return section.only({"video": "H264", "audio": "OPUS"}[section.kind])


class Restarting(Likeness):
    """RFC 9725 with all that it leaves to servers."""

    restarts_ice = True

    def headers(self, session: str) -> dict[str, str]:
        return {"ETag": f'"{session[:16]}"', "Accept-Patch": "application/trickle-ice-sdpfrag"}


LIKENESSES: dict[str, Likeness] = {
    "plain": Likeness(),
    "mediamtx": MediaMtx(),
    "go2rtc": Go2Rtc(),
    "janus": Janus(),
    "livekit": LiveKit(),
    "ome": Oven(),
    "restarting": Restarting(),
}
