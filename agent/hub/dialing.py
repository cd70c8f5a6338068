"""From the hub's name to an open socket: within one deadline, however many addresses are dead.

Addresses are tried side by side, a new one every half second or sooner, where there are many (RFC 8305); an HTTP proxy is asked by CONNECT
(RFC 9110, 9.3.6).
"""

from __future__ import annotations

import base64
import errno
import os
import queue
import selectors
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from agent.errors import HubError

STAGGER_SECONDS = 0.5
LATEST_SHARE = 0.5
"""Of the deadline: by then the last address is tried too, however many there are."""

MOST_ADDRESSES = 100
"""Of one name: each takes an open file until it answers."""

RECEIVE_BUFFER_BYTES = 64 * 1024
"""What the kernel takes for us while we don't read: a flood is to wait at the hub and not in here."""

MAX_PROXY_ANSWER_BYTES = 16 * 1024

Address = tuple[socket.AddressFamily, tuple[object, ...]]


def dial(host: str, port: int, seconds: float, proxy: str | None = None) -> socket.socket:
    """A connected socket, with `seconds` as its timeout. Raises OSError, HubError."""
    deadline = time.monotonic() + seconds
    if proxy is None:
        sock = _connect(host, port, deadline)
    else:
        parts = urlsplit(proxy)
        sock = _connect(parts.hostname or "", parts.port or 3128, deadline)
        try:
            _ask_proxy(
                sock, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", proxy, deadline
            )
        except BaseException:
            sock.close()
            raise
    sock.settimeout(seconds)
    # Nagle and delayed ACKs make 88 ms of a round trip of 0.4 ms (failures row 31).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _connect(host: str, port: int, deadline: float) -> socket.socket:
    """The first of the name's addresses that answers."""
    pending = _resolve(host.strip("[]"), port, deadline)[:MOST_ADDRESSES]
    left = max(0.0, deadline - time.monotonic())
    stagger = min(STAGGER_SECONDS, LATEST_SHARE * left / max(1, len(pending)))
    error: OSError = TimeoutError(f"{host} does not answer")
    with selectors.DefaultSelector() as selector:
        next_at = 0.0
        try:
            while pending or selector.get_map():
                now = time.monotonic()
                if now >= deadline:
                    raise TimeoutError(f"{host} does not answer")
                if pending and (now >= next_at or not selector.get_map()):
                    error = _begin(selector, *pending.pop(0)) or error
                    next_at = now + stagger
                until = min(deadline, next_at) if pending else deadline
                for key, _ in selector.select(max(0.0, until - time.monotonic())):
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    selector.unregister(sock)
                    failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not failed:
                        return sock
                    error = _os_error(failed)
                    sock.close()
        finally:
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
    raise error


def _begin(selector: selectors.BaseSelector, family: int, address: object) -> OSError | None:
    """Start connecting; an error that shows at once."""
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return error
    sock.setblocking(False)
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    code = sock.connect_ex(address)  # type: ignore[arg-type]
    if code not in (0, errno.EINPROGRESS):
        sock.close()
        return _os_error(code)
    selector.register(sock, selectors.EVENT_WRITE)
    return None


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _resolve(host: str, port: int, deadline: float) -> list[tuple[int, object]]:
    """The name's addresses; the resolver has no deadline of its own, so another thread asks it."""
    answers: queue.SimpleQueue[list[tuple[int, object]] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(family, address) for family, _, _, _, address in found])
        except OSError as error:
            answers.put(error)
        except UnicodeError:  # a label too long, or empty
            answers.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))

    threading.Thread(target=ask, name="hub-resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise socket.gaierror(socket.EAI_AGAIN, "the resolver does not answer") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _ask_proxy(sock: socket.socket, target: str, proxy: str, deadline: float) -> None:
    """Let the proxy connect us with the target. Raises HubError `proxy-refused`, OSError."""
    parts = urlsplit(proxy)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    sock.settimeout(max(0.1, deadline - time.monotonic()))
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n") and len(answer) < MAX_PROXY_ANSWER_BYTES:
        sock.settimeout(max(0.1, deadline - time.monotonic()))
        byte = sock.recv(1)  # what follows is the hub's own first word
        if not byte:
            break
        answer += byte
    status = answer.partition(b"\r\n")[0].decode("latin-1")
    if status.split(" ")[1:2] != ["200"]:
        shown = status[:80] if status.isprintable() and status else "nothing that is HTTP"
        text = f"the proxy {parts.hostname}:{parts.port} does not let us through: it said {shown}; check hub.proxy"
        raise HubError("proxy-refused", text)
