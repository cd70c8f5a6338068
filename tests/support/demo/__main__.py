"""`./scripts/demo`: sets the stage, plays, gives the verdict."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading

from agent.errors import AgentError
from tests.support.demo.play import MEETING, Play, Refused
from tests.support.demo.stage import GROUP, ROOT, TOPIC_ROOT, Stage
from tests.support.demo.timeline import Timeline
from tests.support.demo.watching import Watching

INTERRUPTED = 130
"""What shells say of a program that Ctrl-C ended."""

PICTURES = ROOT / "out" / "demo"


def main() -> int:
    """Returns the exit code: 0 only if everything held."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Two rooms meet.")
    parser.add_argument(
        "--keep", action="store_true", help="stay in the meeting until Ctrl-C, to try by hand"
    )
    parser.add_argument(
        "--watch", action="store_true", help="as --keep, with a page that shows what the rooms see"
    )
    parser.add_argument(
        "--meeting", action="store_true", help="three rooms, run by the conductor, with its page"
    )
    given = parser.parse_args()
    keep = given.keep or given.watch
    PICTURES.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    timeline = Timeline()
    if given.meeting:
        return meeting(timeline, keep=keep)
    with Stage(timeline) as stage, contextlib.ExitStack() as contexts:
        try:
            play = Play(timeline, stage, PICTURES)
            play.meet()
            if given.watch:
                page = contexts.enter_context(Watching(stage.rooms))
                print(f"\nWhat each room sees, live: {page.url}", flush=True)
            if keep:
                wait_for_interrupt(stage)
            play.leave()
            play.go()
        except KeyboardInterrupt:
            print("\nInterrupted; what was started is being stopped.")
            return INTERRUPTED
        except (TimeoutError, OSError, Refused) as error:
            timeline.check(False, "the demo went on to its end", str(error))
            show_logs(stage)
    return verdict(timeline)


def meeting(timeline: Timeline, *, keep: bool) -> int:
    from tests.support.demo.meeting import MeetingPlay

    try:
        MeetingPlay(timeline, PICTURES).run(keep=keep)
    except KeyboardInterrupt:
        print("\nInterrupted; what was started is being stopped.")
        return INTERRUPTED
    except (AssertionError, AgentError, OSError) as error:
        timeline.check(False, "the demo went on to its end", str(error))
    return verdict(timeline)


def wait_for_interrupt(stage: Stage) -> None:
    """Say what can be tried by hand, and wait for Ctrl-C."""
    broker = f"-V 5 -h 127.0.0.1 -p {stage.broker.port}"
    commands = f"{TOPIC_ROOT}/group/{GROUP}/cmd"
    print(
        "\nThe rooms stay in their meeting until Ctrl-C. In another terminal, as the hub:",
        f"  mosquitto_sub {broker} -v -t '{TOPIC_ROOT}/#'",
        f"  mosquitto_pub {broker} -t {commands}/mute \\\n    -m '{{}}'",
        f"  mosquitto_pub {broker} -t {commands}/leave \\\n    -m '{{}}'",
        f"  mosquitto_pub {broker} -t {commands}/join \\"
        f'\n    -m \'{{"meeting": {{"id": "{MEETING}"}}}}\'',
        f"and as the technician in {stage.lung_cu.id}:",
        f"  export DIEMCAU_CONFIG={stage.lung_cu.folder}/agent.yaml",
        "  .venv/bin/python -m agent status",
        "  .venv/bin/python -m agent doctor",
        sep="\n",
        flush=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    print()


def show_logs(stage: Stage) -> None:
    for room in stage.rooms:
        print(f"--- the end of {room.id}'s log", *room.log_tail(), sep="\n")


def verdict(timeline: Timeline) -> int:
    print(f"\nThe pictures are in {PICTURES.relative_to(ROOT)}/.")
    seconds = f"{timeline.elapsed_seconds():.0f} s"
    if timeline.failed:
        print(f"The demo FAILED after {seconds}:", *timeline.failed, sep="\n  ")
        return 1
    print(f"All {timeline.held} checks held, in {seconds}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
