"""The meeting on a bad network: loss, a narrow link, a cut; noticed, told, and mended by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.core.model.figures import DownlinkFigures
from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from agent.media.receiving.jitter import LONGEST_MILLISECONDS
from tests.media.rooms import TONE_HZ, plan, room
from tests.support.impairment import BadNetwork, Conditions
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Receiver
from tests.support.sounds import RATE_HZ, purity, read_wav
from tests.support.waiting import wait_for

pytestmark = pytest.mark.paired

Report = UplinkReported | DownlinkReported


def state(*wanted: str) -> Callable[[Report], bool]:
    return lambda report: report.state in wanted


@pytest.fixture
def network(media_server: MediaServer) -> BadNetwork:
    with BadNetwork(media_server.url) as network:
        yield network


def test_five_percent_loss_and_100_ms_round_trip(network: BadNetwork, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    network.set(Conditions(loss=0.05, delay_seconds=0.05))
    with MediaProcess(room()) as sender, MediaProcess(room(record=str(heard))) as receiver:
        sender.start(plan(publish=network.whip("lossy")))
        sender.wait(UplinkReported, state("flowing"), 20)
        receiver.start(plan(play=[network.whep("lossy")]))
        receiver.wait(DownlinkReported, state("flowing"), 20)

        def delay(measured: Measured) -> int:
            return int(measured.figures.downlinks[0].jitter_buffer_milliseconds)

        receiver.wait(Measured, lambda m: delay(m) >= LONGEST_MILLISECONDS, 20)
        adapted = len(receiver.reports)
        wait_for(lambda: len(figures_since(receiver, adapted)) >= 8, 30, "16 s of figures")
        rates = [f.frames_per_second for f in figures_since(receiver, adapted)[2:]]
        assert np.mean(rates) >= 22, rates  # scripts/bench is strict
        sound = read_wav(heard)[-8 * RATE_HZ :]
        assert share_heard(sound) >= 0.97
        assert figures_since(receiver, 0)[-1].sound_loss_percent is not None


def figures_since(process: MediaProcess, report: int) -> list[DownlinkFigures]:
    return [
        said.figures.downlinks[0]
        for _, said in process.reports[report:]
        if isinstance(said, Measured)
    ]


def share_heard(sound: np.ndarray) -> float:
    """The share of the 20 ms pieces in which the tone is whole."""
    pieces = [sound[at : at + 960] for at in range(0, len(sound) - 960, 960)]
    return float(np.mean([purity(piece, TONE_HZ) > 0.9 for piece in pieces]))


def test_a_cut_line_is_noticed_and_no_session_leaks(
    network: BadNetwork, media_server: MediaServer
) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=network.whip("cut")))
        process.wait(UplinkReported, state("flowing"))
        told = len(process.reports)
        network.set(Conditions(cut=True))
        process.wait(UplinkReported, state("stalled"), after=told)
        told = len(process.reports)
        network.set(Conditions())
        process.wait(UplinkReported, state("flowing"), 20, after=told)
        with Receiver(media_server.whep("cut")) as peer:
            assert purity(peer.hear(0.5), TONE_HZ) > 0.9
        assert process.stop() == 0
    wait_for(lambda: not media_server.sessions("cut"), 40, "the server has forgotten all sessions")


def test_a_publisher_that_dies_and_comes_back_is_seen_again(media_server: MediaServer) -> None:
    with MediaProcess(room()) as viewer:
        viewer.start(plan(play=[media_server.whep("hub")]))
        for _ in range(2):
            told = len(viewer.reports)
            with MediaProcess(room()) as hub:
                hub.start(plan(publish=media_server.whip("hub")))
                viewer.wait(DownlinkReported, state("flowing"), 15, after=told)
                told = len(viewer.reports)
                hub.kill()
            viewer.wait(DownlinkReported, state("stalled"), after=told)


def test_a_narrow_link_gets_less_picture_then_none_and_all_of_it_back(
    network: BadNetwork, media_server: MediaServer
) -> None:
    network.set(Conditions(delay_seconds=0.02))

    def target(least: int, most: int) -> Callable[[Measured], bool]:
        def test(measured: Measured) -> bool:
            return least <= measured.figures.uplink.picture_target_bits_per_second <= most

        return test

    with MediaProcess(room()) as process:
        process.start(plan(publish=network.whip("narrow")))
        process.wait(UplinkReported, state("flowing"))
        with Receiver(media_server.whep("narrow")) as peer:
            process.wait(Measured, target(600_000, 600_000))
            told = len(process.reports)
            network.set(Conditions(delay_seconds=0.02, bits_per_second=400_000))
            process.wait(Measured, target(150_000, 400_000), 40, after=told)
            peer.wait_for_picture(40)
            assert share_heard(peer.hear(6.0)) >= 0.9
            told = len(process.reports)
            network.set(Conditions(delay_seconds=0.02, bits_per_second=100_000))
            process.wait(Measured, target(0, 0), 40, after=told)
            assert share_heard(peer.hear(4.0)) >= 0.9
            told = len(process.reports)
            network.set(Conditions(delay_seconds=0.02))
            process.wait(Measured, target(600_000, 600_000), 60, after=told)
            peer.wait_for_picture(40)


def test_a_server_that_adapts_sends_a_smaller_picture_down_a_narrow_link(tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"

    def pictures(least: float, most: float) -> Callable[[Measured], bool]:
        def test(measured: Measured) -> bool:
            rate = measured.figures.downlinks[0].picture_bits_per_second or 0
            return least <= rate <= most

        return test

    with (
        MediaServer(adapts=True) as server,
        BadNetwork(server.url) as network,
        MediaProcess(room()) as sender,
        MediaProcess(room(record=str(heard))) as receiver,
    ):
        network.set(Conditions(delay_seconds=0.02))
        sender.start(plan(publish=server.whip("hills")))
        sender.wait(UplinkReported, state("flowing"), 20)
        receiver.start(plan(play=[network.whep("hills")]))
        receiver.wait(Measured, pictures(500_000, 800_000), 20)
        told = len(receiver.reports)
        network.set(Conditions(delay_seconds=0.02, bits_per_second=400_000))
        receiver.wait(Measured, pictures(120_000, 400_000), 20, after=told)
        wait_for(lambda: share_heard(read_wav(heard)[-3 * RATE_HZ :]) >= 0.95, 20, "the sound")
        told = len(receiver.reports)
        network.set(Conditions(delay_seconds=0.02))
        receiver.wait(Measured, pictures(500_000, 800_000), 40, after=told)
        links = [r for _, r in receiver.reports[told:] if isinstance(r, DownlinkReported)]
        assert not links, "one session all along"
