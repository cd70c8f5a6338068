"""Short-lived media tokens: a JWT a room, meeting and direction, and the JWKS by which servers check them.

The claim is MediaMTX's (`authMethod: jwt`): https://mediamtx.org/docs/usage/authentication
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from agent.conductor.core.model.orders import CallOrder, JoinOrder, Order
from agent.core.model.commands import Source
from agent.errors import ConfigError
from agent.files import replace_file

ALGORITHM = "ES256"
CLOCK_LEEWAY_SECONDS = 300
"""The media server's clock may be so far behind."""

_ENDPOINT = re.compile(r"/(whip|whep)/?$")
MAX_KEPT = 20_000
"""Tokens that are kept to be given again; beyond that all are forgotten and made anew."""


class _Grant(NamedTuple):
    subject: str
    action: Literal["publish", "read"]
    paths: tuple[str, ...]


class Tokens:
    """Signs with the key in `file`, made if need be; a token is good for `seconds`. One thread's."""

    def __init__(self, file: Path, seconds: float) -> None:
        self._key = _load(file)
        self._seconds = seconds
        self._kept: dict[_Grant, tuple[float, str]] = {}

    def jwks(self) -> bytes:
        """The public key, as servers want it."""
        return msgspec.json.encode({"keys": [self._key.as_dict(private=False)]})

    def fill(self, room: str, order: Order, now: float) -> Order:
        """A join with the tokens that this room needs for it; any other order as it is."""
        if not isinstance(order, JoinOrder | CallOrder):
            return order
        url = order.publish.url
        publish = msgspec.structs.replace(order.publish, token=self._publish(room, url, now))
        token = self.read(room, [source.url for source in order.play], now)
        play = [Source(source.url, token, source.label) for source in order.play]
        return msgspec.structs.replace(order, publish=publish, play=play)

    def _publish(self, room: str, url: str, now: float) -> str:
        return self._token(_Grant(room, "publish", (path_of(url),)), now)

    def read(self, subject: str, urls: list[str], now: float) -> str | None:
        """A token for playing exactly these."""
        if not urls:
            return None
        return self._token(_Grant(subject, "read", tuple(sorted(map(path_of, urls)))), now)

    def _token(self, grant: _Grant, now: float) -> str:
        """One that is fresh enough to last until the next join brings new ones."""
        kept = self._kept.get(grant)
        if kept is not None and now - kept[0] < self._seconds / 8:
            return kept[1]
        claims = {
            "sub": grant.subject,
            "iat": int(now),
            "nbf": int(now) - CLOCK_LEEWAY_SECONDS,
            "exp": int(now + self._seconds),
            "mediamtx_permissions": [
                {"action": grant.action, "path": path} for path in grant.paths
            ],
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        token = jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[grant] = (now, token)
        return token


def path_of(url: str) -> str:
    """The media server's name of the stream behind a WHIP or WHEP address."""
    return _ENDPOINT.sub("", urlsplit(url).path).strip("/")


def _load(file: Path) -> ECKey:
    try:
        if file.exists():
            return ECKey.import_key(
                msgspec.json.decode(file.read_bytes(), type=dict[str, str | list[str]])
            )
        key = ECKey.generate_key("P-256", auto_kid=True)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(file, msgspec.json.encode(key.as_dict(private=True)), 0o600)
        return key
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        text = f"{file}: cannot be used as the media tokens' key: {error}"
        raise ConfigError([text]) from error
