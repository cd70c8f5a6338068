"""The camera: is it there, does it deliver, can something be seen, does it move?"""

from __future__ import annotations

from pathlib import Path

from agent.core.model.documents import Status
from agent.diagnostics.bench.protocol import CameraResult, Request
from agent.diagnostics.checks import trouble
from agent.diagnostics.checks.device import attempt, held_by_meeting, preliminary
from agent.diagnostics.report import Finding, ok, warning
from agent.diagnostics.site import Site
from agent.locale import gettext as _
from agent.settings import Devices

LOOK_SECONDS = 2.0

SLOW_SHARE = 0.6
"""Fewer pictures than this share of what was asked for: slow."""

BLURRED_SHARPNESS = 8.0
"""Below it nothing in the picture has an edge: a plastic film on the lens, or out of focus."""


def check(site: Site, still: Path | None = None) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`. `still` gets the last picture (PNG), if one came."""
    devices = site.sections.devices or Devices()
    if (found := preliminary(site, "camera", devices.camera is not None)) is not None:
        return found
    if (found := held_by_meeting(site, "camera")) is not None:
        return found
    file = "" if still is None else str(still)
    result = attempt(site, "camera", Request("camera", devices, LOOK_SECONDS, file), CameraResult)
    return [judge(result, site.driver("camera"))] if isinstance(result, CameraResult) else result


def judge(result: CameraResult, driver: str = "") -> Finding:
    """What a look through the camera says about it."""
    evidence = describe(result)
    if result.figures.black:
        return trouble.describe("camera", "black", evidence)
    if result.status.status is not Status.OK:
        return trouble.finding("camera", result.status, evidence, driver)
    rate = result.pictures / max(result.seconds, 0.1)
    if rate < SLOW_SHARE * result.framerate:
        return trouble.describe("camera", "slow", evidence)
    if result.figures.sharpness < BLURRED_SHARPNESS:
        return warning(
            "camera-blurred",
            _("The camera's picture is blurred"),
            evidence,
            _("A film or a finger's grease on the lens, or it is out of focus"),
            _("Clean the lens, take the protective film off, turn the focus ring"),
        )
    return ok("camera-ok", _("The camera shows a live picture"), evidence)


def describe(result: CameraResult) -> str:
    """The figures in one line."""
    return _(
        "{width}x{height}, {rate:.0f} pictures/s, encoder {encoder}, "
        "brightness {brightness:.0f} of 255, sharpness {sharpness:.0f}"
    ).format(
        width=result.width,
        height=result.height,
        rate=result.pictures / max(result.seconds, 0.1),
        encoder=result.encoder,
        brightness=result.figures.brightness,
        sharpness=result.figures.sharpness,
    )
