"""Keeps aiortc's ICE on the loopback interface, which it leaves out by itself.

Used by the test media server and the aiortc peers; nothing of a test leaves the machine.
"""

from __future__ import annotations

import aioice.ice

ADDRESS = "127.0.0.1"
LOCAL_HOSTS = ["*", "127.0.0.0/8", "localhost", "[::1]"]
"""What the settings of a test allow: everything, and this machine too."""


def stay_on_loopback(address: str = ADDRESS) -> None:
    """From now on this process gathers this address and nothing else."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]
