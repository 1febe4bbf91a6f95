"""Where connections of http.client are met: as they connect, begin a request, and read its answer.

Subclasses bring a ``connect`` of their own and may be made at any time, so each class is met as it
is made; all else of them comes down to the base class.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from aquila_cassette.http.http_client.socket_proxy import Line
from aquila_cassette.http.patching import put_in, stands
from aquila_cassette.session import current as scope

__all__ = ["install"]


def install(lib: ModuleType) -> None:
    """Put the dispatchers into ``HTTPConnection`` and its subclasses, those to come included.

    Args:
        lib: The module ``http.client``.
    """
    if not hasattr(lib, "error"):
        return  # another thread is importing it; the next block that opens comes by again
    base = lib.HTTPConnection
    if stands(base, "connect"):
        return
    put_in(base, "putrequest", _putrequest)
    put_in(base, "putheader", _putheader)
    put_in(base, "getresponse", _getresponse)
    _meet(base)
    _meet_those_to_come(base)


def _meet(cls: Any) -> None:
    if "connect" in vars(cls):
        put_in(cls, "connect", _connect)
    for subclass in cls.__subclasses__():
        _meet(subclass)


def _meet_those_to_come(base: Any) -> None:
    def met(cls: Any, /, **kwargs: Any) -> None:
        super(base, cls).__init_subclass__(**kwargs)
        _meet(cls)

    base.__init_subclass__ = classmethod(met)


def _connect(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(connection: Any, *args: Any, **kwargs: Any) -> Any:
        if connection.sock is None and not Line.is_opening(connection):
            cassette = scope.current_session()
            if cassette is not None:
                Line(connection, cassette).pretend_to_be_connected()
                return None
        return original(connection, *args, **kwargs)

    return connect


def _putrequest(original: Callable[..., Any]) -> Callable[..., Any]:
    def putrequest(connection: Any, *args: Any, **kwargs: Any) -> Any:
        before = connection.sock
        cassette = scope.current_session()
        if isinstance(before, Line):  # it pretended to be connected, and sent nothing so far
            before.step_aside()
        if cassette is not None:
            connection.sock = Line(connection, cassette, real=connection.sock)
        try:
            return original(connection, *args, **kwargs)
        except BaseException:
            connection.sock = before
            raise

    return putrequest


def _putheader(original: Callable[..., Any]) -> Callable[..., Any]:
    def putheader(connection: Any, header: Any, *values: Any) -> Any:
        if isinstance(connection.sock, Line) and _is_expect(header):
            # Nobody is there yet who could say "100 Continue".
            if hasattr(connection, "_expect_header_set"):  # botocore would wait a second for it
                connection._expect_header_set = False
            return None
        return original(connection, header, *values)

    return putheader


def _is_expect(header: Any) -> bool:
    name = header.decode("latin-1") if isinstance(header, bytes) else str(header)
    return name.lower() == "expect"


def _getresponse(original: Callable[..., Any]) -> Callable[..., Any]:
    def getresponse(connection: Any, *args: Any, **kwargs: Any) -> Any:
        line = connection.sock
        if isinstance(line, Line):
            return line.response(functools.partial(original, connection, *args, **kwargs))
        return original(connection, *args, **kwargs)

    return getresponse
