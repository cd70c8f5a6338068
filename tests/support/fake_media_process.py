"""A tiny media process that behaves as its first argument says; it speaks the protocol by hand.

Run by tests/process as `python -I -S fake_media_process.py BEHAVIOUR --control-fd N`. Standard library only,
so that it starts in milliseconds.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time

BEHAVIOUR = sys.argv[1]
LINE = socket.socket(fileno=int(sys.argv[sys.argv.index("--control-fd") + 1]))
INSTRUCTIONS = LINE.makefile("rb")


def say(**report: object) -> None:
    LINE.sendall(json.dumps(report).encode() + b"\n")


def ready() -> None:
    say(kind="ready", pid=os.getpid(), engine="fake")


def hang() -> None:
    while True:
        time.sleep(60)


def obedient() -> None:
    """Answer every instruction; end at `stop` or at the end of the line."""
    ready()
    for line in INSTRUCTIONS:
        instruction = json.loads(line)
        if instruction["kind"] == "stop":
            return
        say(kind="applied", request=instruction["kind"])


def meeting() -> None:
    """Is in every meeting at once: devices are open, media flows, instructions are obeyed."""
    ready()
    for line in INSTRUCTIONS:
        instruction = json.loads(line)
        if instruction["kind"] == "start":
            devices(opened=True)
            say(kind="uplink", state="flowing")
            sources(instruction["plan"]["play"])
        elif instruction["kind"] == "stop":
            devices(opened=False)
            return
        elif "request" in instruction:
            sources(instruction.get("play", []))
            say(kind="applied", request=instruction["request"])


def sources(play: list[dict[str, str]]) -> None:
    for source in play:
        say(kind="downlink", url=source["url"], state="flowing")


def devices(*, opened: bool) -> None:
    for device in ("camera", "microphone"):
        status = {"status": "ok", "code": "ok", "text": ""}
        say(kind="device", device=device, open=opened, status=status)


def deaf() -> None:
    """Reads nothing, so doesn't mind `stop`; ends at SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ready()
    hang()


def stubborn() -> None:
    """Minds neither `stop` nor SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready()
    hang()


def slow_to_load() -> None:
    hang()


def loads_long() -> None:
    """Computes for three seconds before it is ready, as the first load on a slow board."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        pass
    obedient()


def computes_for_ever() -> None:
    while True:
        pass


def scans_long() -> None:
    """Waits for a process that computes for three seconds, as GStreamer for its plugin scanner."""
    program = "import time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)
    obedient()


def segfault() -> None:
    ready()
    print("codec: something is off", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def fault() -> None:
    ready()
    say(kind="fault", code="camera-lost", text="the camera was unplugged")
    sys.exit(3)


def garbage() -> None:
    ready()
    LINE.sendall(b"\xff\x00 hello\n")
    hang()


def endless_line() -> None:
    ready()
    while True:
        LINE.sendall(b"x" * 65536)


def flood() -> None:
    ready()
    while True:
        say(kind="measured", figures={})


def chatty() -> None:
    """Prints the token that it was given, then far too much, then an unfinished line."""
    ready()
    INSTRUCTIONS.readline()
    plan = json.loads(INSTRUCTIONS.readline())["plan"]
    print(f"sending token={plan['publish']['token']}", file=sys.stderr)
    print("Authorization: Bearer s3cr3t", file=sys.stderr)
    for number in range(5000):
        print(f"\x1b[31mwarning\x1b[0m {number}", file=sys.stderr)
    print("the end", end="", file=sys.stderr, flush=True)


def hang_up() -> None:
    """Closes its line and stays."""
    ready()
    INSTRUCTIONS.close()
    LINE.close()
    hang()


def with_grandchild() -> None:
    """Starts a process that would outlive it with the control line and stderr open."""
    grandchild = subprocess.Popen(["sleep", "600"], pass_fds=[LINE.fileno()])
    say(kind="applied", request=str(grandchild.pid))
    obedient()


globals()[BEHAVIOUR]()
