"""Which hosts are public, and which are listed in `ignore_hosts`."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import urlsplit

_PRIVATE = [
    ipaddress.ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
        *("::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
]
"""Of this machine, and of the networks that are nobody else's; `is_private` has more."""

_WITH_PORT = re.compile(r"([^:]*|\[.*\]):(\d+|\*)")


class Peer(NamedTuple):
    """What is connected to, or looked up: by its address, and the name that this was looked up by."""

    host: str
    name: str
    port: int | None = None
    is_lookup: bool = False
    library: str = "socket"

    def is_listed(self, patterns: Iterable[str]) -> bool:
        return any(is_listed(patterns, one, self.port) for one in (self.name, self.host))


def is_public(host: str) -> bool:
    """Return whether a host is outside this machine and its private network.

    A name is not looked up: it is private without a dot, or below ``.local`` or ``.internal``.
    """
    address = _address(host)
    if address is None:
        name = host.rstrip(".").lower()
        return "." in name and not name.endswith((".local", ".internal")) and not is_loopback(name)
    address = getattr(address, "ipv4_mapped", None) or address
    return not any(address in network for network in _PRIVATE)


def is_address(host: str) -> bool:
    return _address(host) is not None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or address."""
    address, name = _address(host), host.lower()
    if address is None:
        return name in ("localhost", socket.gethostname().lower()) or name.endswith(".localhost")
    return address.is_loopback


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return the host of a URL, and its port or that of its scheme."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    return parts.hostname or "", parts.port or {"http": 80, "ws": 80}.get(parts.scheme, 443)


def is_listed(patterns: Iterable[str], host: str, port: int | None) -> bool:
    """Return whether `patterns` have a host, by its name or address, alone or with this port.

    A look-up that knows no port passes where any port does.
    """
    for pattern in patterns:
        found = _WITH_PORT.fullmatch(pattern.lower())
        name, listed = found.groups() if found else (pattern.lower(), "*")
        is_port = port is None or listed in ("*", str(port))
        if is_port and fnmatchcase(host.lower(), name.strip("[]")):
            return True
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
