"""A picture on trial is known for too much by the sound that comes late meanwhile."""

from __future__ import annotations

from agent.media.receiving.picture_trial import PictureTrial

PIECE_SECONDS = 0.02
ON_ITS_WAY_SECONDS = 0.02
QUEUE_SECONDS = 0.3
BEFORE_PIECES = 25
PICTURE, SOUND, KEYFRAME_BITS = 1_500_000, 50_000, 400_000


def harmed_after(bits_per_second: float) -> float | None:
    """Seconds until a picture on a link as wide as this is known to harm the sound; None: in a second it
    was not. It begins with a keyframe, and a queue overflows.
    """
    trial = PictureTrial()
    assert not any(trial.harms(late(0.0)) for _ in range(BEFORE_PIECES))
    queued_bits = float(KEYFRAME_BITS)
    for piece in range(round(1 / PIECE_SECONDS)):
        queued_bits += (PICTURE + SOUND - bits_per_second) * PIECE_SECONDS
        queued_bits = min(max(queued_bits, 0.0), QUEUE_SECONDS * bits_per_second)
        if trial.harms(late(queued_bits / bits_per_second)):
            return piece * PIECE_SECONDS
    return None


def late(queue_seconds: float) -> int:
    return int((ON_ITS_WAY_SECONDS + queue_seconds) * 1e9)


def test_a_link_that_is_far_too_narrow_is_known_in_a_moment() -> None:
    for bits_per_second in (60_000, 500_000, 1_000_000):
        seconds = harmed_after(bits_per_second)
        assert seconds is not None
        assert seconds <= 0.1


def test_one_that_is_a_little_too_narrow_is_known_too() -> None:
    assert harmed_after(1_450_000) is not None


def test_a_keyframe_harms_nobody_on_a_link_that_is_wide_enough() -> None:
    for bits_per_second in (3_000_000, 5_000_000, 20_000_000):
        assert harmed_after(bits_per_second) is None


def test_a_busy_processor_is_no_narrow_link() -> None:
    trial = PictureTrial()
    held_up = [0.0] * 50 + [0.4, 0.38] + [0.0] * 50 + [0.12] * 10 + [0.0] * 50
    assert not any(trial.harms(late(seconds)) for seconds in held_up)
