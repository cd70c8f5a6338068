"""`diemcau hub`: certificates for hub, rooms and operators, and signed commands.

For the hub's operator, on a machine of theirs; a room has no need of it. docs/hub-security.md.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import signing
from agent.cli.session import examples, session_of
from agent.cli.signing import DEFAULT_FOLDER, Folder
from agent.errors import ConfigError
from agent.locale import gettext as _

if TYPE_CHECKING:
    from agent.enrolment.authority import Authority
    from agent.enrolment.register import Entry

SOON_DAYS = 60
"""Certificates that end sooner are marked in the list: a room may be far away."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    noun = typer.Typer(
        help=_("For the hub's operator: certificates, access, signed commands"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name, command, text, example in _COMMANDS:
        noun.command(name, help=text, epilog=examples(*example))(command)
    app.add_typer(noun, name="hub")


def ca(
    context: typer.Context,
    topic_root: Annotated[str, typer.Option(help=_("first part of every topic"))] = "diemcau/v1",
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Make the CAs, once."""
    authority = _authority(folder)
    authority.create(topic_root)
    say = _say(context)
    say(_("{folder}: made the CAs. Keep a copy of it in a safe place.").format(folder=folder))
    say(_("Next: diemcau hub enroll-hub NAME-OF-THE-HUB"))


def enroll_hub(
    context: typer.Context,
    hosts: Annotated[list[str], typer.Argument(help=_("every name and address of the hub"))],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """The broker's certificate."""
    target = _authority(folder).enrol_hub(hosts)
    _say_broker(context, target)


def enroll(
    context: typer.Context,
    room: Annotated[
        str, typer.Argument(help=_("the room's id: a-z, 0-9 and -; or a CSV file: id,name,groups"))
    ],
    group: Annotated[list[str] | None, typer.Option(help=_("a group it belongs to"))] = None,
    tar: Annotated[
        bool, typer.Option("--tar", help=_("one archive a room, to carry there"))
    ] = False,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """A room's certificate, or those of all rooms of a table; its groups are those given."""
    authority = _authority(folder)
    if room.endswith(".csv"):
        _enroll_all(context, authority, Path(room), tar)
        return
    target = authority.enrol_room(room, group or [])
    say = _say(context)
    groups = [", ".join(entry.groups) for entry in authority.load().of(room)]
    before, now = groups[-2] if len(groups) > 1 else "", groups[-1]
    if before and before != now:
        text = _("{room}: was in the groups {before} and is in {now} from now on")
        say(text.format(room=room, before=before, now=now or _("none")), style="warning")
    say(_("Bring {target}/ to the room, and then delete it here. There:").format(target=target))
    say("sudo diemcau setup --ca ca.pem --certificate room.pem --key room.key")
    if tar:
        say(_("{path}: all of it in one archive").format(path=_packed(target)))
    _say_broker(context, authority.broker)


def _enroll_all(context: typer.Context, authority: Authority, table: Path, tar: bool) -> None:
    """All or none: the table is looked at as a whole before the first certificate is made."""
    from agent.enrolment.rooms_table import read_rooms

    say = _say(context)
    rooms = read_rooms(table)
    for room in rooms:
        target = authority.enrol_room(room.id, list(room.groups))
        said = _packed(target) if tar else target
        say(f"{room.id:<24}{', '.join(room.groups):<32}{said}")
    say(_("{count} rooms are enrolled. In each room:").format(count=len(rooms)))
    say("sudo diemcau setup --ca ca.pem --certificate room.pem --key room.key")
    _say_broker(context, authority.broker)


def _packed(target: Path) -> Path:
    """The folder as an archive beside it, for its owner alone."""
    import tarfile

    path = target.with_name(f"{target.name}.tar")
    path.touch(mode=0o600)
    with tarfile.open(path, "w") as archive:
        archive.add(target, arcname=target.name)
    return path


def enroll_operator(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=_("the operator's name: a-z, 0-9 and -"))],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """An operator's certificate."""
    authority = _authority(folder)
    target = authority.enrol_operator(name)
    _say(context)(
        _("Give {target}/ to the operator; it opens the hub's port 8884.").format(target=target)
    )
    _say_broker(context, authority.broker)


def renew(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=_("a room, or operator.NAME"))],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """A new certificate beside the old one."""
    target = _authority(folder).renew(name)
    text = _("{target}/ has the new certificate. The old one is good until it ends or is revoked.")
    _say(context)(text.format(target=target))


def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=_("a room, or operator.NAME"))],
    serial: Annotated[str | None, typer.Option(help=_("only this one; see hub list"))] = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Take certificates back."""
    authority = _authority(folder)
    revoked = authority.revoke(name, serial)
    say = _say(context)
    if not revoked:
        raise ConfigError([_("{name}: nothing is left to revoke").format(name=name)])
    for entry in revoked:
        say(_("{name}: revoked {serial}").format(name=name, serial=entry.serial))
    _say_broker(context, authority.broker)
    say(_("Until that restart they stay connected, and are let in again."))


def list_(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help=_("for programs"))] = False,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Every certificate, one a line; the one that counts for a room's groups is marked."""
    import msgspec

    register = _authority(folder).load()
    if json:
        typer.echo(msgspec.json.encode(register.entries).decode())
        return
    say = _say(context)
    if not register.entries:
        return
    newest = {entry.name: entry.serial for entry in register.entries if entry.revoked is None}
    kinds = {"hub": _("hub"), "room": _("room"), "operator": _("operator")}
    titles = (_("what"), _("name"), _("standing"), _("serial"), _("groups"))
    console = session_of(context).console
    width = console.width if console.is_terminal else sys.maxsize  # a line each for programs
    say(_row(width, "", *titles), style="heading")
    for entry in register.entries:
        text, style = _standing(entry, datetime.now(UTC))
        mark = "*" if newest.get(entry.name) == entry.serial else ""
        kind = kinds.get(str(entry.kind), str(entry.kind))
        cells = (mark, kind, entry.name, text, entry.serial, ", ".join(entry.groups))
        say(_row(width, *cells), style=style)
    say(_("* the newest certificate of its name: its groups count"), style="quiet")


def _row(width: int, *cells: str) -> str:
    """On a screen that is too narrow serial and groups stand below."""
    mark, kind, name, standing, serial, groups = cells
    head = f"{mark:<2}{kind:<15}{name:<24}{standing:<29}"
    rest = f"{serial:<40}  {groups}".rstrip()
    between = "" if len(head) + len(rest) <= width else f"\n{'':17}"
    return f"{head}{between}{rest}".rstrip()


def groups(
    context: typer.Context,
    room: Annotated[str, typer.Argument(help=_("the room's id: a-z, 0-9 and -"))],
    group: Annotated[list[str] | None, typer.Option(help=_("a group it belongs to"))] = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """The room's certificate stays as it is; only the broker's access list changes."""
    authority = _authority(folder)
    now = group or []
    before = authority.move_room(room, now)
    text = _("{room}: was in the groups {before} and is in {now} from now on")
    _say(context)(
        text.format(
            room=room, before=", ".join(before) or _("none"), now=", ".join(now) or _("none")
        )
    )
    _say_broker(context, authority.broker)
    groups_there = ", ".join(now)
    _say(context)(
        _("In the room: sudo diemcau config set room.groups '[{groups}]'").format(
            groups=groups_there
        )
    )


def _authority(folder: Path) -> Authority:
    try:
        from agent.enrolment.authority import Authority
    except ImportError as error:
        text = _("{library} is not installed; on Debian: apt install python3-cryptography")
        raise ConfigError([text.format(library=error.name)]) from error
    return Authority(folder)


def _say(context: typer.Context) -> Callable[..., None]:
    """Prints a line; no path in it is torn apart, since it is there to be copied."""
    console = session_of(context).console
    width = console.width if console.is_terminal else sys.maxsize

    def say(text: str, style: str | None = None) -> None:
        whole = partial(textwrap.fill, width=width, break_long_words=False, break_on_hyphens=False)
        console.print("\n".join(map(whole, text.splitlines())), soft_wrap=True, style=style)

    return say


def _say_broker(context: typer.Context, broker: Path) -> None:
    text = _("Then, on the hub: copy {broker}/ to /etc/mosquitto/diemcau/ and restart mosquitto")
    _say(context)(text.format(broker=broker))


def _standing(entry: Entry, now: datetime) -> tuple[str, str]:
    """What is to be said of a certificate, and how loud."""
    if entry.revoked is not None:
        return _("revoked {day:%Y-%m-%d}").format(day=entry.revoked), "quiet"
    days = (entry.expires - now).days
    if days < 0:
        return _("expired {day:%Y-%m-%d}").format(day=entry.expires), "failed"
    text = _("until {day:%Y-%m-%d}, {days} days").format(day=entry.expires, days=days)
    return text, "warning" if days < SOON_DAYS else ""


_COMMANDS = (
    ("ca", ca, _("Make the CAs: once, before anything else"), ["sudo diemcau hub ca"]),
    (
        "enroll-hub",
        enroll_hub,
        _("The broker's own certificate"),
        ["sudo diemcau hub enroll-hub hub.example.org 10.0.0.5"],
    ),
    (
        "enroll",
        enroll,
        _("A room's certificate, and its access to topics and groups"),
        [
            "sudo diemcau hub enroll thon-5 --group xa-ba-vi",
            "sudo diemcau hub enroll rooms.csv --tar",
        ],
    ),
    (
        "groups",
        groups,
        _("Move a room to other groups; its certificate stays"),
        ["sudo diemcau hub groups thon-5 --group xa-ba-vi --group huyen"],
    ),
    (
        "enroll-operator",
        enroll_operator,
        _("An operator's certificate, for commands to every room"),
        ["sudo diemcau hub enroll-operator ha"],
    ),
    (
        "renew",
        renew,
        _("A new certificate before the old one ends"),
        ["sudo diemcau hub renew thon-5", "sudo diemcau hub renew operator.ha"],
    ),
    ("revoke", revoke, _("Take a certificate back"), ["sudo diemcau hub revoke thon-5"]),
    (
        "list",
        list_,
        _("Every certificate and until when it is good"),
        ["diemcau hub list", "diemcau hub list --json"],
    ),
    (
        "key",
        signing.key,
        _("A key for signing commands"),
        ["diemcau hub key ha-2026 --owner Hà --type '*' --room '*' --group all"],
    ),
    (
        "sign",
        signing.sign,
        _("A signed command, for mosquitto_pub"),
        ["diemcau hub sign mute --to room/thon-5 --key ha.jwk | mosquitto_pub -s ..."],
    ),
)
