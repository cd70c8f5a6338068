"""`diemcau hub`: certificates for hub, rooms and operators, and signed commands.

For the hub's operator, on a machine of theirs; a room has no need of it. docs/hub-security.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.session import examples, session_of
from agent.core.model.commands import IDENTIFIER, MAX_SIGNED_SECONDS
from agent.errors import ConfigError
from agent.locale import gettext as _

if TYPE_CHECKING:
    from agent.enrolment.authority import Authority
    from agent.enrolment.register import Entry

DEFAULT_FOLDER = Path("/etc/diemcau-hub")
SOON_DAYS = 60
"""Certificates that end sooner are marked in the list: a room may be far away."""

Folder = Annotated[
    Path, typer.Option(envvar="DIEMCAU_HUB_FOLDER", help=_("folder of the CAs and the register"))
]


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
    room: Annotated[str, typer.Argument(help=_("the room's id: a-z, 0-9 and -"))],
    group: Annotated[list[str] | None, typer.Option(help=_("a group it belongs to"))] = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """A room's certificate; its groups are those given."""
    authority = _authority(folder)
    target = authority.enrol_room(room, group or [])
    say = _say(context)
    groups = [", ".join(entry.groups) for entry in authority.load().of(room)]
    before, now = groups[-2] if len(groups) > 1 else "", groups[-1]
    if before and before != now:
        text = _("{room}: was in the groups {before} and is in {now} from now on")
        say(text.format(room=room, before=before, now=now or _("none")), style="warning")
    say(_("Bring {target}/ to the room, and then delete it here. There:").format(target=target))
    say("sudo diemcau setup --ca ca.pem --certificate room.pem --key room.key")
    _say_broker(context, authority.broker)


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


def list_(context: typer.Context, folder: Folder = DEFAULT_FOLDER) -> None:
    """Every certificate, one a line."""
    say = _say(context)
    for entry in _authority(folder).load().entries:
        text, style = _standing(entry, datetime.now(UTC))
        groups = f"  ({', '.join(entry.groups)})" if entry.groups else ""
        say(f"{entry.kind:<9}{entry.name:<24}{text:<28}{entry.serial}{groups}", style=style)


def key(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help=_("the key's name, such as ha-2026"))],
    *,
    owner: Annotated[str, typer.Option(help=_("whose it is"))],
    type_: Annotated[list[str], typer.Option("--type", help=_("a command it may give, or *"))],
    room: Annotated[list[str] | None, typer.Option(help=_("a room it may address, or *"))] = None,
    group: Annotated[list[str] | None, typer.Option(help=_("a group it may address, or *"))] = None,
    days: Annotated[int, typer.Option(help=_("how long it counts"), min=1)] = 365,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """A key for signing commands, and the file that makes rooms trust it."""
    import msgspec

    from agent.enrolment.register import write
    from agent.hub.signature import make_key

    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    signer, public = make_key(key_id, owner, type_, room or [], group or [], until)
    private = folder / f"keys/{key_id}.jwk"
    if private.exists():
        raise ConfigError([_("{path}: there is such a key already").format(path=private)])
    trusted = folder / f"trusted-keys/{key_id}.json"
    write(private, msgspec.json.encode({**signer.key, "kid": key_id}), 0o600)
    write(trusted, msgspec.json.format(msgspec.json.encode(public), indent=1) + b"\n")
    say = _say(context)
    say(_("{path}: the private key, for its owner alone").format(path=private))
    say(_("{path}: bring it to the rooms, into /etc/diemcau/trusted-keys/").format(path=trusted))


def sign(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help=_("join, leave, mute ..."))],
    fields: Annotated[str, typer.Argument(help=_("the command's own fields, as JSON"))] = "{}",
    *,
    to: Annotated[str, typer.Option(help=_("room/ID or group/ID"))],
    key_file: Annotated[Path, typer.Option("--key", help=_("the private key's file"))],
    seconds: Annotated[
        int,
        typer.Option(min=1, max=MAX_SIGNED_SECONDS, help=_("how long it may be carried out")),
    ] = 60,
) -> None:
    """A signed command on standard output, for mosquitto_pub -s."""
    from agent.hub.messages import new_command_id
    from agent.hub.signature import read_signer

    if not re.fullmatch(f"(room|group)/{IDENTIFIER.removeprefix('^')}", to):
        text = _("--to {to}: expected room/ID or group/ID, as room/thon-5")
        raise ConfigError([text.format(to=to)])
    now = datetime.now(UTC)
    command: dict[str, Any] = {
        **_checked_fields(type_, fields),
        "id": new_command_id(),
        "type": type_,
        "to": to,
        "issued": now,
        "expires": now + timedelta(seconds=seconds),
    }
    typer.echo(read_signer(key_file).sign(command))


def _authority(folder: Path) -> Authority:
    try:
        from agent.enrolment.authority import Authority
    except ImportError as error:
        text = _("{library} is not installed; on Debian: apt install python3-cryptography")
        raise ConfigError([text.format(library=error.name)]) from error
    return Authority(folder)


def _say(context: typer.Context) -> Callable[..., None]:
    """Prints a line as it is, however long: it has paths to be copied."""
    return partial(session_of(context).console.print, soft_wrap=True)


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


def _checked_fields(type: str, text: str) -> dict[str, Any]:
    """The fields, which a room will understand. Raises CommandProblem, ConfigError."""
    from agent.core.model.command_codec import command_from, decode_object
    from agent.core.model.commands import Origin

    fields = decode_object(text.encode())
    unknown = command_from(fields, type, Origin.HUB, lambda: "unsent").unknown_fields
    if unknown:
        raise ConfigError([f"{path}: " + _("unknown field") for path in unknown])
    return fields


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
        ["sudo diemcau hub enroll thon-5 --group xa-ba-vi"],
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
    ("list", list_, _("Every certificate and until when it is good"), ["diemcau hub list"]),
    (
        "key",
        key,
        _("A key for signing commands"),
        ["diemcau hub key ha-2026 --owner Hà --type '*' --room '*' --group all"],
    ),
    (
        "sign",
        sign,
        _("A signed command, for mosquitto_pub"),
        ["diemcau hub sign mute --to room/thon-5 --key ha.jwk | mosquitto_pub -s ..."],
    ),
)
