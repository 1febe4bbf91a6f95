"""Recorded failures, as the exceptions that the library in question knows them by."""

from __future__ import annotations

import builtins
import http.client
import re
import socket
import ssl
import sys
from typing import Any

from aquila_cassette.model import Failure

__all__ = ["comes_with_the_answer", "failure", "is_a_cut"]

_CUTS = frozenset(
    {
        "IncompleteRead",
        "RemoteDisconnected",
        # As other libraries call them, whose cassettes are played here too.
        "RemoteProtocolError",
        "ClientPayloadError",
        "ServerDisconnectedError",
    }
)
_OF_OTHERS = {
    "ReadError": ConnectionResetError,
    "ConnectError": ConnectionRefusedError,
    "ReadTimeout": TimeoutError,
    "ConnectTimeout": TimeoutError,
}
_WITH_THE_ANSWER = frozenset(
    {"TimeoutError", "ReadTimeout", "ReadError", "BrokenPipeError", "ConnectionResetError"}
)
_NUMBERED = re.compile(r"\[Errno (-?\d+)\] (.*)", re.DOTALL)


def is_a_cut(name: str) -> bool:
    """Tell whether an error of this name is how a library calls an answer that broke off.

    Args:
        name: The bare name of its class.
    """
    return name in _CUTS


def comes_with_the_answer(name: str) -> bool:
    """Tell whether an error of this name comes up when the answer is read, not on connecting.

    Args:
        name: The bare name of its class.
    """
    if name in _WITH_THE_ANSWER or is_a_cut(name):
        return True
    found: Any = getattr(http.client, name, None)
    return isinstance(found, type) and issubclass(found, http.client.HTTPException)


def failure(connection: Any, told: Failure) -> Exception | None:
    """Make the exception that a connection of this kind would raise, or None if none is known.

    Args:
        connection: A connection of http.client or of a library built on it.
        name: The bare name of its class.
        message: Its text.

    Example:
        >>> refused = Failure("ConnectionRefusedError", "[Errno 111] Connection refused")
        >>> failure(None, refused).errno
        111
    """
    name, message = told.type or "ConnectError", told.message
    found = _class_of(connection, name)
    if found is None:
        return None
    if issubclass(found, ssl.SSLError):
        return found(1, message)
    numbered = _NUMBERED.fullmatch(message)
    if issubclass(found, OSError) and numbered is not None:
        return found(int(numbered[1]), numbered[2])
    # What else its constructor wants is not on the cassette.
    made = found.__new__(found, message)
    made.args = (message,)
    return made


def _class_of(connection: Any, name: str) -> type[Exception] | None:
    for module in (builtins, http.client, socket, ssl, *_modules_of(connection)):
        found: Any = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, Exception):
            return found
    return _OF_OTHERS.get(name)


def _modules_of(connection: Any) -> list[Any]:
    """List where the library of `connection` may have its exceptions."""
    names = []
    for cls in type(connection).__mro__:
        package = cls.__module__.rpartition(".")[0] or cls.__module__
        names += [f"{package}.exceptions", f"{package}.error", package]
    return [sys.modules[name] for name in names if name in sys.modules]
