"""The settings file: YAML in, `agent.settings.Settings` out, or every problem that it has at once.

`load` is for the daemon, `entries` for people: each key with its value, masked, and where it is from.
"""

from agent.config.loading import DEFAULT_PATH, load
from agent.config.overview import Entry, entries

__all__ = ["DEFAULT_PATH", "Entry", "entries", "load"]
