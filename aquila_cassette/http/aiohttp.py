"""The adapter for aiohttp.

``ClientSession._request`` is above redirects, retries, authentication and middlewares, and what
it does would have to be repeated for a replay. Below all of them, each request asks its connector
for a connection: a recording lets it have one and listens, a replay gives it one on which the
response is already there. What is above stays aiohttp's own, and whoever patches that wins over us
(aioresponses, vcrpy).
"""

from __future__ import annotations

import ast
import errno
import os
import re
import ssl
from types import ModuleType
from typing import Any, NamedTuple

import aiohttp
from aiohttp import payload

from aquila_cassette.http.aiohttp_record import Listener
from aquila_cassette.http.aiohttp_replay import replayed_connection
from aquila_cassette.http.dispatcher import HttpAdapter, Send, exchange, find_class, make_exception
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Request
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder


def install(lib: ModuleType) -> None:
    """Patch the connectors of aiohttp."""
    patch(lib.BaseConnector, "connect", _connect)


class Call(NamedTuple):
    """A ``ClientRequest`` that asks a connector for a connection."""

    connector: Any
    request: Any


async def _connect(original: Any, connector: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    call = Call(connector, request)
    return await exchange(_ADAPTER, call, lambda call: original(call.request, *args, **kwargs))


class AiohttpAdapter(HttpAdapter[Call]):
    """What it returns for a call is a connection; aiohttp waits on that for a response."""

    raises_later = True

    async def to_request(self, call: Call) -> Request:
        request = call.request
        headers = tuple([(name.lower(), value) for name, value in request.headers.items()])
        return Request(request.method, str(request.url), headers, await _read_body(request))

    async def to_response(self, call: Call, player: Player, make_error: MakeError) -> Any:
        return replayed_connection(player, make_error, call.connector, call.request)

    def make_error(self, call: Call, has_begun: bool, failure: Failure) -> Exception | None:
        if failure.type == "TimeoutError":  # aiohttp's own time-out of a whole request
            return TimeoutError(failure.message)
        found = find_class(failure, _ERRORS_IN_THE_BODY if has_begun else _ERRORS, aiohttp)
        if found is None or not issubclass(found, aiohttp.ClientError):
            return None
        return _make(found, failure.message, call.request)

    async def record(self, call: Call, recorder: Recorder, send: Send[Call]) -> Any:
        listener = Listener(recorder, call.request)
        with listener.connecting():
            connection = await send(call)
        listener.listen(connection)
        return connection


_ADAPTER = AiohttpAdapter()


# Request bodies: read before they are sent, and still there to be sent.


async def _read_body(request: Any) -> bytes:
    """Return the body of `request` as it will be sent, before any compression or chunking.

    A body that can be read but once (a file, a generator, a form) is put back as bytes.
    """
    body = request.body
    if not body:
        return b""
    collector: Any = _Collector()
    await body.write(collector)
    data = b"".join(collector.chunks)
    if not isinstance(body, payload.BytesPayload):
        # Not by `update_body`, which writes headers: those of the body before stay.
        is_property = isinstance(getattr(type(request), "body", None), property)
        setattr(request, "_body" if is_property else "body", ReadBody(data, body.headers))
        close = getattr(body, "close", None)  # since aiohttp 3.12; before, writing closed it
        if close is not None:
            await close()
    return data


class ReadBody(payload.BytesPayload):
    """A body that was read; unlike other bytes of aiohttp it may be large without a warning."""

    def __init__(self, value: bytes, headers: Any) -> None:
        payload.Payload.__init__(self, value, headers=headers)
        self._size = len(value)


class _Collector:
    """The part of a stream writer that a body needs."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self.chunks.append(bytes(chunk))


# Failures.

_ERRORS = {
    "connect": "ClientConnectorError",
    "tls": "ClientConnectorCertificateError",
    "connect-timeout": "ConnectionTimeoutError",
    "timeout": "SocketTimeoutError",
    "reset": "ClientOSError",
    "closed": "ServerDisconnectedError",
    "protocol": "ServerDisconnectedError",
    "decode": "ClientPayloadError",
}
_ERRORS_IN_THE_BODY = _ERRORS | dict.fromkeys(("reset", "closed", "protocol"), "ClientPayloadError")


def _make(kind: Any, message: str, request: Any) -> Exception:
    error: Exception
    if issubclass(kind, aiohttp.ClientConnectorCertificateError):
        error = kind(request.connection_key, _certificate_error(message))
    elif issubclass(kind, aiohttp.ClientConnectorError):
        error = kind(request.connection_key, _os_error(message))
    elif issubclass(kind, aiohttp.ClientResponseError):
        found = re.match(r"(\d+), message='(.*)', url=", message, re.DOTALL)
        status, text = (int(found[1]), found[2]) if found else (0, message)
        error = kind(request.request_info, (), status=status, message=text)
    else:
        error = make_exception(kind, message)
    return error


def _certificate_error(message: str) -> Exception:
    """Return the error that aiohttp's message has in brackets: its class and its arguments."""
    found = re.search(r"\[\w+: (\(.*\))\]$", message, re.DOTALL)
    try:
        arguments = ast.literal_eval(found[1]) if found else (message,)
    except (ValueError, SyntaxError):
        arguments = (message,)
    return ssl.SSLCertVerificationError(*arguments)


def _os_error(message: str) -> OSError:
    """Return the system's error that aiohttp's message has in brackets at its end."""
    found = re.search(r"ssl:\S+ \[(.*)\]$", message, re.DOTALL)
    text = found[1] if found else message
    number = next((code for code in errno.errorcode if os.strerror(code) == text), None)
    return OSError(number, text)
