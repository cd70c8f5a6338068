"""`diemcau test microphone`: a live level meter with peak hold, then what was heard is played."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.session import Session, session_of
from agent.cli.test.bench import (
    conclude,
    devices_of,
    kept_or_gone,
    refuse_in_meeting,
    site_of,
    use,
)
from agent.diagnostics.bench.protocol import Level, PlayResult, SoundResult
from agent.diagnostics.checks.microphone import judge
from agent.diagnostics.site import Site
from agent.locale import gettext as _

if TYPE_CHECKING:
    from rich.text import Text

QUIETEST_DBFS = -72.0
METER_COLUMNS = 48
"""1.5 dB a column."""

GOOD_DBFS, LOUD_DBFS = -36.0, -6.0
"""Speech should peak between these."""

HOLD_SECONDS = 2.0


def microphone(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=1, max=60, help=_("how long to listen"))] = 6,
    out: Annotated[Path | None, typer.Option(help=_("where the recording goes (WAV)"))] = None,
    play: Annotated[bool, typer.Option(help=_("play the recording back"))] = True,
) -> None:
    """Speak while it runs."""
    session = session_of(context)
    site = site_of(session)
    refuse_in_meeting(site)
    session.console.print(_("Speak now, {seconds:g} seconds.").format(seconds=seconds))
    with kept_or_gone(out, "voice.wav") as path:
        result = _listen(session, site, seconds, path)
        if play and devices_of(site).speaker is not None:
            session.console.print(_("Listen: this was recorded."))
            use(site, "play", seconds, PlayResult, str(path))
    if out is not None:
        session.console.print(_("The recording is in {path}").format(path=path))
    conclude(session, judge(result))


def _listen(session: Session, site: Site, seconds: float, path: Path) -> SoundResult:
    if not session.console.is_terminal:
        return use(site, "microphone", seconds, SoundResult, str(path))
    from rich.live import Live

    meter = Meter()
    with Live(console=session.console, transient=True) as live:
        return use(
            site,
            "microphone",
            seconds,
            SoundResult,
            str(path),
            lambda level: live.update(meter.show(level, time.monotonic())),
        )


class Meter:
    """A bar for the level, and a mark for the highest peak of the last two seconds."""

    def __init__(self) -> None:
        self._peak_dbfs = QUIETEST_DBFS
        self._peak_at = 0.0

    def show(self, level: Level, now_seconds: float) -> Text:
        """The meter with this level."""
        from rich.text import Text

        if level.peak_dbfs >= self._peak_dbfs or now_seconds - self._peak_at > HOLD_SECONDS:
            self._peak_dbfs, self._peak_at = level.peak_dbfs, now_seconds
        filled, mark = _column(level.level_dbfs), _column(self._peak_dbfs)
        bar = "".join(
            "|" if column == mark else "#" if column < filled else "."
            for column in range(METER_COLUMNS + 1)
        )
        text = _("{level:5.0f} dBFS, peak {peak:.0f}").format(
            level=level.level_dbfs, peak=self._peak_dbfs
        )
        return Text.assemble((bar, _style(self._peak_dbfs)), " ", text)


def _column(dbfs: float) -> int:
    share = (dbfs - QUIETEST_DBFS) / -QUIETEST_DBFS
    return round(METER_COLUMNS * min(1.0, max(0.0, share)))


def _style(peak_dbfs: float) -> str:
    if peak_dbfs > LOUD_DBFS:
        return "failed"
    return "ok" if peak_dbfs > GOOD_DBFS else "warning"
