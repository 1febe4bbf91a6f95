"""Block connections as pytest-recording does."""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit


class _Block:
    """What is refused while it is in force: all hosts but those that match a regex."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = [re.compile(one) for one in allowed]
        self._addresses: set[str] = set()
        self._lookup = threading.local()

    def check(self, host: str) -> None:
        if not self._allows(host):
            raise RuntimeError(f"Network is disabled for host {host!r}")

    def allow_addresses_of(self, host: str) -> None:
        """Allow the addresses of a host that is allowed by name: a connection has only these."""
        if hasattr(self._lookup, "host") or not self._allows(host):
            return
        self._lookup.host = host  # the look-up here comes by the hook as well
        with suppress(OSError):
            self._addresses |= {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
        del self._lookup.host

    def _allows(self, host: str) -> bool:
        return host in self._addresses or any(one.match(host) for one in self._allowed)


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
        with _curl_blocked(_block):
            yield
    finally:
        _block = before


@contextmanager
def _curl_blocked(block: _Block) -> Iterator[None]:
    """Block pycurl too: libcurl opens its sockets without Python."""
    if find_spec("pycurl") is None:
        yield
        return
    pycurl: Any = import_module("pycurl")
    hosts: dict[int, str] = {}  # an attribute of a handle's class hides one of the handle

    class Curl(pycurl.Curl):  # type: ignore[misc]
        def setopt(self, option: int, value: Any) -> Any:
            if option == pycurl.URL:
                hosts[id(self)] = urlsplit(_text(value)).hostname or ""
            return super().setopt(option, value)

        def perform(self) -> Any:
            block.check(hosts.get(id(self), ""))
            return super().perform()

    original, pycurl.Curl = pycurl.Curl, Curl
    try:
        yield
    finally:
        pycurl.Curl = original


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _block is None:
        return
    if event == "socket.getaddrinfo":
        _block.allow_addresses_of(_text(arguments[0]))
    # On Windows an event loop connects a pair of sockets, which it needs.
    elif event == "socket.connect" and "socketpair" not in sys._getframe(1).f_code.co_name:
        connection, address = arguments
        try:
            _block.check(_text(address[0] if isinstance(address, tuple) else address))
        except RuntimeError:
            connection.close()  # callers close it after an OSError only
            raise


def _text(host: Any) -> str:
    return host.decode("utf-8", "replace") if isinstance(host, bytes | bytearray) else str(host)
