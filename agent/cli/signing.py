"""`diemcau hub key` and `hub sign`: keys for signing commands, and signed commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.addressed import address_of
from agent.cli.session import session_of
from agent.core.model.commands import MAX_SIGNED_SECONDS
from agent.errors import ConfigError
from agent.locale import gettext as _

DEFAULT_FOLDER = Path("/etc/diemcau-hub")

Folder = Annotated[
    Path, typer.Option(envvar="DIEMCAU_HUB_FOLDER", help=_("folder of the CAs and the register"))
]


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

    from agent.files import replace_file
    from agent.hub.signature import make_key

    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    signer, public = make_key(key_id, owner, type_, room or [], group or [], until)
    private = folder / f"keys/{key_id}.jwk"
    if private.exists():
        raise ConfigError([_("{path}: there is such a key already").format(path=private)])
    trusted = folder / f"trusted-keys/{key_id}.json"
    replace_file(private, msgspec.json.encode({**signer.key, "kid": key_id}), 0o600)
    replace_file(trusted, msgspec.json.format(msgspec.json.encode(public), indent=1) + b"\n")
    say = partial(session_of(context).console.print, soft_wrap=True)
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
    from agent.core.model.command_codec import CommandHead, extended
    from agent.hub.messages import new_command_id
    from agent.hub.signature import read_signer

    address_of(to)
    document = fields.encode()
    _check_fields(type_, document)
    command = extended(document, CommandHead(type_, new_command_id()))
    _refuse_what_the_key_may_not(key_file, type_, to)
    typer.echo(read_signer(key_file).sign_command(command, to, datetime.now(UTC), seconds))


def _refuse_what_the_key_may_not(key_file: Path, type_: str, to: str) -> None:
    """As the rooms would, if the file that makes them trust the key lies where `hub key` put it."""
    import msgspec

    from agent.hub.trusted_keys import TrustedKey

    trusted = key_file.absolute().parent.parent / "trusted-keys" / f"{key_file.stem}.json"
    try:
        key = msgspec.json.decode(trusted.read_bytes(), type=TrustedKey)
    except (OSError, msgspec.MsgspecError):
        return  # elsewhere: only the room can tell
    place, _slash, name = to.partition("/")
    named = key.rooms if place == "room" else key.groups
    if not {"*", type_} & set(key.types):
        text = _("{key}: this key may give {types}, not {type}")
        raise ConfigError([text.format(key=key_file.stem, types=", ".join(key.types), type=type_)])
    if not {"*", name} & set(named):
        text = _("{key}: this key may not address {to}")
        raise ConfigError([text.format(key=key_file.stem, to=to)])
    if key.until is not None and datetime.now(UTC) > key.until:
        text = _("{key}: this key ended on {day:%Y-%m-%d}")
        raise ConfigError([text.format(key=key_file.stem, day=key.until)])


def _check_fields(type: str, document: bytes) -> None:
    """A room will understand this JSON object of a command's fields. Raises CommandProblem, ConfigError."""
    from agent.core.model.command_codec import command_from, decode_object
    from agent.core.model.commands import Origin

    fields = decode_object(document)
    unknown = command_from(fields, type, Origin.HUB, lambda: "unsent").unknown_fields
    if unknown:
        raise ConfigError([f"{path}: " + _("unknown field") for path in unknown])
