"""`diemcau config`: check the settings, show them as they take effect, explain a key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.errors import AgentError, ConfigError
from agent.locale import gettext as _
from agent.locale import translate


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    noun = typer.Typer(help=_("The settings"), no_args_is_help=True, rich_markup_mode=None)
    noun.command(
        help=_("Every problem of the settings at once"),
        epilog=examples("diemcau config check", "diemcau config check --config new.yaml"),
    )(check)
    noun.command(
        help=_("The settings in effect, and where each is from; without secrets"),
        epilog=examples("diemcau config show", "diemcau config show hub devices.camera"),
    )(show)
    noun.command(
        help=_("What a key means: its unit, its default, its value here"),
        epilog=examples(
            "diemcau config explain hub.keepalive_seconds", "diemcau config explain devices.camera"
        ),
    )(explain)
    noun.command(
        "set",
        help=_("Change one value; it is checked first, and comments stay"),
        epilog=examples(
            "sudo diemcau config set devices.speaker.volume 60",
            "sudo diemcau config set room.groups '[giao-ban, xa-ba-vi]'",
        ),
    )(set_)
    app.add_typer(noun, name="config")


def check(context: typer.Context) -> None:
    """Exit code 1 when there is a problem."""
    from agent.config import load

    session = session_of(context)
    try:
        load(session.config_path)
    except ConfigError as error:
        for problem in error.problems:
            said = translate(problem)
            session.console.print(hanging(session.console.width, (("- ", "failed"),), said))
        raise typer.Exit(1) from None
    text = _("{path}: the settings can be used").format(path=session.config_path)
    session.console.print(text, style="ok")


def show(
    context: typer.Context,
    keys: Annotated[
        list[str] | None, typer.Argument(help=_("only these keys and those below them"))
    ] = None,
) -> None:
    """One line a key: key, value, origin."""
    from agent.config import entries

    session = session_of(context)
    effective = entries(session.config_path)
    _refuse_unknown(keys or [])
    for entry in effective:
        if _is_below(entry.key, keys or []):
            _show_one(session, f"{entry.key} = ", _written(entry.value), f"({_(entry.origin)})")


def _show_one(session: Session, key: str, value: str, origin: str) -> None:
    """In one line if it fits; else the origin stands in the next one."""
    from rich.text import Text

    fits = len(key) + len(value) + 2 + len(origin) <= session.console.width
    gap = "  " if fits else "\n    "
    session.console.print(Text.assemble(key, (value, "heading"), gap, (origin, "quiet")))


def explain(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help=_("such as hub.keepalive_seconds"))],
) -> None:
    """A key, or all keys of a section."""
    from agent.config.schema import all_keys
    from agent.settings import Settings

    session = session_of(context)
    meant = _meant(key, list(all_keys(Settings)))
    values = _values(session)
    for name, field in all_keys(Settings).items():
        if _is_below(name, meant):
            _explain_one(session, name, field, values)


def set_(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help=_("such as devices.speaker.volume"))],
    value: Annotated[
        str, typer.Argument(help=_("as it would stand in the file; null takes it away"))
    ],
) -> None:
    """One value, checked with all the others first; comments stay."""
    import difflib

    from agent.config.first_run import FirstRun, typed
    from agent.config.schema import all_keys, section_of
    from agent.settings import Settings

    session = session_of(context)
    (path,) = _meant(key, list(all_keys(Settings)), several=False)
    if section_of(all_keys(Settings)[path].type) is not None:
        text = _("{key} is a section: name one of its keys")
        raise AgentError("no-key", text.format(key=path))
    before = _text(session.config_path)
    FirstRun(session.config_path).apply({path: typed(path, value)}, {})
    lines = difflib.unified_diff(
        before.splitlines(), _text(session.config_path).splitlines(), n=0, lineterm=""
    )
    changed = list(lines)[2:]
    if not changed:
        session.console.print(_("It is so already"))
        return
    for line in changed:
        if not line.startswith("@@"):
            session.console.print(line, style="ok" if line.startswith("+") else "quiet")
    session.console.print(_("Next: sudo systemctl reload diemcau-agent"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _explain_one(session: Session, name: str, field: Any, values: dict[str, Any]) -> None:
    from msgspec import NODEFAULT, inspect

    from agent.config.schema import default_of, description_of, section_of
    from agent.config.words import expectation

    out = session.console
    out.print(hanging(out.width, ((f"{name}  ", "heading"),), _(description_of(field))))
    if section_of(field.type) is not None:
        return
    kind = inspect.type_info(field.type)
    default = default_of(field)
    for label, text in (
        (_("takes"), translate(expectation(_plain(kind)))),
        (_("default"), _("none, it must be given") if default is NODEFAULT else _written(default)),
        (_("here"), _written(values[name]) if name in values else ""),
    ):
        if text:
            out.print(hanging(out.width, ((f"  {label}: ", "quiet"),), text))


def _plain(kind: Any) -> Any:
    """The type without its metadata and without None as an alternative."""
    from msgspec import inspect

    if isinstance(kind, inspect.Metadata):
        return _plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _plain(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
    return kind


def _values(session: Session) -> dict[str, Any]:
    """The effective values, if the settings can be read."""
    from agent.config import entries

    try:
        return {entry.key: entry.value for entry in entries(session.config_path)}
    except ConfigError:
        return {}


def _is_below(key: str, wanted: list[str]) -> bool:
    return not wanted or any(key == one or key.startswith(f"{one}.") for one in wanted)


def _written(value: Any) -> str:
    """A value as it would stand in the file."""
    if value is None:
        return _("not set")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value) if value != "" else '""'


def _meant(key: str, known: list[str], *, several: bool = True) -> list[str]:
    """The keys that somebody means who types only a part of them. Raises AgentError."""
    if key in known:
        return [key]
    last = [one for one in known if one.rpartition(".")[2] == key or one.endswith(f".{key}")]
    found = last or [one for one in known if several and key.lower() in one.rpartition(".")[2]]
    if found and (several or len(found) == 1):
        return found
    if found:
        text = _("{key}: which of them? {keys}")
        raise AgentError("no-key", text.format(key=key, keys=", ".join(found)))
    _refuse_unknown([key])
    return []


def _refuse_unknown(keys: list[str]) -> None:
    from agent.config.schema import all_keys
    from agent.config.words import closest
    from agent.settings import Settings

    known = list(all_keys(Settings))
    for key in keys:
        if key not in known:
            text = _("{key}: no such key").format(key=key)
            if meant := closest(key, known):
                text += "; " + _("did you mean {meant}?").format(meant=meant)
            raise AgentError("no-key", text)
