"""What the media tests say again and again: a simulated room and its plan for a meeting."""

from __future__ import annotations

from pathlib import Path

import av

from agent.core.model.commands import Endpoint, Source
from agent.core.model.media import (
    DownlinkReported,
    MeetingPlan,
    SnapshotTaken,
    TakeSnapshot,
    UplinkReported,
)
from agent.settings import Camera, Devices, Microphone, Simulation, Speaker
from tests.support.media_process import MediaProcess
from tests.support.pictures import Picture
from tests.support.waiting import wait_for

TONE_HZ = 440.0


def room(
    *,
    camera: bool = True,
    microphone: bool = True,
    record: str | None = None,
    folder: str | None = None,
    processing: bool | None = None,
) -> Devices:
    """Simulated devices, small pictures; `record` gets what the loudspeaker plays."""
    return Devices(
        camera=Camera(driver="simulated", width=640, height=360, bitrate=600_000)
        if camera
        else None,
        microphone=Microphone(driver="simulated", tone_hz=TONE_HZ, processing=processing)
        if microphone
        else None,
        speaker=Speaker(driver="simulated", record=record),
        simulation=Simulation(directory=folder),
    )


def plan(
    publish: str | None = None,
    play: list[str] | None = None,
    *,
    live: bool = True,
    token: str | None = None,
) -> MeetingPlan:
    return MeetingPlan(
        meeting="giao-ban",
        room="test",
        publish=Endpoint(publish, token) if publish else None,
        play=[Source(url, token) for url in play or []],
        microphone_live=live,
        camera_live=True,
        speaker_volume=100,
    )


def flowing(report: UplinkReported | DownlinkReported) -> bool:
    return report.state == "flowing"


def snapshot(process: MediaProcess, path: Path) -> Picture:
    """What the screen shows now, or as soon as there is something."""

    def taken() -> bool:
        said = len(process.reports)
        process.send(TakeSnapshot("1", "received", str(path)))
        return process.wait(SnapshotTaken, seconds=40, after=said).error == ""

    wait_for(taken, 40, "a picture of the screen")
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24")
