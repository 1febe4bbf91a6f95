"""Block connections to other machines, unless a recording block makes them."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

from aquila_cassette.errors import NetworkBlockedError

# An audit hook sees every connection of every library and cannot be patched over. It cannot be
# taken out either, so it looks at this.
_blocked = False
_hooked = False


def block_network() -> None:
    """Refuse connections from now on, except to this machine and by cassettes that may record."""
    global _blocked, _hooked
    _blocked = True
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)


def unblock_network() -> None:
    global _blocked
    _blocked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _blocked or event not in ("socket.connect", "socket.getaddrinfo"):
        return
    host = _host(event, arguments)
    if host is None or _is_here(host) or _is_recording():
        return
    raise NetworkBlockedError(
        f"A connection to {host} was refused, since the network is blocked.",
        facts=["blocked by: aquila_block_network"],
        fix='Fix: open a cassette around it: with aquila_cassette("name"): ...',
    )


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host of a look-up or an internet address; None for a socket file and the like."""
    address = arguments[1] if event == "socket.connect" else arguments
    host = address[0] if isinstance(address, tuple) and address else None
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host


def _is_here(host: str) -> bool:
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_recording() -> bool:
    scope = sys.modules.get("aquila_cassette.session.current_session")
    return scope is not None and any(session.may_record for session in scope.opened())
