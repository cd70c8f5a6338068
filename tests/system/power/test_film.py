"""What a power cut leaves of a recording is judged as a player would."""

from pathlib import Path

import pytest

from agent.media.recording.movie import Movie
from tests.support.sounds import RATE_HZ, tone
from tests.system.power.film import films, played

NAME = "2026-11-22T07-15-00_xa-lung-cu_meeting-1.mp4"
BEGAN = 1795331700.0
SECONDS = 5


def test_a_file_that_breaks_off_plays_to_its_last_whole_fragment(tmp_path: Path) -> None:
    path = tmp_path / NAME
    movie = Movie(path, {})
    for number in range(SECONDS * 10):
        movie.add_sound(tone(440, number * RATE_HZ // 10, RATE_HZ // 10).tobytes())
    data = path.read_bytes()
    movie.close()
    path.write_bytes(data[:-200])
    (found,) = films(tmp_path)
    assert found.meeting == "meeting-1"
    assert SECONDS - 2.5 < found.seconds < SECONDS
    assert found.ends == pytest.approx(BEGAN + found.seconds)


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"ftyp"])
def test_what_is_no_film_yet_plays_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / NAME).write_bytes(data)
    assert played(tmp_path / NAME) == 0


def test_the_second_file_of_a_second_is_of_the_same_meeting(tmp_path: Path) -> None:
    (tmp_path / NAME.replace(".mp4", "_2.mp4")).write_bytes(b"")
    assert [film.meeting for film in films(tmp_path)] == ["meeting-1"]
