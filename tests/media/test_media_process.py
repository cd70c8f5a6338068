"""The real media process in a meeting with peers that are not ours: what they see, hear and keep."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

from agent.core.model.media import (
    Applied,
    DeviceReported,
    DownlinkReported,
    Measured,
    SetCamera,
    SetMicrophone,
    SetRecording,
    SetSources,
    UplinkReported,
)
from agent.devices.camera.pattern import COLOURS_RGB
from agent.settings import Media, Recording
from tests.media.rooms import TONE_HZ, flowing, plan, room, snapshot
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher, Receiver
from tests.support.pictures import Picture, read_number, shows
from tests.support.sounds import Sound, frequency, level_dbfs, purity, read_wav
from tests.support.waiting import wait_for

GREEN = (40, 180, 60)
HUB_TONE_HZ = 660.0


def silent(sound: Sound) -> bool:
    """No energy: an Opus decoder makes of digital silence at most its last bit."""
    return int(np.abs(sound).max()) <= 1


def sounds_pure(sound: Sound) -> bool:
    """The hub's tone, as it was sent."""
    exact = frequency(sound) == pytest.approx(HUB_TONE_HZ, abs=3)
    return bool(exact and purity(sound, HUB_TONE_HZ) > 0.9)


def test_a_peer_sees_and_hears_the_room(media_server: MediaServer) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("room")))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("room")) as peer:
            first = peer.wait_for_picture()
            assert shows(first, COLOURS_RGB[0])
            assert read_number(peer.wait_for_picture()) != read_number(first)
            sound = peer.hear(1.0)
            assert frequency(sound) == pytest.approx(TONE_HZ, abs=2)
            assert purity(sound, TONE_HZ) > 0.9
        assert process.stop() == 0
    assert media_server.sessions("room") == [], "the media process said DELETE"


def test_the_room_sees_and_hears_a_peer(media_server: MediaServer, tmp_path: Path) -> None:
    heard, seen = tmp_path / "heard.wav", tmp_path / "seen.png"
    with Publisher(media_server.whip("hub"), colour=GREEN, tone_hz=HUB_TONE_HZ):
        with MediaProcess(room(record=str(heard))) as process:
            process.start(plan(play=[media_server.whep("hub")]))
            process.wait(DownlinkReported, flowing)
            wait_for(lambda: sounds_pure(read_wav(heard)[-24_000:]), 40, "the tone")
            wait_for(lambda: shows(snapshot(process, seen), GREEN), 10, "the peer's colour")
            assert process.stop() == 0
        assert [s["kind"] for s in media_server.sessions("hub")] == ["whip"]


def test_muted_is_silence_and_unmuted_is_heard(media_server: MediaServer) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("mute"), live=False))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("mute")) as peer:
            assert silent(peer.hear(1.0)), "not one sample of a muted room"
            process.send(SetMicrophone(True, request="unmute"))
            assert process.wait(Applied).request == "unmute"
            wait_for(lambda: level_dbfs(peer.hear(0.2)) > -20, 5, "the tone")
            process.send(SetMicrophone(False, request="mute"))
            process.wait(Applied, lambda applied: applied.request == "mute")
            wait_for(lambda: silent(peer.hear(0.5)), 5, "silence again")


def test_a_peer_that_asks_gets_a_keyframe_at_most_once_a_second(
    media_server: MediaServer, tmp_path: Path
) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("key")))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("key")) as peer:
            peer.wait_for_picture()
            peer.request_keyframe()
            with Receiver(media_server.whep("key")) as late:
                # x264's own keyframes are far apart: a late peer sees a picture by request only
                late.wait_for_picture(3)


def test_sessions_with_bearer_tokens() -> None:
    with MediaServer(token="s3cret") as server, MediaProcess(room()) as process:
        process.start(plan(publish=server.whip("t"), play=[server.whep("t")], token="s3cret"))
        process.wait(UplinkReported, flowing)
        process.wait(DownlinkReported, flowing)
        assert process.stop() == 0
        assert server.sessions() == []


def test_a_wrong_token_is_refused_and_not_repeated_in_the_report() -> None:
    with MediaServer(token="s3cret") as server, MediaProcess(room()) as process:
        process.start(plan(publish=server.whip("t"), token="wr0ng"))
        refused = process.wait(UplinkReported, lambda r: r.state == "refused")
        assert "401" in refused.text
        assert "wr0ng" not in repr(process.reports)


def test_a_room_without_camera_is_heard_and_without_microphone_seen(
    media_server: MediaServer,
) -> None:
    with MediaProcess(room(camera=False)) as process:
        process.start(plan(publish=media_server.whip("blind")))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("blind")) as peer:
            assert frequency(peer.hear(1.0)) == pytest.approx(TONE_HZ, abs=2)
    with MediaProcess(room(microphone=False)) as process:
        process.start(plan(publish=media_server.whip("mute-room")))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("mute-room")) as peer:
            assert shows(peer.wait_for_picture(), COLOURS_RGB[0])


def test_a_microphone_unplugged_in_the_meeting_comes_back(
    media_server: MediaServer, tmp_path: Path
) -> None:
    fault = tmp_path / "microphone"
    with MediaProcess(room(folder=str(tmp_path))) as process:
        process.start(plan(publish=media_server.whip("plug")))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("plug")) as peer:
            peer.hear(0.5)
            fault.write_text("unplugged")
            lost = process.wait(DeviceReported, lambda r: r.device == "microphone" and not r.open)
            assert lost.status.status == "absent"
            assert shows(peer.wait_for_picture(), COLOURS_RGB[0]), "the picture goes on"
            told = len(process.reports)
            fault.unlink()
            process.wait(DeviceReported, lambda r: r.device == "microphone" and r.open, after=told)
            wait_for(lambda: purity(peer.hear(0.5), TONE_HZ) > 0.9, 10, "the tone again")


def test_camera_off_closes_it_and_on_opens_it_again(
    media_server: MediaServer, tmp_path: Path
) -> None:
    with MediaProcess(room(folder=str(tmp_path))) as process:
        process.start(plan(publish=media_server.whip("shy")))
        process.wait(UplinkReported, flowing)
        process.wait(DeviceReported, lambda r: r.device == "camera" and r.open)
        assert (tmp_path / "camera.open").exists()
        process.send(SetCamera(False, request="off"))
        process.wait(Applied)
        assert not (tmp_path / "camera.open").exists()
        process.send(SetCamera(True, request="on"))
        with Receiver(media_server.whep("shy")) as peer:
            assert shows(peer.wait_for_picture(), COLOURS_RGB[0])


def test_sources_come_and_go_without_touching_the_others(media_server: MediaServer) -> None:
    one, two = media_server.whep("one"), media_server.whep("two")

    def players(name: str) -> set[str]:
        return {s["id"] for s in media_server.sessions(name) if s["kind"] == "whep"}

    with (
        Publisher(media_server.whip("one")),
        Publisher(media_server.whip("two")),
        MediaProcess(room()) as process,
    ):
        process.start(plan(play=[one]))
        process.wait(DownlinkReported, flowing)
        before = players("one")
        process.send(SetSources(plan(play=[one, two]).play, request="both"))
        process.wait(DownlinkReported, lambda r: r.url == two and flowing(r))
        process.send(SetSources(plan(play=[one]).play, request="one"))
        process.wait(Applied, lambda a: a.request == "one")
        wait_for(lambda: not players("two"), 5, "the second source's session is ended")
        assert players("one") == before, "the first source was not touched"


def test_the_people_in_the_room_see_that_they_are_recorded(
    media_server: MediaServer, tmp_path: Path
) -> None:
    recording = Recording(directory=str(tmp_path / "films"), minimum_free_megabytes=1)
    media = Media(local_address=ADDRESS, allowed_hosts=LOCAL_HOSTS, recording=recording)
    with (
        Publisher(media_server.whip("hub"), colour=GREEN),
        MediaProcess(room(camera=False), media) as process,
    ):
        process.start(plan(play=[media_server.whep("hub")]))
        process.wait(Measured, lambda m: m.figures.downlinks[0].frames_per_second)
        seen = tmp_path / "seen.png"
        wait_for(lambda: shows(snapshot(process, seen), GREEN), 10, "the peer's colour")
        assert not words(snapshot(process, seen))
        process.send(SetRecording(True))
        wait_for(lambda: words(snapshot(process, seen)), 40, "the words")
        process.send(SetRecording(False))
        wait_for(lambda: not words(snapshot(process, seen)), 40, "their end")


def words(picture: Picture) -> bool:
    """Whether any stand at the top right, white beside the pictures or over them."""
    height, width = picture.shape[:2]
    corner = picture[: height // 8, width // 2 :]
    return bool((corner.min(axis=2) > 150).any())


def test_the_sound_goes_on_when_a_decoder_fails(media_server: MediaServer, tmp_path: Path) -> None:
    heard, url = tmp_path / "heard.wav", media_server.whep("memory")
    pi = ("tests.support.pi_decoder", "pinomemory")
    with (
        Publisher(media_server.whip("memory"), colour=GREEN, tone_hz=HUB_TONE_HZ),
        MediaProcess(room(record=str(heard)), program=pi) as process,
    ):
        process.start(plan(play=[url]))
        process.wait(DownlinkReported, flowing, 40)

        def taken_over(measured: Measured) -> bool:
            source = measured.figures.downlinks[0]
            return source.decoder == "avdec_h264" and (source.frames_per_second or 0) > 5

        source = process.wait(Measured, taken_over, 40).figures.downlinks[0]
        assert source.decoder_in_hardware is False
        assert "allocate" in (source.decoders_failed or {})["pinomemory"]
        assert source.attempts == 1, "it is the same session"
        assert not process.said(DownlinkReported, lambda r: bool(r.text)), "which never broke"
        wait_for(lambda: shows(snapshot(process, tmp_path / "seen.png"), GREEN), 40, "the colour")
        wait_for(lambda: sounds_pure(read_wav(heard)[-24_000:]), 40, "the tone")


def test_figures_for_health(media_server: MediaServer) -> None:
    url = media_server.whep("figures")
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("figures"), play=[url]))
        process.wait(DownlinkReported, flowing)

        def complete(measured: Measured) -> bool:
            up, down = measured.figures.uplink, measured.figures.downlinks[0]
            heard = (measured.figures.speaker_level_dbfs or -120) > -30
            sent = None not in (up.picture_bits_per_second, up.round_trip_milliseconds)
            ways = up.path and down.path
            return heard and sent and bool(ways) and (down.frames_per_second or 0) > 20

        figures = process.wait(Measured, complete, 20).figures
        assert 100_000 < figures.uplink.picture_bits_per_second < 1_500_000
        assert 10_000 < figures.uplink.sound_bits_per_second < 60_000
        assert figures.uplink.picture_loss_percent < 5
        assert figures.uplink.encoder == "libx264"
        for path in (figures.uplink.path, figures.downlinks[0].path):
            assert (path.transport, path.relay, path.local) == ("udp", None, "host")
        assert 0 <= figures.downlinks[0].round_trip_milliseconds < 1000
        assert figures.downlinks[0].url == url
        assert figures.microphone_level_dbfs == pytest.approx(-15, abs=1)
        counted = (figures.microphone_xruns, figures.speaker_xruns, figures.speaker_dropped)
        assert None not in counted
        assert figures.speaker_volume_percent == 100


def test_with_echo_cancellation_the_room_is_heard_and_muted_all_the_same(
    media_server: MediaServer,
) -> None:
    with MediaProcess(room(processing=True)) as process:
        process.start(plan(publish=media_server.whip("dsp")))
        process.wait(UplinkReported, flowing)
        process.wait(Measured, lambda m: m.figures.echo_canceller == "speexdsp")
        with Receiver(media_server.whep("dsp")) as peer:
            # a steady tone is noise to it and gets quieter, but not silent at once
            wait_for(lambda: level_dbfs(peer.hear(0.2)) > -60, 10, "the tone")
            process.send(SetMicrophone(False, request="mute"))
            process.wait(Applied)
            wait_for(lambda: silent(peer.hear(0.5)), 5, "silence")


def test_sigterm_ends_it_in_good_order(media_server: MediaServer, tmp_path: Path) -> None:
    with MediaProcess(room(folder=str(tmp_path))) as process:
        process.start(plan(publish=media_server.whip("term")))
        process.wait(UplinkReported, flowing)
        process.signal(signal.SIGTERM)
        assert process.ended() == 0
    assert media_server.sessions("term") == []
    assert list(tmp_path.glob("*.open")) == [], "no meeting, no open device"


def test_the_end_of_the_line_ends_it(media_server: MediaServer) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("eof")))
        process.wait(UplinkReported, flowing)
        process.hang_up()
        assert process.ended() == 0
    assert media_server.sessions("eof") == []


def test_after_kill_9_the_next_media_process_takes_over(media_server: MediaServer) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("again")))
        process.wait(UplinkReported, flowing)
        process.kill()
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("again")))
        process.wait(UplinkReported, flowing)
        with Receiver(media_server.whep("again")) as peer:
            assert shows(peer.wait_for_picture(), COLOURS_RGB[0])
        assert process.stop() == 0
    assert media_server.sessions("again") == []
