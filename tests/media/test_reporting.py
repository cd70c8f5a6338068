"""What the media process says about its devices."""

import msgspec
import pytest

from agent.core.model.device_detail import DeviceDetail, SoundDetail
from agent.core.model.documents import DeviceStatus, Status
from agent.core.model.media import DeviceReported, MediaReport
from agent.errors import AgentError, DeviceAbsent, DeviceBusy
from agent.media.reporting import DeviceReporter


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DeviceAbsent("absent", "Microphone: 'Jabra' is not there"), Status.ABSENT),
        (DeviceBusy("busy", "Microphone: held by another program"), Status.FAILED),
    ],
)
def test_a_device_that_is_gone_is_absent_and_any_other_trouble_a_failure(
    error: AgentError, status: Status
) -> None:
    said: list[MediaReport] = []
    DeviceReporter("microphone", True, said.append).failed(error)
    (report,) = said
    assert isinstance(report, DeviceReported)
    assert (report.status.status, report.status.code) == (status, error.code)


def test_what_moves_is_not_told_since_it_would_stand_there_for_the_whole_meeting() -> None:
    said: list[DeviceReported] = []
    detail = SoundDetail(
        rate_hz=48_000, mixer="PCM", xruns=3, silences=1, dropped=2, level_dbfs=-9.0
    )
    DeviceReporter("speaker", True, said.append).opened(
        DeviceStatus(Status.OK, "ok", "Speaker: Jabra", detail=detail)
    )
    (told,) = said
    assert told.status.detail == DeviceDetail(rate_hz=48_000, mixer="PCM")
    assert b"xruns" not in msgspec.json.encode(told)
