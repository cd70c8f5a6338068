"""The microphone: is it there, and is what it delivers a sound that others can use?"""

from __future__ import annotations

from agent.core.model.documents import Status
from agent.devices.microphone.level import QUIET_DBFS
from agent.diagnostics.bench.protocol import Request, SoundResult
from agent.diagnostics.checks import trouble
from agent.diagnostics.checks.device import attempt, held_by_meeting, preliminary
from agent.diagnostics.report import Finding, ok
from agent.diagnostics.site import Site
from agent.diagnostics.sound import SoundFigures
from agent.locale import gettext as _
from agent.settings import Devices

LISTEN_SECONDS = 1.0

DEAD_ZEROS = 0.999
"""Share of exact zeros: no converter delivers them unless it is muted."""

CLIPPED_SHARE = 0.001


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    devices = site.sections.devices or Devices()
    if (found := preliminary(site, "microphone", devices.microphone is not None)) is not None:
        return found
    if (found := held_by_meeting(site, "microphone")) is not None:
        return found
    result = attempt(
        site, "microphone", Request("microphone", devices, LISTEN_SECONDS), SoundResult
    )
    return [judge(result)] if isinstance(result, SoundResult) else result


def judge(result: SoundResult) -> Finding:
    """What listening says about the microphone."""
    figures = result.figures
    evidence = describe(figures)
    if result.status.status is not Status.OK:
        return trouble.finding("microphone", result.status, evidence)
    if figures.zeros >= DEAD_ZEROS:
        return trouble.describe("microphone", "dead", evidence)
    if figures.clipped >= CLIPPED_SHARE:
        return trouble.describe("microphone", "clipping", evidence)
    if figures.level_dbfs < QUIET_DBFS:
        return trouble.describe("microphone", "too-quiet", evidence)
    return ok("microphone-ok", _("The microphone hears the room"), evidence)


def trustworthy(figures: SoundFigures) -> bool:
    """Whether what was not heard through this microphone was not to be heard."""
    return (
        figures.zeros < DEAD_ZEROS
        and figures.clipped < CLIPPED_SHARE
        and figures.level_dbfs >= QUIET_DBFS
    )


def describe(figures: SoundFigures) -> str:
    """The figures in one line."""
    return _(
        "level {level:.0f} dBFS, peak {peak:.0f} dBFS, noise floor {floor:.0f} dBFS, "
        "{clipped:.1%} clipped"
    ).format(
        level=figures.level_dbfs,
        peak=figures.peak_dbfs,
        floor=figures.noise_floor_dbfs,
        clipped=figures.clipped,
    )
