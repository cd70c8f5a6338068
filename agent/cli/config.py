"""`diemcau config`: check the settings, show them as they take effect, explain a key."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.errors import AgentError, ConfigError
from agent.locale import gettext as _


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
    app.add_typer(noun, name="config")


def check(context: typer.Context) -> None:
    """Exit code 1 when there is a problem."""
    from agent.config import load

    session = session_of(context)
    try:
        load(session.config_path)
    except ConfigError as error:
        for problem in error.problems:
            session.console.print(hanging(session.console.width, (("- ", "failed"),), problem))
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
            _show_one(session, f"{entry.key} = ", _written(entry.value), f"({entry.origin})")


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
    _refuse_unknown([key])
    values = _values(session)
    for name, field in all_keys(Settings).items():
        if _is_below(name, [key]):
            _explain_one(session, name, field, values)


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
        (_("takes"), expectation(_plain(kind))),
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
