"""A source that is new in a meeting waits from its first word on as long as others of its server need."""

from __future__ import annotations

from types import SimpleNamespace

from agent.core.model.commands import Source
from agent.media.loop import Loop
from agent.media.receiving.downlink import Downlink
from agent.media.receiving.lipsync import Paths
from agent.media.receiving.reception import Outlets

SHORTEST = 60


def downlink(url: str) -> Downlink:
    """Not started: it has no session yet."""
    context = SimpleNamespace(
        loop=Loop(), media=SimpleNamespace(jitter_buffer_milliseconds=SHORTEST), clock=None
    )
    outlets = Outlets(None, None, lambda *_: None, lambda *_: None)
    return Downlink(
        context,  # type: ignore[arg-type]
        Source(url),
        report=lambda *_: None,
        outlets=outlets,
        paths=lambda: Paths(0, 0),
    )


def waits(link: Downlink) -> int | None:
    return link.figures().jitter_buffer_milliseconds


def test_what_a_server_s_other_sources_needed_is_not_learned_again() -> None:
    chair, speaker = downlink("https://hub/chair/whep"), downlink("https://hub/b/whep")
    chair._jitter.expect(400, 0.0)
    speaker.begin_like([chair])
    assert waits(speaker) == 400
    assert speaker.sound_delay_seconds > 0.35
    elsewhere = downlink("https://other/b/whep")
    elsewhere.begin_like([chair, speaker])
    assert waits(elsewhere) == SHORTEST
