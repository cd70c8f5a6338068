"""Every error that the agent raises on purpose.

Each carries a `code` (a short closed word for machines, as in acks and health) and a text for the
reader who has to act: the culprit, what was expected, what to do about it.
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of all errors raised on purpose; `code` is a kebab-case word, `text` one clear line."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class ConfigError(AgentError):
    """The settings cannot be used; `problems` holds every problem found, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad-settings", "\n".join(problems))
        self.problems = problems


class DeviceError(AgentError):
    """A device did not do what it was asked."""


class DeviceAbsent(DeviceError, LookupError):
    """The device is not there: unplugged, unpowered or named wrongly."""


class DeviceBusy(DeviceError):
    """Another process holds the device."""


class DeviceTimeout(DeviceError, TimeoutError):
    """The device did not answer within its deadline."""


class MessageError(AgentError, ValueError):
    """A message from outside (hub, control socket, media process) cannot be used."""


class HubError(AgentError):
    """The hub refused us or cannot be reached."""


class MediaError(AgentError):
    """The media server refused us, cannot be reached, or the pipeline failed."""


class JournalError(AgentError):
    """The journal on disk cannot be read or written."""
