"""The hub's package in a container, beside a broker, a media server and a room of the agent's package."""

from tests.system.installed.conftest import broker, media_server, package, room

__all__ = ["broker", "media_server", "package", "room"]
