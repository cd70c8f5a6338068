"""The settings file: YAML in, `agent.settings.Settings` out, or every problem that it has at once.

`load` is for the daemon; for people there are `entries` (each key with its value, masked, and where
it is from) and `read_file` (all that can be read of a broken file).
"""

from agent.config.loading import DEFAULT_PATH, load, read_file
from agent.config.overview import Entry, entries
from agent.config.reading import parse_value

__all__ = ["DEFAULT_PATH", "Entry", "entries", "load", "parse_value", "read_file"]
