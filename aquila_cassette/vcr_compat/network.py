"""Block connections as pytest-recording does."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

_allowed: Sequence[str] | None = None  # regexes of hosts; None while nothing is refused
_known: set[str] = set()  # allowed hosts that were looked up, and their addresses
_hooked = False


@contextmanager
def blocked(allowed: Sequence[str] | None) -> Iterator[None]:
    """Refuse every connection but to hosts that match a regex, from the start of name or address."""
    global _allowed, _hooked
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)
    before, _allowed = _allowed, allowed or ()
    _known.clear()
    try:
        yield
    finally:
        _allowed = before


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _allowed is None:
        return
    if event == "socket.getaddrinfo":
        host = _text(arguments[0])
        if host not in _known and _is_allowed(host):
            _known.add(host)  # the look-up here comes by the hook as well
            with suppress(OSError):  # a connection has only these addresses
                _known.update(str(found[4][0]) for found in socket.getaddrinfo(host, None))
    # On Windows an event loop connects a pair of sockets, which it needs.
    elif event == "socket.connect" and "socketpair" not in sys._getframe(1).f_code.co_name:
        connection, address = arguments
        host = _text(address[0] if isinstance(address, tuple) else address)
        if not _is_allowed(host):
            connection.close()  # callers close it after an OSError only
            raise RuntimeError(f"Network is disabled for host {host!r}")


def _is_allowed(host: str) -> bool:
    return host in _known or any(re.match(one, host) for one in _allowed or ())


def _text(host: Any) -> str:
    return host.decode("utf-8", "replace") if isinstance(host, bytes | bytearray) else str(host)
