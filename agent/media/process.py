"""The media process: `python -m agent.media.process --control-fd N`, started by the supervisor.

It says `Ready` once the engine is loaded, then does as it is told until `Stop`, SIGTERM or the end
of the line; it dies with the daemon, and so do its hold on camera and microphone. Until the engine is loaded, seconds
on a Pi, two things are done already: an urgent call rings, and a `Stop` ends it.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent import locale, settings
from agent.core.model.media import (
    Fault,
    Instruction,
    MediaReport,
    MeetingPlan,
    Ready,
    StandbyPlan,
    Start,
    Stop,
)
from agent.devices import registry
from agent.errors import AgentError, MediaError, MessageError
from agent.ipc import protocol
from agent.ipc.lines import LineBuffer
from agent.media.bell import Bell
from agent.media.loop import Loop

if TYPE_CHECKING:
    from agent.media.meeting import Makers, Meeting
    from agent.media.standby import Standby

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal to get when the parent ends."""

ENDING_SECONDS = 1.8
"""For DELETE and the devices at a stop; the supervisor sends SIGTERM after 2 s."""

EXIT_FAULT = 3


def die_with_parent() -> None:
    """From now on this process ends when the thread that started it does."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Line:
    """The socket to the daemon: reports may be sent from any thread."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()

    def send(self, report: MediaReport) -> None:
        """A daemon that is gone is noticed by the reader."""
        try:
            with self._lock:
                self._control.sendall(protocol.encode(report))
        except OSError:
            pass

    def messages(self) -> Iterator[protocol.ToMedia]:
        """What the daemon says, until the end of the line. Raises MessageError for what it does not say."""
        buffer = LineBuffer(protocol.MAX_LINE_BYTES)
        while chunk := self._read():
            for line in buffer.feed(chunk):
                yield protocol.decode_for_media(line)

    def _read(self) -> bytes:
        try:
            return self._control.recv(65536)
        except OSError:
            return b""


class MediaProgram:
    """Reads instructions in the main thread and gives them to the loop, whose thread loads the engine first."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = Loop()
        self._bell = Bell(registry.speaker, line.send)
        self._loaded = threading.Event()
        self._configure: protocol.Configure | None = None
        self._meeting: Meeting | None = None
        self._standby: Standby | None = None
        self._thread = threading.Thread(target=self._run, name="loop")

    def run(self) -> int:
        """Until the line ends or says stop. The exit status."""
        self._thread.start()
        try:
            self._read()
        except MessageError as error:  # it would never be told what to do
            self._line.send(Fault(error.code, error.text))
            os._exit(EXIT_FAULT)
        self.stop()
        self._thread.join()
        return 0

    def _read(self) -> None:
        for message in self._line.messages():
            self._bell.heed(message)
            if isinstance(message, Stop):
                return
            self._loop.post(lambda message=message: self._take(message))  # type: ignore[misc]

    def stop(self) -> None:
        """From any thread. While it loads nothing is open but the loudspeaker, which goes with the process."""
        if not self._loaded.is_set():
            os._exit(0)
        self._loop.post(self._loop.stop)

    def _load(self) -> None:
        try:
            from agent.media import gst
        except (ImportError, ValueError) as error:
            text = f"GStreamer is not usable: {error}; install python3-gi and gir1.2-gst-plugins-bad-1.0"
            raise MediaError("engine-absent", text) from error
        self._loaded.set()
        self._line.send(Ready(os.getpid(), gst.version()))

    def _run(self) -> None:
        try:
            self._load()
            self._loop.run()
            self._end(0)
        except AgentError as error:
            self._line.send(Fault(error.code, error.text))
            self._end(EXIT_FAULT)
        except BaseException as error:
            traceback.print_exc()
            self._line.send(Fault("internal", f"mistake in the media process: {error!r}"))
            os._exit(EXIT_FAULT)

    def on_mistake(self, what: threading.ExceptHookArgs) -> None:
        """A thread that died in silence would leave a meeting without sound or picture."""
        traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)
        self._line.send(Fault("internal", f"mistake in the media process: {what.exc_value!r}"))
        os._exit(EXIT_FAULT)

    def _end(self, status: int) -> None:
        """Close what is open, then leave at once: no library may hold up the exit."""
        deadline = time.monotonic() + ENDING_SECONDS
        hushing = threading.Thread(target=self._bell.close, daemon=True)
        hushing.start()
        carried = self._meeting or self._standby
        for thread in [hushing, *(carried.close() if carried else ())]:
            thread.join(max(0.0, deadline - time.monotonic()))
        os._exit(status)

    def _take(self, message: protocol.ToMedia) -> None:
        match message:
            case protocol.Configure():
                self._configure = message
            case Start():
                self._start(message)
            case _:
                self._instruct(message)

    def _start(self, start: Start) -> None:
        from agent.media.pipeline import SharedClock
        from agent.media.standby import Standby

        if self._configure is None or self._meeting or self._standby:
            raise MessageError("bad-frame", "start comes once, after configure")
        output = self._configure.devices.display.output
        locale.use(output.language)
        if isinstance(start.plan, StandbyPlan):
            self._standby = Standby(self._loop, SharedClock(), output, start.plan, self._line.send)
            self._standby.start()
        else:
            self._start_meeting(self._configure, start.plan)

    def _start_meeting(self, configure: protocol.Configure, plan: MeetingPlan) -> None:
        from agent.media.context import Context
        from agent.media.figures import Figures
        from agent.media.meeting import Meeting
        from agent.media.pipeline import SharedClock
        from agent.media.webrtc.certificate import make_certificate
        from agent.media.webrtc.dialing import Dialer
        from agent.media.webrtc.http import HttpClient
        from agent.media.webrtc.ice import IceServers, servers
        from agent.media.webrtc.network import Network
        from agent.media.webrtc.open_sessions import OpenSessions

        devices, media = configure.devices, configure.media
        http = HttpClient(Dialer(), media.hosts)
        sessions = OpenSessions(http, self._line.send)
        ice = IceServers(servers(media.ice_servers, media.ice_credential_file))
        network = Network(make_certificate(), media.local_address, http, sessions, ice)
        context = Context(self._loop, SharedClock(), network, devices, media, self._line.send)
        sessions.sweep(plan.leftovers)
        self._meeting = Meeting(context, plan, _makers(devices))
        self._meeting.start()
        Figures(self._loop, self._meeting, self._line.send)

    def _instruct(self, instruction: Instruction) -> None:
        carried = self._meeting or self._standby
        if carried is None:
            raise MessageError("bad-frame", "an instruction before the start")
        carried.apply(instruction)


def _makers(devices: settings.Devices) -> Makers:
    from agent.media.meeting import Makers

    camera, microphone, speaker = devices.camera, devices.microphone, devices.speaker
    simulation = devices.simulation
    return Makers(
        (lambda: registry.camera(camera, simulation)) if camera else None,
        (lambda: registry.microphone(microphone, simulation)) if microphone else None,
        (lambda: registry.speaker(speaker, simulation)) if speaker else None,
    )


def main() -> int:
    die_with_parent()
    parser = argparse.ArgumentParser(description="The daemon's media process; not for use by hand.")
    parser.add_argument("--control-fd", type=int, required=True)
    program = MediaProgram(Line(socket.socket(fileno=parser.parse_args().control_fd)))
    threading.excepthook = program.on_mistake
    signal.signal(signal.SIGTERM, lambda *_: program.stop())
    return program.run()


if __name__ == "__main__":
    sys.exit(main())
