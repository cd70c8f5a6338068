"""What the media process says about its devices."""

import pytest

from agent.core.model.documents import Status
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
