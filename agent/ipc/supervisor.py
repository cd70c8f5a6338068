"""The daemon's hold on the media process: spawn it, instruct it, end it (`ports.MediaSupervisor`).

The media process is `agent.media.process`, spawned and never forked, so that it inherits no GPIO line and no
lock (failures row 11); what it says and how it ends comes back as events with its generation.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

from agent.core.model.events import MediaExited
from agent.core.model.media import Instruction, MediaPlan, MeetingPlan, SetSources, Start
from agent.ipc.protocol import Configure
from agent.ipc.spawned_process import SpawnedProcess
from agent.ports import Post
from agent.settings import Devices, Media

log = logging.getLogger(__name__)

MEDIA_PROCESS = (sys.executable, "-m", "agent.media.process")
CLOSE_SECONDS = 5.0
CANNOT_START = 127
"""The exit status of a media process that could not be spawned, as a shell has it."""

PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY")
PASSED_ON_PREFIXES = ("LC_", "XDG_", "GST_", "ALSA_", "LIBCAMERA_", "SSL_", "PYTHON")
"""What of our environment the media process needs: not systemd's sockets, not anybody's secrets."""


class Supervisor:
    """Holds one media process at a time. All calls come from one thread that outlives the processes:

    a media process is killed by the kernel when the thread that spawned it ends (PR_SET_PDEATHSIG).
    """

    def __init__(
        self, post: Post, devices: Devices, media: Media, command: Sequence[str] = MEDIA_PROCESS
    ) -> None:
        self._post = post
        self._configure = Configure(devices, media)
        self._command = command
        self._environment = _process_environment(os.environ)
        self._spawned: SpawnedProcess | None = None

    def start(self, generation: int, plan: MediaPlan) -> None:
        """Spawn a media process for this plan. One that should still be there is killed first."""
        if self._spawned is not None:
            self._spawned.kill("was replaced")
            self._spawned = None
        try:
            self._spawned = self._spawn(generation, _tokens(plan))
        except OSError as error:
            text = f"cannot start the media process {' '.join(self._command)}: {error}"
            log.error("%s", text)
            self._post(MediaExited(generation, CANNOT_START, text))
            return
        self._spawned.send(self._configure)
        self._spawned.send(Start(plan))

    def instruct(self, instruction: Instruction) -> None:
        """Pass it on; without a media process, nothing happens."""
        if self._spawned is None:
            return
        if isinstance(instruction, SetSources):
            self._spawned.hide(_tokens(instruction))
        self._spawned.send(instruction)

    def stop(self) -> None:
        """Stop instruction, SIGTERM after 2 s, SIGKILL after 2 more. `MediaExited` follows."""
        if self._spawned is not None:
            self._spawned.stop()

    def close(self) -> None:
        """End the media process for good and reap it, 5 s at the most; may be called twice."""
        if self._spawned is None:
            return
        self._spawned.stop()
        if not self._spawned.join(CLOSE_SECONDS):
            log.error("the media process does not die: a driver holds it in the kernel")
        self._spawned = None

    def _spawn(self, generation: int, secrets: Iterable[str | None]) -> SpawnedProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(
                    [*self._command, "--control-fd", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=[theirs.fileno()],
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C at a terminal is for the daemon alone
                )
            except OSError:
                ours.close()
                raise
        spawned = SpawnedProcess(process, ours, generation, self._post)
        spawned.hide(secrets)
        spawned.start()
        return spawned


def _tokens(told: MediaPlan | SetSources) -> list[str | None]:
    """The secrets in it."""
    match told:
        case MeetingPlan(publish=publish, play=play):
            return [publish.token if publish else None, *(source.token for source in play)]
        case SetSources(play):
            return [source.token for source in play]
    return []


def _process_environment(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environment.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
