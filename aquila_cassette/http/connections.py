"""See every connection and process that Python code starts; bind threads and pools to a block.

An audit hook sees the sockets of every library. It cannot be taken out; it returns at once from all
other events. We patch what it does not see: the name of an address, the block whose event loop looks
up a name in a worker thread, and code in C: uvloop, and libcurl for curl_cffi and pycurl.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

from aquila_cassette.errors import NetworkBlockedError
from aquila_cassette.http.patching import patch_each
from aquila_cassette.session import current_session as current
from aquila_cassette.session.hosts import Peer, host_and_port, is_address, is_loopback
from aquila_cassette.session.unrecorded import report_connection, report_process

Watcher = Callable[[Peer], None]
"""Raises to refuse it."""

_CURL_URL = 10002  # CURLOPT_URL
_PYTHON = re.compile(r'"?([^"]*[\\/])?(python|pypy)[\w.]*"?(\s|$)')

_names: dict[str, str] = {}  # of addresses


def install(lib: Any) -> None:
    if lib.__name__ == "pycurl":
        lib.Curl = type("Curl", (lib.Curl,), {"__module__": "pycurl"})  # in C it cannot be patched
    patch_each(lib, _METHODS)


def watch(watcher: Watcher) -> None:
    """Call `watcher` before each connection and look-up."""
    global _watchers
    _watchers = (*_watchers, watcher)


def unwatch(watcher: Watcher) -> None:
    global _watchers
    _watchers = tuple(other for other in _watchers if other is not watcher)


def refuse(peer: Peer) -> None:
    """Refuse what goes to another machine, unless a block records it or lets it pass."""
    __tracebackhide__ = True
    if is_loopback(peer.host) or any(
        session.may_record or peer.is_listed(session.options.ignore_hosts)
        for session in current.opened()
    ):
        return
    raise NetworkBlockedError(
        f"A connection to {peer.name} was refused, since the network is blocked.",
        facts=["blocked by: aquila_block_network"],
        fix='Fix: open a cassette around it: with aquila_cassette("name"): ...',
    )


_watchers: tuple[Watcher, ...] = (report_connection,)


def _tell(host: Any, port: Any = None, *, is_lookup: bool = False, by: str = "socket") -> None:
    __tracebackhide__ = True
    host = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
    if isinstance(host, str) and host and not (is_lookup and is_address(host)):
        port = port if isinstance(port, int) else None
        peer = Peer(host, _names.get(host, host), port, is_lookup, by)
        for watcher in _watchers:
            watcher(peer)


# What sees them.


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _tell_of_process(arguments[0] or arguments[1])
    if not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        connection, address = arguments
        # On Windows an event loop connects a pair of sockets, which it needs.
        is_pair = "socketpair" in sys._getframe(1).f_code.co_name
        is_internet = connection.family in (socket.AF_INET, socket.AF_INET6)
        if is_internet and isinstance(address, tuple) and not is_pair:
            try:
                _tell(*address[:2])
            except BaseException:
                if event == "socket.connect":
                    connection.close()  # callers close it after an OSError only
                raise
    elif event in ("socket.getnameinfo", "socket.gethostbyaddr"):
        address = arguments[0]
        _tell(address if isinstance(address, str) else address[0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _tell(*arguments[:2], is_lookup=True)


sys.addaudithook(_hook)


def _note(host: Any, found: Any) -> Any:
    addresses = [address[0] for *_, address in found]
    if isinstance(host, str) and host not in addresses:
        _names.update(dict.fromkeys(addresses, host))
    return found


def _getaddrinfo(original: Any, host: Any, *args: Any, **options: Any) -> Any:
    __tracebackhide__ = True
    return _note(host, original(host, *args, **options))


async def _look_up(original: Any, _loop: Any, host: Any, *args: Any, **options: Any) -> Any:
    __tracebackhide__ = True
    _tell(host, *args[:1], is_lookup=True)
    return _note(host, await original(host, *args, **options))


def _connect(original: Any, _loop: Any, first: Any, *args: Any, **options: Any) -> Any:
    __tracebackhide__ = True
    peer = first if isinstance(first, tuple) else options.get("remote_addr")
    _tell(*(peer or (*args, options.get("host")))[:2])
    return original(first, *args, **options)


def _set_option(original: Any, curl: Any, option: Any, value: Any) -> Any:
    __tracebackhide__ = True
    if option == _CURL_URL:
        host, port = host_and_port(os.fsdecode(value))
        _tell(host, port, by=type(curl).__module__)
    return original(option, value)


def _tell_of_process(command: Any) -> None:
    """Report what `subprocess` starts, if it is a Python, by its name."""
    __tracebackhide__ = True
    text = os.fsdecode(command if isinstance(command, str | bytes | os.PathLike) else command[0])
    if _PYTHON.match(text):
        report_process(text)


def _spawn(
    original: Any, _loop: Any, factory: Any, program: Any, *args: Any, **options: Any
) -> Any:
    __tracebackhide__ = True
    _tell_of_process(program)
    return original(factory, program, *args, **options)


def _start_process(original: Any, process: Any) -> None:
    __tracebackhide__ = True
    method = getattr(process, "_start_method", None) or multiprocessing.get_start_method()
    if method != "fork":  # a forked child is in the block
        report_process(f"multiprocessing ({method})")
    original()


def _start(original: Any, thread: Any) -> None:
    thread.run = current.keep_block(thread.run)
    original()


def _submit(original: Any, pool: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    if type(pool).__name__ != "InterpreterPoolExecutor":  # another interpreter could not get it
        function = current.keep_block(function)
    return original(function, *args, **kwargs)


_METHODS: dict[str, Callable[..., Any]] = {
    "getaddrinfo": _getaddrinfo,
    "BaseEventLoop.getaddrinfo": _look_up,
    # uvloop: the class that is written in Python, above the one in C
    "Loop.getaddrinfo": _look_up,
    "Loop.getnameinfo": _connect,
    "Loop.create_connection": _connect,
    "Loop.create_datagram_endpoint": _connect,
    "Loop.subprocess_exec": _spawn,
    "Curl.setopt": _set_option,
    "BaseProcess.start": _start_process,
    # A thread or a pool's call belongs to the block in which it is begun.
    "Thread.start": _start,
    "ThreadPoolExecutor.submit": _submit,
}
