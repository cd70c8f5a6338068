"""Puts the daemon together from its settings and runs it: the composition root.

The one place that knows every package; nothing but this and the media process constructs drivers.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agent import __version__, config, host, ports
from agent.core.model.addresses import all_groups
from agent.core.model.documents import DeviceStatus
from agent.core.model.events import Event, LineChanged, ReloadRequested, StopRequested
from agent.core.model.profile import Profile
from agent.core.room import Room
from agent.devices import registry, status
from agent.errors import AgentError, ConfigError, DeviceError
from agent.hub import certificate
from agent.hub.link import Link
from agent.ipc.patience import slowness
from agent.ipc.supervisor import Supervisor
from agent.runtime import logs
from agent.runtime.checker import Checker
from agent.runtime.clock import Synchronisation, SystemClock
from agent.runtime.code import InstalledCode
from agent.runtime.control import ControlServer, QueryReceived
from agent.runtime.inbox import Inbox
from agent.runtime.loop import Loop
from agent.runtime.outside import Outside
from agent.runtime.performer import Performer
from agent.runtime.prober import Prober
from agent.runtime.queries import Queries
from agent.runtime.restoring import keep_time, last_good_time, restored
from agent.runtime.systemd import Notifier
from agent.runtime.timers import Timers
from agent.settings import Settings
from agent.store.journal import Journal

DaemonInbox = Inbox[Event | QueryReceived]

log = logging.getLogger(__name__)

EXIT_CANNOT_START = 1
EXIT_BAD_SETTINGS = 2
REBOOT_REQUEST = "reboot"
"""A file beside the control socket; systemd's diemcau-reboot.path reboots on it, so that the agent
needs no privilege for it."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def run(config_path: Path, complain: Callable[[str], None]) -> int:
    """Be the daemon until told to stop; returns the exit code (see EXIT_...).

    `complain` gets, line by line, why it could not start.
    """
    try:
        settings = config.load(config_path)
    except ConfigError as error:
        for problem in error.problems:
            complain(problem)
        return EXIT_BAD_SETTINGS
    logs.configure(settings.room.id)
    faulthandler.register(signal.SIGUSR1)
    try:
        with ExitStack() as stack:
            restart = _serve(settings, config_path, stack)
    except AgentError as error:
        log.critical("%s", error)
        complain(error.text)
        return EXIT_CANNOT_START
    except OSError as error:
        log.critical("%s", error, exc_info=error)
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return EXIT_CANNOT_START
    if restart == "host":
        Path(settings.control.socket).with_name(REBOOT_REQUEST).touch()
    elif restart == "agent" and not _under_systemd():
        os.execv(
            sys.executable, [sys.executable, "-m", "agent", "run", "--config", str(config_path)]
        )
    return 0


def _serve(settings: Settings, config_path: Path, stack: ExitStack) -> str:
    """Start in order, run the loop, stop in the reverse order; returns what to restart."""
    inbox = DaemonInbox()
    boot = BOOT_ID.read_text().strip()
    room = Room(profile(settings, boot))
    outside, display_on = _outside(settings, config_path, stack, inbox)
    performer = Performer(outside)
    pictures = Path(settings.control.socket).parent
    loop = Loop(
        inbox, room, performer, Queries(room, performer, outside.supervisor, pictures), outside
    )
    _heed_signals(inbox.put, outside.notifier)
    outside.hub.start(room.state(outside.clock.now()))
    outside.notifier.ready()
    return loop.run(restored(outside.journal, boot, display_on))


def _outside(
    settings: Settings, config_path: Path, stack: ExitStack, inbox: DaemonInbox
) -> tuple[Outside, bool]:
    """Every port, constructed and registered to be closed; and whether the display is on."""
    trusted = settings.clock.trusted
    control = ControlServer(Path(settings.control.socket), inbox.put)
    stack.callback(control.close)
    control.start()  # before all else: a second daemon ends here and disturbs nothing
    clock_is_set = Synchronisation(lambda: trusted or host.synchronised(host.System()))
    journal = Journal(settings.store.path, clock_is_set=clock_is_set)
    stack.callback(journal.close)
    broken: dict[str, DeviceStatus] = {}
    relay, display_on = _open_relay(settings, stack, broken)
    panel = _open_panel(settings, stack, inbox.put, broken)
    outside = Outside(
        hub=Link(settings.hub, settings.room, inbox.put, busy=inbox.is_busy),
        journal=journal,
        supervisor=Supervisor(inbox.put, settings.devices, settings.media),
        relay=relay,
        panel=panel,
        control=control,
        prober=Prober(
            inbox.put,
            probe=lambda: registry.probe_all(settings.devices, panel) | broken,
            sample=lambda: host.sample(
                settings.store.path,
                clock_trusted=trusted,
                journal=journal.condition,
                certificate_days_left=_certificate_days_left(settings),
            ),
        ),
        settings_problem=partial(_settings_problem, config_path),
        checker=Checker(inbox.put, config_path, Path(settings.control.socket)),
        notifier=Notifier.from_environment(),
        timers=Timers(),
        clock=SystemClock(
            clock_is_set,
            last_good=last_good_time(journal),
            keep=lambda now: keep_time(journal, now),
        ),
        code=InstalledCode(),
        post=inbox.put,
    )
    for port in (outside.clock, outside.prober, outside.hub, outside.supervisor, outside.checker):
        stack.callback(port.close)
    stack.callback(outside.notifier.stopping)
    return outside, display_on


def _certificate_days_left(settings: Settings) -> float | None:
    tls = settings.hub.tls
    if tls is None or tls.certificate is None:
        return None
    return certificate.days_left(tls.certificate, datetime.now(UTC))


def _settings_problem(config_path: Path) -> str:
    """Why the daemon could not start with what is on disk now, in a line; empty if it could."""
    try:
        config.load(config_path)
    except ConfigError as error:
        return "; ".join(error.problems[:3])[:400]
    except Exception as error:  # whatever it is, it would end the start as well
        return f"{error!r}"[:400]
    return ""


def profile(settings: Settings, boot: str) -> Profile:
    """What the core needs to know of the settings."""
    devices, display = settings.devices, settings.devices.display
    fitted = {
        "camera": devices.camera,
        "microphone": devices.microphone,
        "speaker": devices.speaker,
        "display": display.relay,
        "panel": devices.panel,
    }
    relay = display.relay
    return Profile(
        room=settings.room.id,
        name=settings.room.name or settings.room.id,
        version=__version__,
        started=datetime.now(UTC),
        boot=boot,
        has_relay=relay is not None,
        has_screen=display.output.driver != "none",
        required=frozenset(name for name, d in fitted.items() if d is not None and d.required),
        fitted=frozenset(name for name, device in fitted.items() if device is not None),
        publish_template=settings.media.publish_url,
        play_templates=tuple(settings.media.play_urls),
        token=_read_secret(settings.media.token_file),
        hosts=settings.media.hosts,
        display_warm_up_seconds=relay.warm_up_seconds if relay else 0,
        display_hold_seconds=relay.hold_seconds if relay else 0,
        health_interval_seconds=settings.health.interval_seconds,
        groups=tuple(all_groups(settings.room.groups)),
        speaker_volume=devices.speaker.volume if devices.speaker else 0,
        agenda=settings.agenda.rules,
        camera_by_long_press=devices.panel is not None and devices.panel.camera_by_long_press,
        slowness=slowness(),
    )


def _read_secret(path: str | None) -> str | None:
    """Raises AgentError for a file that is gone since the settings were looked at, or no text."""
    try:
        return Path(path).read_text(encoding="utf-8").strip() if path else None
    except (OSError, UnicodeDecodeError) as error:
        text = f"media.token_file: {path} cannot be read: {error}"
        raise AgentError("bad-token-file", text) from error


def _open_relay(
    settings: Settings, stack: ExitStack, broken: dict[str, DeviceStatus]
) -> tuple[ports.DisplayRelay | None, bool]:
    """The relay as it is, without a blip. A broken one costs the display's power, not the room."""
    wanted = settings.devices.display.relay
    if wanted is None:
        return None, True
    try:
        relay = registry.relay(wanted, settings.devices.simulation)
        stack.callback(relay.close)
        return relay, relay.open(None)
    except Exception as error:  # a library's mistake must not keep the room away
        broken["display"] = _not_opened("Display relay", error, required=wanted.required)
        return None, False


def _open_panel(
    settings: Settings, stack: ExitStack, post: ports.Post, broken: dict[str, DeviceStatus]
) -> ports.Panel | None:
    wanted = settings.devices.panel
    if wanted is None:
        return None
    try:
        panel = registry.panel(wanted, settings.devices.simulation)
        stack.callback(panel.close)
        panel.open(
            lambda pressed: post(LineChanged("mute-button", pressed)),
            lambda pressed: post(LineChanged("camera-button", pressed)),
        )
    except Exception as error:  # as above
        broken["panel"] = _not_opened("Panel", error, required=wanted.required)
        return None
    return panel


def _not_opened(name: str, error: Exception, *, required: bool) -> DeviceStatus:
    """For health, which else would only see that the GPIO chip is there."""
    log.error("%s: %s", name, error)
    if isinstance(error, DeviceError):
        return status.of_error(error, required=required)
    return status.failed("failed", f"{name}: cannot be opened: {error!r}", required=required)


def _heed_signals(post: ports.Post, notifier: Notifier) -> None:
    """SIGTERM and SIGINT end it; SIGHUP is `systemctl reload`, and a hang-up without systemd."""

    def reload(_got: int, _frame: object) -> None:
        notifier.reloading()
        post(ReloadRequested())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: post(StopRequested(signal.Signals(got).name)))
    if _under_systemd():
        signal.signal(signal.SIGHUP, reload)


def _under_systemd() -> bool:
    """Whether somebody starts us again when we end (systemd.exec(5))."""
    return "INVOCATION_ID" in os.environ
