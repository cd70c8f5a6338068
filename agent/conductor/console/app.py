"""What the page may ask: login, the stream of changes, acts, minutes, tokens for pictures, the JWKS.

Everything that changes something needs the session's cookie, its CSRF word and our own origin.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from agent.conductor.board import Board, Change
from agent.conductor.console.accounts import NAME, Accounts
from agent.conductor.console.logins import Login, Logins, network_of
from agent.conductor.console.strangers import Strangers
from agent.conductor.core.minutes_pages import markdown
from agent.conductor.core.model.acts import Act
from agent.conductor.core.refused import Refused
from agent.conductor.requests import (
    MAX_NUMBER,
    Answer,
    Asked,
    Audited,
    ErrorAnswer,
    ListMeetings,
    Question,
    ShowAudit,
    ShowDay,
    ShowMinutes,
    ShowRooms,
    decode,
)
from agent.conductor.settings import Console
from agent.conductor.tokens import Tokens
from agent.core.model.tag import tag_of
from agent.locale import sayer

STATIC = Path(__file__).parent / "static"
COOKIE = "diemcau"
MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
BEAT_SECONDS = 5.0
"""The stream says so often that it lives; a page that hears nothing for 12 s says that it is lost."""

MAX_BEHIND = 200
"""Changes that a browser may be behind; beyond that its stream ends, and it gets all anew."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
VIEW = (ListMeetings, ShowDay, ShowMinutes, ShowRooms)


class Page:
    """The ASGI application's parts. `post` puts into the conductor's inbox."""

    def __init__(
        self,
        settings: Console,
        accounts: Accounts,
        board: Board,
        post: Callable[[Asked | Audited], None],
        tokens: Tokens | None,
    ) -> None:
        self.settings = settings
        self._accounts = accounts
        self._board = board
        self._post = post
        self._tokens = tokens
        self._logins = Logins(settings.session_seconds)
        self._streams: set[asyncio.Queue[Change | None]] = set()
        self._strangers = Strangers(post)
        self._hashing = asyncio.Lock()

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/jwks.json", self._jwks),
                Route("/login", self._login, methods=["POST"]),
                Route("/logout", self._logout, methods=["POST"]),
                Route("/api/me", self._me),
                Route("/api/events", self._events),
                Route("/api/act", self._act, methods=["POST"]),
                Route("/api/view", self._view, methods=["POST"]),
                Route("/api/minutes/{number:int}", self._minutes),
                Mount("/static", StaticFiles(directory=STATIC)),
            ]
        )

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hear the board from now on, in this event loop."""

        def hear(change: Change) -> None:
            loop.call_soon_threadsafe(self._spread, change)

        self._board.watch(hear)

    def end(self) -> None:
        """Streams end, so that the server can."""
        for stream in list(self._streams):
            stream.put_nowait(None)

    def _spread(self, change: Change) -> None:
        for stream in list(self._streams):
            if stream.qsize() >= MAX_BEHIND:
                self._streams.discard(stream)
                stream.put_nowait(None)
            else:
                stream.put_nowait(change)

    # --- who it is -----------------------------------------------------------------------------------

    def _login_of(self, request: Request, *, used: bool = True) -> Login | None:
        """Whose session it is, as long as the account is there and has the same password. `used`: it lasts longer for that."""
        cookie, now = request.cookies.get(COOKIE, ""), time.monotonic()
        login = self._logins.find(cookie, now, used=used)
        if login is not None and login.proof != self._accounts.proof_of(login.name):
            self._logins.end(cookie)
            return None
        return login

    def _permitted(self, request: Request) -> Login | Response:
        """Who asks for a change, or why not."""
        login = self._login_of(request)
        if login is None:
            return _error(401, "not-logged-in", "log in first")
        if not self._own_origin(request) or request.headers.get("x-csrf") != login.csrf:
            self._post(Audited(login.name, request.url.path, "foreign-origin"))
            return _error(403, "foreign-origin", "this did not come from the page")
        return login

    def _own_origin(self, request: Request) -> bool:
        """Whether a page of ours sent it: browsers say where a POST is from. Without TLS only this machine's own names
        count, for a stranger's name may lead to it, too.
        """
        host = request.headers.get("host", "")
        ours = self.settings.certificate is not None or _name_of(host) in LOOPBACK
        return ours and host != "" and _place_of(request.headers.get("origin", "")) == host

    async def _login(self, request: Request) -> Response:
        if not self._own_origin(request):
            self._strangers.tell(Audited("?", "login", "foreign-origin"), time.monotonic())
            return _error(403, "foreign-origin", "this did not come from the page")
        try:
            given = msgspec.json.decode(await _body(request), type=dict[str, str])
            name, password = given["name"], given["password"]
        except (msgspec.MsgspecError, KeyError, ValueError):
            return _error(400, "bad-request", "name and password are wanted")
        if not NAME.match(name):
            name = "?"  # nobody has it, and it may be made to look like a line of the audit
        client = request.client.host if request.client else "?"
        what, who = f"login from {client}", (f"name {name}", f"address {network_of(client)}")
        # one at a time: of many at once each is judged by those before it
        async with self._hashing:
            if (wait := self._logins.wait_seconds(time.monotonic(), *who)) > 0:
                self._strangers.tell(Audited(name, what, "too-often"), time.monotonic())
                return _error(429, "too-often", f"wait {wait:.0f} s")
            role = await asyncio.to_thread(self._accounts.role_of, name, password)
            if role is None:
                self._logins.failed(time.monotonic(), *who)
            else:
                self._logins.succeeded(*who)
        if role is None:
            self._strangers.tell(Audited(name, what, "wrong-password"), time.monotonic())
            return _error(401, "wrong-password", "name or password is wrong")
        self._post(Audited(name, what, "done"))
        proof = self._accounts.proof_of(name)
        cookie, login = self._logins.begin(name, proof, time.monotonic())
        response = JSONResponse({"name": name, "role": role, "csrf": login.csrf})
        secure = self.settings.certificate is not None
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure)
        return response

    async def _logout(self, request: Request) -> Response:
        login = self._permitted(request)
        if isinstance(login, Response):
            return login
        self._logins.end(request.cookies.get(COOKIE, ""))
        return JSONResponse({})

    async def _me(self, request: Request) -> Response:
        login = self._login_of(request)
        role = self._accounts.role_now(login.name) if login else None
        if login is None or role is None:
            return _error(401, "not-logged-in", "log in first")
        return JSONResponse({"name": login.name, "role": role, "csrf": login.csrf})

    # --- what there is to see ------------------------------------------------------------------------

    async def _index(self, request: Request) -> Response:
        return Response((STATIC / "index.html").read_bytes(), media_type="text/html")

    async def _jwks(self, request: Request) -> Response:
        keys = self._tokens.jwks() if self._tokens else b'{"keys":[]}'
        return Response(keys, media_type="application/json")

    async def _events(self, request: Request) -> Response:
        if self._login_of(request) is None:
            return _error(401, "not-logged-in", "log in first")
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    async def _stream(self, request: Request) -> AsyncIterator[bytes]:
        changes: asyncio.Queue[Change | None] = asyncio.Queue()
        self._streams.add(changes)
        try:
            yield _event(self._board.everything())
            while True:
                said = b"event: beat\ndata: {}\n\n"
                with suppress(TimeoutError):
                    change = await asyncio.wait_for(changes.get(), BEAT_SECONDS)
                    if change is None:
                        return
                    said = _event(change)
                if self._login_of(request, used=False) is None:
                    return  # nothing of what came after the logout
                yield said
        finally:
            self._streams.discard(changes)

    async def _view(self, request: Request) -> Response:
        """A token for these pictures, for whoever may see them."""
        login = self._permitted(request)
        if isinstance(login, Response):
            return login
        try:
            urls = msgspec.json.decode(await _body(request), type=list[str])
        except (msgspec.MsgspecError, ValueError):
            return _error(400, "bad-request", "a list of addresses is wanted")
        shown = {one.picture_url for one in self._board.everything().rooms}
        wanted = [url for url in urls[:20] if url in shown]
        token = (
            self._tokens.read(f"console {login.name}", wanted, time.time())
            if self._tokens
            else None
        )
        return JSONResponse({"token": token})

    async def _minutes(self, request: Request) -> Response:
        login = self._login_of(request)
        if login is None:
            return _error(401, "not-logged-in", "log in first")
        number = min(request.path_params["number"], MAX_NUMBER)
        answer = await self._ask(ShowMinutes(number=number), login.name)
        if isinstance(answer, ErrorAnswer) or answer.minutes is None:
            return _error(404, "no-such-meeting", "there was no such meeting")
        say = sayer(request.query_params.get("language", "vi"))
        text = markdown(answer.minutes, answer.names or {}, say)
        return Response(text, media_type="text/markdown; charset=utf-8")

    # --- what can be done ----------------------------------------------------------------------------

    async def _act(self, request: Request) -> Response:
        login = self._permitted(request)
        if isinstance(login, Response):
            return login
        try:
            asked = decode(await _body(request))
        except (Refused, ValueError) as error:
            return _error(400, "bad-request", str(error))
        role = self._accounts.role_now(login.name)
        if role != "operator" and not isinstance(asked, VIEW):
            kind = tag_of(asked)
            meeting = "" if isinstance(asked, ShowAudit) else asked.meeting
            self._post(Audited(login.name, f"{kind} {meeting}", "not-permitted"))
            return _error(403, "not-permitted", "a viewer may look and not act")
        answer = await self._ask(asked, login.name)
        if isinstance(answer, ErrorAnswer):
            return _error(409, answer.code, answer.text)
        return Response(msgspec.json.encode(answer), media_type="application/json")

    async def _ask(self, asked: Act | Question, name: str) -> Answer | ErrorAnswer:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer | ErrorAnswer] = loop.create_future()

        def settle(answer: Answer | ErrorAnswer) -> None:
            if not future.done():
                future.set_result(answer)

        def reply(answer: Answer | ErrorAnswer) -> None:
            loop.call_soon_threadsafe(settle, answer)

        self._post(Asked(asked, name, reply))
        try:
            return await asyncio.wait_for(future, 10.0)
        except TimeoutError:
            return ErrorAnswer("no-answer", "the conductor did not answer")


def _event(change: Change) -> bytes:
    return b"event: change\ndata: " + msgspec.json.encode(change) + b"\n\n"


async def _body(request: Request) -> bytes:
    """Raises ValueError if it is too long, or does not come."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ValueError("too long")
    except (TimeoutError, ClientDisconnect) as error:
        raise ValueError("it did not come") from error
    return body


def _error(status: int, code: str, text: str) -> JSONResponse:
    return JSONResponse({"code": code, "text": text}, status_code=status)


def _place_of(origin: str) -> str:
    """`host:port` of `scheme://host:port`."""
    return origin.partition("://")[2]


def _name_of(host: str) -> str:
    """Without the port."""
    return host if host.endswith("]") else host.rpartition(":")[0] or host
