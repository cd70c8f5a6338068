"""The simulated room's air: what is played is heard when it sounded, however late it is read."""

from pathlib import Path

from agent import settings
from agent.devices.air import Air
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES

SILENCE = bytes(PERIOD_BYTES)


def both_ends(folder: Path) -> tuple[Air, Air]:
    simulation = settings.Simulation(directory=str(folder), echo=True)
    ends = Air(simulation), Air(simulation)
    for end in ends:
        end.open()
    return ends


def test_a_listener_that_catches_up_finds_every_period_where_it_sounded(tmp_path: Path) -> None:
    mouth, ear = both_ends(tmp_path)
    for period in range(20):
        mouth.play(bytes([0, 10 + period]) * PERIOD_FRAMES, period * PERIOD_FRAMES)
    heard = [ear.hear(SILENCE, period * PERIOD_FRAMES) for period in range(20)]
    levels = [int.from_bytes(one[:2], "little") for one in heard]
    assert levels == [round((10 + period) * 256 * 0.2) for period in range(20)]


def test_what_sounds_between_two_periods_is_heard_in_both(tmp_path: Path) -> None:
    mouth, ear = both_ends(tmp_path)
    mouth.play(bytes([0, 50]) * PERIOD_FRAMES, PERIOD_FRAMES // 2)
    first, second = ear.hear(SILENCE, 0), ear.hear(SILENCE, PERIOD_FRAMES)
    assert not any(first[: PERIOD_BYTES // 2])
    assert any(first[PERIOD_BYTES // 2 :])
    assert any(second[: PERIOD_BYTES // 2])
    assert not any(second[PERIOD_BYTES // 2 :])


def test_what_nobody_heard_in_time_is_gone(tmp_path: Path) -> None:
    mouth, ear = both_ends(tmp_path)
    mouth.play(bytes([0, 50]) * PERIOD_FRAMES, 0)
    assert ear.hear(SILENCE, 5 * PERIOD_FRAMES) == SILENCE
    for period in range(1000):  # far more than a pipe holds
        mouth.play(bytes([0, 50]) * PERIOD_FRAMES, period * PERIOD_FRAMES)
    ear.hear(SILENCE, 2000 * PERIOD_FRAMES)
    mouth.play(bytes([0, 50]) * PERIOD_FRAMES, 3000 * PERIOD_FRAMES)
    assert any(ear.hear(SILENCE, 3000 * PERIOD_FRAMES))
