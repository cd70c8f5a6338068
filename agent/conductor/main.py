"""Puts the conductor together from its settings and runs it: its composition root."""

from __future__ import annotations

import argparse
import getpass
import logging
import queue
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from agent.conductor.board import Board
from agent.conductor.console.accounts import ACCOUNTS, ROLES, Accounts
from agent.conductor.control import ControlSocket
from agent.conductor.core.conductor import Conductor
from agent.conductor.core.model.profile import Profile
from agent.conductor.link import ConductorLink
from agent.conductor.loop import Inbox, Loop, Outside, Stop
from agent.conductor.settings import DEFAULT_PATH, HubSettings, load
from agent.conductor.store.journal import Journal
from agent.conductor.tokens import Tokens
from agent.conductor.wire import HubTopics
from agent.errors import AgentError, ConfigError
from agent.hub.signature import Signatures, read_signer
from agent.runtime import logs
from agent.runtime.clock import SystemClock
from agent.runtime.systemd import Notifier

EXIT_CANNOT_START = 1
EXIT_BAD_SETTINGS = 2
TOKENS = "tokens.jwk"
"""The key of the media tokens."""

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """`diemcau-conductor`: run until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="diemcau-conductor", description="The hub's program: runs meetings of many rooms."
    )
    parser.add_argument("--config", type=Path, default=DEFAULT_PATH, help="the settings file")
    parser.add_argument(
        "--account",
        metavar="NAME",
        help="make an account for the page, or change its password, and end",
    )
    parser.add_argument("--role", choices=ROLES, default="operator", help="what it may do")
    parser.add_argument("--remove", action="store_true", help="remove the account instead")
    given = parser.parse_args(arguments)
    path: Path = given.config
    try:
        # Whoever makes an account need not read the service's keys, which only root may.
        settings = load(path, check_files=not given.account)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return EXIT_BAD_SETTINGS
    if given.account:
        return _change_account(settings, given.account, None if given.remove else given.role)
    logs.configure(settings.conductor.name)
    try:
        with ExitStack() as stack:
            _serve(settings, stack)
    except AgentError as error:
        log.critical("%s", error)
        return EXIT_CANNOT_START
    return 0


def _change_account(settings: HubSettings, name: str, role: str | None) -> int:
    """None: it is removed. The password comes from the terminal, or from standard input for scripts."""
    accounts = Accounts(Path(settings.conductor.path) / ACCOUNTS)
    try:
        if role is None:
            accounts.remove(name)
        else:
            terminal = sys.stdin.isatty()
            password = getpass.getpass() if terminal else sys.stdin.readline().rstrip("\n")
            accounts.keep(name, password, role)
    except AgentError as error:
        print(error.text, file=sys.stderr)
        return EXIT_CANNOT_START
    except OSError as error:
        print(f"{accounts.file}: {error.strerror}", file=sys.stderr)
        return EXIT_CANNOT_START
    return 0


def _heed_signals(inbox: Inbox) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: inbox.put(Stop()))


def _open_page(settings: HubSettings, board: Board, inbox: Inbox, stack: ExitStack) -> None:
    """The operators' page, where the settings want one."""
    if settings.console is None:
        return
    from agent.conductor.console.app import Page
    from agent.conductor.console.server import ConsoleServer

    folder, media = Path(settings.conductor.path), settings.media
    tokens = Tokens(folder / TOKENS, media.token_seconds) if media.tokens else None
    page = Page(settings.console, Accounts(folder / ACCOUNTS), board, inbox.put, tokens)
    console = ConsoleServer(page, media.play_url)
    stack.callback(console.close)
    console.start()


def _serve(settings: HubSettings, stack: ExitStack) -> None:
    """Start in order, run the loop, stop in the reverse order."""
    inbox: Inbox = queue.SimpleQueue()
    control = ControlSocket(Path(settings.conductor.socket), inbox.put)
    stack.callback(control.close)
    control.start()  # before all else: a second one ends here and disturbs nothing
    folder = Path(settings.conductor.path)
    journal = Journal(folder)
    stack.callback(journal.close)
    media, name = settings.media, settings.conductor.name
    tokens = Tokens(folder / TOKENS, media.token_seconds) if media.tokens else None
    core = Conductor(
        Profile(
            name=name,
            instance=journal.instance,
            publish_template=media.publish_url,
            play_template=media.play_url,
            since=time.time(),
            token_seconds=media.token_seconds if media.tokens else None,
            agenda=settings.conductor.agenda,
            agenda_chair=settings.conductor.agenda_chair,
            agenda_mode=settings.conductor.agenda_mode,
        )
    )
    core.restore(journal.open_entries(), journal.last_number(), journal.begun_for_agenda())
    key = settings.conductor.signing_key
    # What it signs it must have from somebody who may sign: an agenda must not be a way around that.
    signatures = Signatures(settings.conductor.trusted_keys, required=key is not None)
    topics = HubTopics(settings.hub.topic_root, name, signatures)
    # An id of its own for each journal: two conductors must see each other, not throw each other out.
    client_id = f"{settings.hub.topic_root}.{name}.{journal.instance}".replace("/", ".")
    link = ConductorLink(settings.hub, client_id, topics, inbox.put)
    board = Board()
    signer = read_signer(Path(key)) if key else None
    outside = Outside(link, topics, journal, tokens, signer, board)
    clock, notifier = SystemClock(lambda: True), Notifier.from_environment()
    loop = Loop(inbox, core, outside, clock, notifier)
    _heed_signals(inbox)
    stack.callback(link.close)
    stack.callback(notifier.stopping)
    _open_page(settings, board, inbox, stack)
    link.start(loop.said())
    notifier.ready()
    loop.run()


if __name__ == "__main__":
    sys.exit(main())
