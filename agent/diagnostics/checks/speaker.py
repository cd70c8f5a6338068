"""The loudspeaker: is it there, does it take sound, and does the microphone hear it?

The loop through the air is the only proof; where it can't be had, the finding says so.
"""

from __future__ import annotations

from agent.core.model.documents import Status
from agent.diagnostics.bench.protocol import LoopResult, PlayResult, Request
from agent.diagnostics.checks import trouble
from agent.diagnostics.checks.device import attempt, held_by_meeting, preliminary, probe
from agent.diagnostics.checks.microphone import trustworthy
from agent.diagnostics.report import Finding, ok, skipped
from agent.diagnostics.site import Site
from agent.locale import gettext as _
from agent.settings import Devices

TONE_SECONDS = 0.5


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    devices = site.sections.devices or Devices()
    if (found := preliminary(site, "speaker", devices.speaker is not None)) is not None:
        return found
    if (found := held_by_meeting(site, "speaker")) is not None:
        return found
    if site.quiet:
        return [skipped("speaker-quiet", _("Not played: no sound was wanted (--quiet)"))]
    if display_is_off(site, devices):
        text = _("Not played: the loudspeaker is in the display, and that is off")
        return [skipped("speaker-display-off", text, _("Run: diemcau test speaker"))]
    if no_air_between(devices):
        text = _("Not judged: nobody hears a simulated loudspeaker (devices.simulation.echo)")
        return [skipped("speaker-simulated", text)]
    played = attempt(site, "speaker", Request("tone", devices, TONE_SECONDS), PlayResult)
    if not isinstance(played, PlayResult):
        return played
    if played.status.status is not Status.OK:
        return [trouble.finding("speaker", played.status)]
    return [_listen(site, devices)]


def no_air_between(devices: Devices) -> bool:
    """Whether loudspeaker and microphone are simulated, and the one is not heard by the other."""
    drivers = {one.driver for one in (devices.speaker, devices.microphone) if one is not None}
    return drivers == {"simulated"} and not devices.simulation.echo


def display_is_off(site: Site, devices: Devices) -> bool:
    """Whether the sound goes to a display by HDMI that has no power now."""
    status = site.daemon.status
    assert devices.speaker is not None
    return (
        "hdmi" in (devices.speaker.device or "").lower()
        and devices.display.relay is not None
        and status is not None
        and status.state.display == "off"
    )


def _listen(site: Site, devices: Devices) -> Finding:
    """The loop through the air, if there is a microphone for it."""
    unheard = skipped(
        "speaker-unheard",
        _("It takes sound; whether it is heard can't be told without a good microphone"),
        _("Listen for yourself: diemcau test speaker"),
    )
    if devices.microphone is None or probe(site, "microphone", devices).status is not Status.OK:
        return unheard
    result = attempt(site, "speaker", Request("loop", devices, TONE_SECONDS), LoopResult)
    if not isinstance(result, LoopResult):
        return unheard
    return judge(result) or unheard


def judge(result: LoopResult) -> Finding | None:
    """What the loop says about the loudspeaker; None if the microphone can't tell."""
    if result.echo.found:
        evidence = _("the test sound came back after {delay:.0f} ms at {level:.0f} dBFS").format(
            delay=result.echo.delay_seconds * 1000, level=result.echo.level_dbfs
        )
        return ok("speaker-ok", _("The microphone hears the loudspeaker"), evidence)
    if not (result.conclusive and trustworthy(result.heard)):
        return None
    evidence = _("the test sound was played and not found in what the microphone heard")
    return trouble.describe("speaker", "silent", evidence)
