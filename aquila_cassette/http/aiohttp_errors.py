"""Exceptions of aiohttp, made again from the class name and the message on a cassette."""

from __future__ import annotations

import ast
import errno
import os
import re
import ssl
from collections.abc import Callable
from typing import Any, cast

import aiohttp

from aquila_cassette.model import Failure
from aquila_cassette.session.player import MakeError, Player

__all__ = ["error_maker"]

_OF_HTTPX = {
    "CloseError": "ClientOSError",
    "ConnectError": "ClientConnectorError",
    "ConnectTimeout": "ConnectionTimeoutError",
    "DecodingError": "ClientPayloadError",
    "PoolTimeout": "ConnectionTimeoutError",
    "ProxyError": "ClientProxyConnectionError",
    "ReadTimeout": "SocketTimeoutError",
    "WriteError": "ClientOSError",
    "WriteTimeout": "SocketTimeoutError",
}
"""What aiohttp calls the errors of a cassette that httpx or httpx2 recorded."""

_BEFORE_THE_HEAD = {
    "ReadError": "ClientOSError",
    "RemoteProtocolError": "ServerDisconnectedError",
}
_IN_THE_BODY = dict.fromkeys(_BEFORE_THE_HEAD, "ClientPayloadError")

_SINCE_3_10 = ("ConnectionTimeoutError", "SocketTimeoutError")


def error_maker(request: Any, replay: Player) -> MakeError:
    """Give a maker of the exceptions that aiohttp would raise for `request`.

    Args:
        request: The ``ClientRequest``.
        replay: What is played.
    """
    has_head = replay.interaction.response.status is not None
    renamed = _OF_HTTPX | (_IN_THE_BODY if has_head else _BEFORE_THE_HEAD)

    def make_error(failure: Failure) -> Exception | None:
        name, message = failure.type or "ConnectError", failure.message
        name = renamed.get(name, name)
        if name in _SINCE_3_10 and not hasattr(aiohttp, name):
            name = "ServerTimeoutError"
        found: Any = getattr(aiohttp, name, None)
        if not (isinstance(found, type) and issubclass(found, aiohttp.ClientError)):
            return None
        try:
            return _made(found, message, request)
        except TypeError:
            return None  # it takes what the cassette does not tell

    return make_error


def _made(kind: type[Exception], message: str, request: Any) -> Exception:
    make = cast("Callable[..., Exception]", kind)
    if issubclass(kind, aiohttp.ClientConnectorCertificateError):
        return make(request.connection_key, _certificate_error(message))
    if issubclass(kind, aiohttp.ClientConnectorError):
        return make(request.connection_key, _os_error(message))
    if issubclass(kind, aiohttp.ClientResponseError):
        told = re.match(r"(\d+), message='(.*)', url=", message, re.DOTALL)
        status, said = (int(told[1]), told[2]) if told else (0, message)
        return make(request.request_info, (), status=status, message=said)
    told = re.match(r"\[Errno (\d+)\] (.*)", message, re.DOTALL)
    if issubclass(kind, OSError) and told:
        return make(int(told[1]), told[2])
    return make(message)


def _certificate_error(message: str) -> Exception:
    """Give the error that aiohttp tells of in the brackets: its class, and what it was made of."""
    told = re.search(r"\[\w+: (\(.*\))\]$", message, re.DOTALL)
    try:
        made_of = ast.literal_eval(told[1]) if told else (message,)
    except (ValueError, SyntaxError):
        made_of = (message,)
    return ssl.SSLCertVerificationError(*made_of)


def _os_error(message: str) -> OSError:
    """Give the system's error that aiohttp tells of in the brackets at a message's end."""
    told = re.search(r"ssl:\S+ \[(.*)\]$", message, re.DOTALL)
    said = told[1] if told else message
    number = next((code for code in errno.errorcode if os.strerror(code) == said), None)
    return OSError(number, said)
