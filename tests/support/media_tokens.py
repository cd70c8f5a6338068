"""What a media server does with `authMethod: jwt` (MediaMTX): a token is good for its actions and paths, until it ends.

https://mediamtx.org/docs/usage/authentication: ES256, RS256 or EdDSA by a key of the JWKS, the claim
`mediamtx_permissions` with actions and paths; an empty path is any, `~` begins a regular expression.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import Any

ALGORITHMS = ["ES256", "RS256", "EdDSA"]
ACTIONS = {"whip": "publish", "whep": "read"}
FETCH_SECONDS = 5.0


class TokenCheck:
    """`jwks_url` is asked when a token comes that no known key has signed."""

    def __init__(self, jwks_url: str) -> None:
        self._url = jwks_url
        self._keys: Any = None

    def refusal(self, kind: str, name: str, token: str) -> str:
        """Why this token is not good for it; empty if it is."""
        from joserfc.errors import JoseError

        if not token:
            return "no token"
        try:
            claims = self._claims(token)
        except (JoseError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        now = time.time()
        if not claims.get("nbf", 0) <= now < claims.get("exp", float("inf")):
            return "it has ended, or is not good yet"
        for permission in claims.get("mediamtx_permissions", []):
            path = permission.get("path", "")
            whole = path[1:] if path.startswith("~") else re.escape(path)
            if permission["action"] == ACTIONS[kind] and (not path or re.fullmatch(whole, name)):
                return ""
        return f"not for {ACTIONS[kind]} of {name}"

    def _claims(self, token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        for fresh in (False, True):
            if self._keys is None or fresh:
                with urllib.request.urlopen(self._url, timeout=FETCH_SECONDS) as answer:
                    self._keys = KeySet.import_key_set(json.load(answer))
            try:
                return jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
            except JoseError:
                if fresh:
                    raise
        raise AssertionError("unreachable")
