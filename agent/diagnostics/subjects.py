"""Every subject that the doctor looks at, in the order in which a technician would."""

from __future__ import annotations

from agent.diagnostics.checks import (
    camera,
    clock,
    display,
    hub,
    media_server,
    microphone,
    network,
    panel,
    power,
    service,
    settings,
    speaker,
    storage,
)
from agent.diagnostics.runner import Subject
from agent.errors import AgentError
from agent.locale import gettext as _

SUBJECTS = (
    Subject("settings", settings.check),
    Subject("service", service.check),
    Subject("clock", clock.check, 15.0),
    Subject("power", power.check),
    Subject("storage", storage.check),
    Subject("network", network.check),
    Subject("hub", hub.check, 40.0),
    Subject("media-server", media_server.check, 60.0, beside=True),
    Subject("camera", camera.check, 30.0),
    Subject("microphone", microphone.check, 30.0),
    Subject("speaker", speaker.check, 60.0),
    Subject("display", display.check),
    Subject("panel", panel.check),
)

ALIASES = {
    "media": "media-server",
    "loudspeaker": "speaker",
    "lamp": "panel",
    "button": "panel",
    "disk": "storage",
}
"""What people type who know a subject by another command's word."""


def select(groups: list[str]) -> list[Subject]:
    """The subjects named, or all. Raises AgentError for a name that is none."""
    known = {subject.group: subject for subject in SUBJECTS}
    groups = [ALIASES.get(group, group) for group in groups]
    for group in groups:
        if group not in known:
            text = _("{group}: no such subject; there are {known}")
            raise AgentError("bad-subject", text.format(group=group, known=", ".join(known)))
    return [subject for subject in SUBJECTS if not groups or subject.group in groups]
