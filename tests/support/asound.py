"""alsa-lib's own stand-ins for sound cards: PCMs that read from and write to files, at any speed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sounds import tone

CONFIGURATION = """\
</usr/share/alsa/alsa.conf>
pcm.room_microphone {{
    type file
    slave.pcm null
    file /dev/null
    infile "{folder}/said.raw"
    format raw
}}
pcm.room_speaker {{
    type file
    slave.pcm null
    file "{folder}/heard.wav"
    format wav
}}
pcm.!plughw {{
    @args [ CARD DEV ]
    @args.CARD {{ type string }}
    @args.DEV {{ type integer default 0 }}
    type file
    slave.pcm null
    file /dev/null
    infile "{folder}/said.raw"
    format raw
}}
pcm.stereo_only {{
    type multi
    slaves.both {{ pcm null channels 2 }}
    bindings.0 {{ slave both channel 0 }}
    bindings.1 {{ slave both channel 1 }}
}}
pcm.vc4_hardware {{
    type iec958
    slave {{
        format S16_LE
        pcm {{
            type multi
            slaves.both {{
                pcm {{
                    type file
                    slave.pcm null
                    file "{folder}/hdmi.raw"
                    format raw
                }}
                channels 2
            }}
            bindings.0 {{ slave both channel 0 }}
            bindings.1 {{ slave both channel 1 }}
        }}
    }}
}}
pcm.vc4_subframes {{
    type iec958
    slave {{ format IEC958_SUBFRAME_LE pcm vc4_hardware }}
    status [ 0x04 0x82 0x00 0x02 ]
}}
pcm.!hdmi {{
    @args [ CARD DEV ]
    @args.CARD {{ type string }}
    @args.DEV {{ type integer default 0 }}
    type empty
    slave.pcm vc4_subframes
}}
pcm.!sysdefault {{
    @args [ CARD ]
    @args.CARD {{ type string }}
    type plug
    slave.pcm vc4_subframes
}}
"""
"""`vc4_hardware` takes what a Pi's HDMI takes: IEC958 subframes and two channels, nothing else. `sysdefault:`
and `hdmi:` reach it as in alsa-lib's own cards/vc4-hdmi.conf."""


def file_pcms(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """`room_microphone` hears 1 kHz for 10 s; `room_speaker` plays into heard.wav.

    Any `plughw:CARD=...` hears the same: a card in a sysfs folder of the test's own becomes real.
    """
    (folder / "said.raw").write_bytes(tone(1000, 0, 480_000).tobytes())
    configuration = folder / "asoundrc"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(configuration))


def plug_card(
    sysfs: Path, name: str, index: int = 1, port: str = "", pcms: tuple[str, ...] = ("0c", "0p")
) -> None:
    """A sound card that captures and plays, as sysfs shows it, in this USB port; `pcms` by number and direction."""
    card = sysfs / "class" / "sound" / f"card{index}"
    card.mkdir(parents=True)
    (card / "id").write_text(f"{name}\n")
    if port:
        interface = sysfs / "devices" / "usb1" / port / f"{port}:1.0"
        interface.mkdir(parents=True, exist_ok=True)
        (card / "device").symlink_to(interface)
    for pcm in pcms:
        (card.parent / f"pcmC{index}D{pcm}").mkdir()


def unplug_card(sysfs: Path, index: int = 1) -> None:
    """The card is gone from sysfs."""
    folder = sysfs / "class" / "sound"
    (folder / f"card{index}" / "id").unlink()
    (folder / f"card{index}" / "device").unlink(missing_ok=True)
    for entry in [folder / f"card{index}", *folder.glob(f"pcmC{index}D*")]:
        entry.rmdir()
