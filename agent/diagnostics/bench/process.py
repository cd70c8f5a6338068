"""The test process: reads one request from its input, tries the device out, writes JSON lines.

Started by `borrow`, which kills it when a meeting begins; it also ends by itself a minute after it has loaded.
"""

from __future__ import annotations

import signal
import sys

from agent.diagnostics.bench import audio
from agent.diagnostics.bench.protocol import Line, Loaded, Refusal, Request, decode_request, encode
from agent.errors import DeviceError
from agent.ipc.loading import LONGEST_LOADING_SECONDS
from agent.ipc.patience import patience

LIFETIME_SECONDS = 60
"""No task takes longer, once it has loaded; a driver that hangs in the kernel may outlive even this."""


def main() -> None:
    """Serve one request."""
    signal.alarm(int(LONGEST_LOADING_SECONDS) + LIFETIME_SECONDS)
    request = decode_request(sys.stdin.buffer.readline())
    try:
        _write(_serve(request))
    except DeviceError as error:
        _write(Refusal(error.code, error.text))
    except OSError as error:
        _write(Refusal("no-file", str(error)))


def _serve(request: Request) -> Line:
    match request.task:
        case "camera":
            from agent.diagnostics.bench.camera import try_camera

            _begin()
            return try_camera(request)
        case "microphone":
            _begin()
            return audio.try_microphone(request, _write)
        case "tone":
            _begin()
            return audio.try_tone(request)
        case "play":
            _begin()
            return audio.try_recording(request)
        case "loop":
            _begin()
            return audio.try_loop(request)


def _begin() -> None:
    signal.alarm(int(patience(LIFETIME_SECONDS)))
    _write(Loaded())


def _write(line: Line) -> None:
    sys.stdout.buffer.write(encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
