"""What a driver says of its device beside the words for people: the `detail` of health's `devices`.

A field that is None is not known and is left out on the wire. docs/contract.md lists every one;
`tests/docs/test_contract.py` compares the lists.
"""

from __future__ import annotations

from typing import Self

from msgspec import structs

from agent.core.model.sparse import Sparse


class DeviceDetail(Sparse, frozen=True, omit_defaults=True, kw_only=True):
    """As it was when the device was looked for or opened; what moves meanwhile is in health's `media`."""

    device: str | None = None
    sensor: str | None = None
    width: int | None = None
    height: int | None = None
    framerate: float | None = None
    measured_framerate: float | None = None
    encoder: str | None = None
    hardware: bool | None = None
    rate_hz: int | None = None
    period_frames: int | None = None
    mixer: str | None = None
    connector: str | None = None
    connected: bool | None = None
    monitor: str | None = None
    holders: dict[str, str] | None = None
    """GPIO line -> the program that has it, empty if none."""

    def lasting(self) -> DeviceDetail:
        """Without what would be old a second later."""
        return DeviceDetail(
            **{name: getattr(self, name) for name in DeviceDetail.__struct_fields__}
        )


class SoundDetail(DeviceDetail, frozen=True, omit_defaults=True, kw_only=True):
    """What an open microphone or loudspeaker counts and measures, for who has it open; never on the wire."""

    xruns: int | None = None
    """How often its buffer ran over (microphone) or dry (loudspeaker)."""
    silences: int | None = None
    """How often it gave no sound in time."""
    dropped: int | None = None
    """How often it took no sound in time."""
    level_dbfs: float | None = None

    @classmethod
    def of(cls, detail: DeviceDetail) -> Self:
        """What `detail` has of it; of another kind of driver, nothing more than that."""
        return detail if isinstance(detail, cls) else cls(**structs.asdict(detail))
