"""Block connections as pytest-recording does."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any


class _Block:
    """What is refused while it is in force: all hosts but those that match a regex."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = [re.compile(one) for one in allowed]
        self._known: set[str] = set()  # allowed hosts that were looked up, and their addresses

    def allows(self, host: str) -> bool:
        return host in self._known or any(one.match(host) for one in self._allowed)

    def allow_addresses_of(self, host: str) -> None:
        """Allow the addresses of a host that is allowed by name: a connection has only these."""
        if host not in self._known and self.allows(host):
            self._known.add(host)  # the look-up here comes by the hook as well
            with suppress(OSError):
                self._known |= {str(found[4][0]) for found in socket.getaddrinfo(host, None)}


_block: _Block | None = None
_hooked = False


@contextmanager
def blocked(allowed: Sequence[str] | None) -> Iterator[None]:
    """Refuse every connection but to hosts that match a regex, from the start of name or address."""
    global _block, _hooked
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)
    before, _block = _block, _Block(allowed or ())
    try:
        yield
    finally:
        _block = before


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _block is None:
        return
    if event == "socket.getaddrinfo":
        _block.allow_addresses_of(_text(arguments[0]))
    # On Windows an event loop connects a pair of sockets, which it needs.
    elif event == "socket.connect" and "socketpair" not in sys._getframe(1).f_code.co_name:
        connection, address = arguments
        host = _text(address[0] if isinstance(address, tuple) else address)
        if not _block.allows(host):
            connection.close()  # callers close it after an OSError only
            raise RuntimeError(f"Network is disabled for host {host!r}")


def _text(host: Any) -> str:
    return host.decode("utf-8", "replace") if isinstance(host, bytes | bytearray) else str(host)
