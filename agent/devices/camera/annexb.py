"""H.264 as encoders write it (Annex B): its NAL units, and access units that can be decoded alone.

Pure. An encoder may write its parameter sets before the first keyframe only, or into a packet of
their own, without saying that this is a keyframe: FFmpeg on the Pi's encoder asks for just that.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import DeviceError

SLICE, IDR_SLICE, SEQUENCE_PARAMETER_SET, PICTURE_PARAMETER_SET, DELIMITER = 1, 5, 7, 8, 9
"""NAL unit types (H.264, table 7-1)."""


def nal_units(unit: bytes) -> Iterator[tuple[int, int]]:
    """Where each NAL unit begins, start code included, and its type, up to the first slice."""
    at = unit.find(b"\0\0\1")
    while 0 <= at < len(unit) - 3:
        kind = unit[at + 3] & 0x1F
        yield (at - 1 if at > 0 and unit[at - 1] == 0 else at), kind
        if kind in (SLICE, IDR_SLICE):
            return
        at = unit.find(b"\0\0\1", at + 3)


class ParameterSets:
    """Remembers an encoder's parameter sets, whichever packet they come in, and completes keyframes."""

    def __init__(self, encoder: str) -> None:
        """`encoder`: its name, for messages."""
        self._encoder = encoder
        self._sets: dict[int, bytes] = {}

    def complete(self, packet: bytes) -> tuple[bytes, bool] | None:
        """The access unit and whether it is a keyframe, which then stands alone.

        None for a packet without a picture. Raises DeviceError for a keyframe of an encoder that has
        given no parameter sets: no receiver could decode it.
        """
        found = list(nal_units(packet))
        ends = [at for at, _ in found[1:]] + [len(packet)]
        for (at, kind), end in zip(found, ends[: len(found)], strict=True):
            if kind in (SEQUENCE_PARAMETER_SET, PICTURE_PARAMETER_SET):
                self._sets[kind] = packet[at:end]
        kinds = [kind for _, kind in found]
        if SLICE not in kinds and IDR_SLICE not in kinds:
            return None
        keyframe = IDR_SLICE in kinds
        return (self._standing_alone(packet, found) if keyframe else packet), keyframe

    def _standing_alone(self, packet: bytes, found: list[tuple[int, int]]) -> bytes:
        kinds = [kind for _, kind in found]
        wanted = (SEQUENCE_PARAMETER_SET, PICTURE_PARAMETER_SET)
        missing = [kind for kind in wanted if kind not in kinds]
        if any(kind not in self._sets for kind in missing):
            text = f"Camera: H.264 encoder {self._encoder} gives no parameter sets; no receiver can play that"
            raise DeviceError("encoder", text)
        if not missing:
            return packet
        rest = [(at, kind) for at, kind in found if kind not in (DELIMITER, *wanted)]
        begin = rest[0][0]
        head = packet[: found[1][0]] if found[0][1] == DELIMITER else b""
        return head + b"".join(self._sets[kind] for kind in wanted) + packet[begin:]
