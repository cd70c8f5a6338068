"""What must hold between keys, and between the settings and the machine.

Each rule gets the sections that could be read and yields what breaks it; it never stops at the first.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.config.reading import Sections
from agent.core.model.commands import MAX_SOURCES, TOKEN
from agent.settings import (
    Camera,
    Control,
    Hub,
    Media,
    Microphone,
    Panel,
    Relay,
    Simulation,
    Speaker,
    Store,
    Tls,
)


class Finding(NamedTuple):
    """A broken rule: the keys it is about, the first one to blame, and what to do."""

    paths: tuple[str, ...]
    text: str


Rule = Callable[[Sections], Iterator[Finding]]

PLACEHOLDERS = ("meeting", "room")
"""What a URL template may have in braces."""

SOCKET_PATH_BYTES = 107
"""sockaddr_un's sun_path without the final zero: unix(7)."""


def problems_between(sections: Sections, *, check_files: bool) -> Iterator[Finding]:
    """All findings of all rules."""
    for rule in (*RULES, *(FILE_RULES if check_files else ())):
        yield from rule(sections)


def hub_host(sections: Sections) -> Iterator[Finding]:
    hub = sections.of(Hub)
    if hub and (text := _host_problem(hub.host)):
        yield Finding(("hub.host",), text)


def _host_problem(host: str) -> str:
    """What is more in it than a name or an address, and where that belongs; empty if nothing is."""
    if "@" in host:  # not repeated: what stands before it may be a password
        return (
            "expected a name or an address alone; others stand in hub.username, hub.password_file"
        )
    scheme, found, rest = host.strip().rpartition("://")
    rest, _, path = rest.partition("/") if found else (rest, "", "")
    name, _, port = rest.rstrip("/").rpartition(":")
    if not port.isdigit() or (":" in name and not name.endswith("]")):
        name, port = rest.rstrip("/"), ""
    plain = name.strip("[]")
    if plain == host:
        bad = re.search(r"[\s/?#]", host)
        return f"expected a name or an address, got {host!r}" if bad else ""
    advice = f"host: {plain}" + (f", port: {port}" if port else "")
    if found and scheme in ("ws", "wss"):
        advice += ", transport: websockets" + (f", websocket_path: /{path}" if path else "")
    return f"expected a name or an address alone, got {host!r}; write {advice}"


def encryption(sections: Sections) -> Iterator[Finding]:
    hub = sections.of(Hub)
    if hub and hub.tls is None and not is_loopback(hub.host) and not _host_problem(hub.host):
        text = (
            f"is missing, and {hub.host!r} is not this machine: passwords and commands would be "
            "readable on the way; give at least tls.ca"
        )
        yield Finding(("hub.tls", "hub.host", "hub.tls.ca"), text)
    tls = sections.of(Tls)
    if tls and (tls.certificate is None) != (tls.key is None):
        missing, given = ("key", "certificate") if tls.key is None else ("certificate", "key")
        text = f"is missing; tls.{given} is of no use without it"
        yield Finding((f"hub.tls.{missing}", f"hub.tls.{given}"), text)


def password(sections: Sections) -> Iterator[Finding]:
    hub = sections.of(Hub)
    if hub and hub.password_file and not hub.username:
        text = "is missing; a password (hub.password_file) needs it"
        yield Finding(("hub.username", "hub.password_file"), text)


def hub_proxy(sections: Sections) -> Iterator[Finding]:
    hub = sections.of(Hub)
    if hub and hub.proxy and not re.match(r"^http://[^\s/?#]+/?\Z", hub.proxy):
        yield Finding(("hub.proxy",), "is no HTTP proxy; expected http://name:port")
    if hub and not hub.websocket_path.startswith("/"):
        yield Finding(("hub.websocket_path",), "is no path; start it with /")


def picture(sections: Sections) -> Iterator[Finding]:
    camera = sections.of(Camera)
    if camera is None:
        return
    if camera.minimum_bitrate > camera.bitrate:
        text = f"{camera.minimum_bitrate} is more than bitrate ({camera.bitrate}); lower it"
        yield Finding(("devices.camera.minimum_bitrate", "devices.camera.bitrate"), text)
    for name in ("width", "height"):
        size = getattr(camera, name)
        if size % 2:
            text = f"{size} is odd, which H.264 4:2:0 cannot have; use {size - 1} or {size + 1}"
            yield Finding((f"devices.camera.{name}",), text)
    if camera.driver == "v4l2" and re.match(r"^/dev/video\d+$", camera.device or ""):
        text = f"{camera.device} moves when things are plugged; use a path of /dev/v4l/by-id/"
        yield Finding(("devices.camera.device",), text)


def sound_cards(sections: Sections) -> Iterator[Finding]:
    for name, device in (
        ("microphone", sections.of(Microphone)),
        ("speaker", sections.of(Speaker)),
    ):
        if device is None or device.driver != "alsa":
            continue
        if re.search(r"(?<!usb)(:|CARD=)['\"]?\d", device.device or ""):
            text = (
                f"{device.device!r} names the card by index, which moves when things are plugged; "
                "use its id, such as plughw:CARD=Jabra,DEV=0 (ids: /proc/asound/cards)"
            )
            yield Finding((f"devices.{name}.device",), text)


def gpio_chips(sections: Sections) -> Iterator[Finding]:
    for path, section in (
        ("devices.display.relay", sections.of(Relay)),
        ("devices.panel", sections.of(Panel)),
    ):
        if section and section.chip and re.match(r"^(/dev/gpiochip|gpiochip)?\d+$", section.chip):
            text = (
                f"{section.chip!r} is a number, which differs between kernels; use the chip's label "
                "(gpiodetect shows it), or leave it out"
            )
            yield Finding((f"{path}.chip",), text)


def gpio_lines(sections: Sections) -> Iterator[Finding]:
    relay, panel = sections.of(Relay), sections.of(Panel)
    lines: list[tuple[str, str | None, int | None]] = []
    if relay and relay.driver == "gpio":
        lines.append(("devices.display.relay.line", relay.chip, relay.line))
    if panel and panel.driver == "gpio":
        lines.append(("devices.panel.on_air_lamp", panel.chip, panel.on_air_lamp))
        lines.append(("devices.panel.mute_button", panel.chip, panel.mute_button))
        lines.append(("devices.panel.camera_button", panel.chip, panel.camera_button))
        if panel.on_air_lamp is None and panel.mute_button is None:
            text = "needs on_air_lamp, mute_button or both; without a panel leave it out"
            yield Finding(("devices.panel", "devices.panel.on_air_lamp"), text)
    taken: dict[tuple[str | None, int], str] = {}
    for path, chip, line in lines:
        if line is None:
            continue
        other = taken.setdefault((chip, line), path)
        if other != path:
            yield Finding((path, other), f"line {line} is taken by {other} already; use another")


def url_templates(sections: Sections) -> Iterator[Finding]:
    media = sections.of(Media)
    if media is None:
        return
    if len(media.play_urls) > MAX_SOURCES:
        text = f"has {len(media.play_urls)} URLs; a room plays {MAX_SOURCES} at the most"
        yield Finding(("media.play_urls",), text)
    urls = [("media.publish_url", media.publish_url or "")]
    urls += [(f"media.play_urls[{n}]", url) for n, url in enumerate(media.play_urls)]
    for path, url in urls:
        problem = _template_problem(url)
        if problem:
            yield Finding((path, path.partition("[")[0]), problem)


def _template_problem(url: str) -> str | None:
    if not url:
        return None
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(url) if name is not None]
    except ValueError as error:
        return f"has unbalanced braces ({error})"
    unknown = [name for name in names if name not in PLACEHOLDERS]
    if unknown:
        return f"unknown placeholder {unknown[0]} in braces; there are meeting and room"
    if not re.match(r"^https?://[^/]", url):
        return "is no URL; expected http://... or https://..."
    return None


def absolute_paths(sections: Sections) -> Iterator[Finding]:
    for path, value in _paths(sections):
        if value is not None and not value.startswith("/"):
            yield Finding((path,), f"{value!r} is relative, to nobody knows what; start it with /")


def socket_path(sections: Sections) -> Iterator[Finding]:
    control = sections.of(Control)
    if control and len(os.fsencode(control.socket)) > SOCKET_PATH_BYTES:
        text = f"is longer than the {SOCKET_PATH_BYTES} bytes of a Unix socket's path; shorten it"
        yield Finding(("control.socket",), text)


def readable_files(sections: Sections) -> Iterator[Finding]:
    for path, name, secret in _files(sections):
        if name is None:
            continue
        if not name.startswith("/"):
            text = (
                f"{name!r} is neither an absolute path nor a systemd credential of this service "
                "(LoadCredential=, $CREDENTIALS_DIRECTORY)"
            )
            yield Finding((path,), text)
        else:
            problem = _file_problem(Path(name), secret)
            if problem is None and path == "media.token_file":
                problem = _token_problem(Path(name))
            if problem:
                yield Finding((path,), f"{name} {problem}")


def trusted_keys(sections: Sections) -> Iterator[Finding]:
    hub = sections.of(Hub)
    if hub is None or not hub.require_signature:
        return
    folder, paths = Path(hub.trusted_keys), ("hub.trusted_keys", "hub.require_signature")
    try:
        keys = list(folder.glob("*.json"))
        mode = folder.stat().st_mode
    except OSError as error:
        yield Finding(paths, f"{folder} cannot be looked into ({error.strerror})")
        return
    if not keys:
        text = f"{folder} holds no key (*.json), so no command of the hub would be obeyed"
        yield Finding(paths, f"{text}; see docs/hub-security.md")
    others = stat.S_IWGRP | stat.S_IWOTH
    for key in keys:
        if key.stat().st_mode & others:
            yield Finding(paths, f"{key} can be written by others on this machine; chmod 644 it")
    if mode & others:
        text = f"{folder} can be written by others on this machine; chmod 755 it"
        yield Finding(paths, text)


def _token_problem(path: Path) -> str | None:
    """Why what is in the file can't be sent as a bearer token; never shows it."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read: {error}"
    if not re.fullmatch(TOKEN, token):
        return "holds no token: expected one line of visible ASCII letters, without spaces"
    return None if token else "is empty: expected a token"


def _file_problem(path: Path, secret: bool) -> str | None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        hint = "; use sudo" if isinstance(error, PermissionError) else ""
        return f"cannot be found ({error.strerror}{hint})"
    if not stat.S_ISREG(mode):
        return "is not a file"
    if not os.access(path, os.R_OK, effective_ids=True):
        return f"cannot be read by this user (uid {os.geteuid()})"
    if secret and mode & 0o007:
        return "is open to everybody on this machine; chmod 640 it"
    return None


def _files(sections: Sections) -> Iterator[tuple[str, str | None, bool]]:
    """Files that must be there: key, name, whether it is a secret."""
    hub, tls, media = sections.of(Hub), sections.of(Tls), sections.of(Media)
    camera, microphone = sections.of(Camera), sections.of(Microphone)
    if hub:
        yield "hub.password_file", hub.password_file, True
    if tls:
        yield "hub.tls.ca", tls.ca, False
        yield "hub.tls.certificate", tls.certificate, False
        yield "hub.tls.key", tls.key, True
    if media:
        yield "media.token_file", media.token_file, True
        yield "media.ice_credential_file", media.ice_credential_file, True
    if camera and camera.driver == "simulated":
        yield "devices.camera.source", camera.source, False
    if microphone and microphone.driver == "simulated":
        yield "devices.microphone.source", microphone.source, False


def _paths(sections: Sections) -> Iterator[tuple[str, str | None]]:
    """Paths that name no systemd credential."""
    store, control = sections.of(Store), sections.of(Control)
    simulation, speaker = sections.of(Simulation), sections.of(Speaker)
    hub = sections.of(Hub)
    if hub:
        yield "hub.trusted_keys", hub.trusted_keys
    if store:
        yield "store.path", store.path
    if control:
        yield "control.socket", control.socket
    if simulation:
        yield "devices.simulation.directory", simulation.directory
    if speaker:
        yield "devices.speaker.record", speaker.record


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


RULES: tuple[Rule, ...] = (
    hub_host,
    encryption,
    password,
    hub_proxy,
    picture,
    sound_cards,
    gpio_chips,
    gpio_lines,
    url_templates,
    absolute_paths,
    socket_path,
)
FILE_RULES: tuple[Rule, ...] = (readable_files, trusted_keys)
