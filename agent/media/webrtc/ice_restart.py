"""ICE anew within a session that has lost its way (RFC 9725, 4.3.2): other credentials, other checks, the same media.

Nobody sees the room go and come back, as they do with another session. Few servers take it: those that do not are
told nothing that would harm the session that there is.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, NamedTuple

from agent.media.webrtc.answer import LEAST_PASSWORD_LETTERS, LEAST_UFRAG_LETTERS
from agent.media.webrtc.trickle import MOST_CANDIDATES, fragment

STREAM = COMPONENT = 1
"""Of libnice: all media of a session are in one bundle, with RTP and RTCP together."""


class Credentials(NamedTuple):
    """Of one end (RFC 8839, 5.4)."""

    user: str
    password: str


class Restarted(NamedTuple):
    """What the server says to a restart; `candidates` as they stand behind `a=`."""

    credentials: Credentials
    candidates: list[str]


def new_credentials() -> Credentials:
    return Credentials(secrets.token_hex(4), secrets.token_hex(16))


def asking(offer: str, credentials: Credentials, candidates: list[str]) -> str:
    """The fragment that asks for a restart of the session that this offer began."""
    offer = re.sub(r"^a=ice-ufrag:\S+", f"a=ice-ufrag:{credentials.user}", offer, flags=re.M)
    offer = re.sub(r"^a=ice-pwd:\S+", f"a=ice-pwd:{credentials.password}", offer, flags=re.M)
    return fragment(offer, candidates)


def answered(told: str, before: str) -> Restarted | None:
    """The server's fragment; None where it has no credentials, or those of the answer `before`: nothing was restarted."""
    user, password = (
        re.search(rf"^a=ice-{name}:([\w+/-]{{{least},256}})\s*$", told, flags=re.M)
        for name, least in (("ufrag", LEAST_UFRAG_LETTERS), ("pwd", LEAST_PASSWORD_LETTERS))
    )
    if not user or not password or f"a=ice-ufrag:{user[1]}" in before.split():
        return None
    candidates = re.findall(r"^a=(candidate:[^\r\n]{1,300})", told, flags=re.M)
    return Restarted(Credentials(user[1], password[1]), candidates[:MOST_CANDIDATES])


def local_candidates(agent: Any) -> list[str]:
    """As they stand behind `a=`: the sockets of a session stay through a restart."""
    found = agent.get_local_candidates(STREAM, COMPONENT)
    return [agent.generate_local_candidate_sdp(one).removeprefix("a=") for one in found]


def restart(agent: Any, ours: Credentials, theirs: Restarted) -> bool:
    """Have this libnice agent check anew. Whether it took all of it."""
    found = (agent.parse_remote_candidate_sdp(STREAM, f"a={one}") for one in theirs.candidates)
    candidates = [one for one in found if one]
    return bool(
        candidates
        and agent.restart_stream(STREAM)
        and agent.set_local_credentials(STREAM, *ours)
        and agent.set_remote_credentials(STREAM, *theirs.credentials)
        and agent.set_remote_candidates(STREAM, COMPONENT, candidates) > 0
    )
