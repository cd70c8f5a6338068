"""Which hosts a meeting's URLs may point to: else a join makes the box ask any machine that it can reach.

The daemon asks `permits` at the door, the media process again after each redirect, and
`permits_address` once a name is resolved.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

ANY = "*"
_PORTS = {"http": 80, "https": 443}


class AllowedHosts(Struct, frozen=True):
    """Entries are `host`, `host:port`, `*.domain`, a network such as `10.0.0.0/8`, or `*` for all.

    A host that is named may have any address. `*` alone opens public addresses only: loopback,
    link-local and private ones need their name or their network among the entries.
    """

    entries: tuple[str, ...] = (ANY,)

    def permits(self, url: str) -> bool:
        """Whether a request may go to this URL, by its host and port."""
        return ANY in self.entries or self.names(url)

    def names(self, url: str) -> bool:
        """Whether an entry other than `*` is about the URL's host."""
        place = _place(url)
        return place is not None and any(_covers(entry, *place) for entry in self.entries)

    def permits_address(self, url: str, address: str) -> bool:
        """Whether the URL's name may stand for this address."""
        import ipaddress  # not wanted in the daemon, which resolves nothing

        if self.names(url):
            return True
        found = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address):
            found = _embedded(found) or found
        inside = found.is_multicast or getattr(found, "is_site_local", False)
        return ANY in self.entries and found.is_global and not inside


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway or the kernel would go to for this one."""
    import ipaddress

    low = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if int(address) >> 32 in (0, 0x0064_FF9B << 64):  # IPv4-compatible; NAT64 (RFC 6052)
        return low
    return address.ipv4_mapped or address.sixtofour


def hosts_of(urls: list[str]) -> tuple[str, ...]:
    """The entries for these URLs' hosts; a `{placeholder}` stands for anything but a dot."""
    places = (_place(re.sub(r"\{\w+\}", "*", url)) for url in urls)
    return tuple(dict.fromkeys(host for host, _ in filter(None, places)))


def _place(url: str) -> tuple[str, int] | None:
    """The URL's host, in ASCII and lower case, and its port; None if it has none."""
    if "\\" in url:  # a slash to browsers, a part of the user's name to us
        return None
    try:
        parts = urlsplit(url)
        host = _ascii((parts.hostname or "").rstrip("."))
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (f"[{host}]" if ":" in host else host, port) if host else None


def _ascii(host: str) -> str:
    return host.lower() if host.isascii() else host.encode("idna").decode().lower()


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == ANY:
        return False
    if "/" in entry:
        return _is_in(entry, host)
    wanted, _, wanted_port = entry.partition(":") if "[" not in entry else _bracketed(entry)
    if wanted_port and wanted_port != str(port):
        return False
    suffix = wanted.startswith("*.")
    pattern = re.escape(_ascii(wanted.removeprefix("*."))).replace(r"\*", "[^.]+")
    return bool(re.fullmatch((r"(.+\.)?" if suffix else "") + pattern, host))


def _bracketed(entry: str) -> tuple[str, str, str]:
    host, _, rest = entry.partition("]")
    return f"{host}]", ":", rest.removeprefix(":")


def _is_in(network: str, host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
