"""The port of the echo cancellers, and which driver there is for a name of the settings.

All of them also suppress noise, control the gain and take out rumble (high-pass).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from agent.errors import MediaError
from agent.media.sound.echo.livekit import LivekitCanceller
from agent.media.sound.echo.speexdsp import TwoStageCanceller
from agent.media.sound.echo.webrtcdsp import WebrtcDsp


class EchoCanceller(Protocol):
    """Mono S16LE at 48 kHz, a period of 10 ms a call, from one thread. Made open."""

    def cancel(self, reference: bytes, captured: bytes) -> bytes:
        """`captured` without the echo of `reference`, what the loudspeaker played just before it.

        The answer may lag by up to 20 ms.
        """
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


class NoCanceller:
    """What is used where the one that is wanted is not installed."""

    def __init__(self, *, noise: bool = True) -> None:
        """Like the others; it suppresses none."""

    def cancel(self, reference: bytes, captured: bytes) -> bytes:
        return captured

    def close(self) -> None:
        """Nothing was opened."""


DRIVERS: dict[str, Callable[..., EchoCanceller]] = {
    "speexdsp": TwoStageCanceller,
    "webrtcdsp": WebrtcDsp,
    "livekit": LivekitCanceller,
    "off": partial(WebrtcDsp, echo=False),
}
"""By their names in the settings, `devices.microphone.echo_canceller`."""


def make(name: str, *, noise: bool = True) -> EchoCanceller:
    """`noise`: it suppresses that too. Raises MediaError (`no-canceller`), saying what to install."""
    try:
        return DRIVERS[name](noise=noise)
    except (ImportError, OSError) as missing:
        raise MediaError(
            "no-canceller", f"echo canceller {name}: {missing}; install it or choose another"
        ) from missing
