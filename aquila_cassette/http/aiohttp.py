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
import functools
import os
import re
import ssl
from types import ModuleType
from typing import Any

import aiohttp

from aquila_cassette.http.aiohttp_record import Listener
from aquila_cassette.http.aiohttp_replay import replayed_connection
from aquila_cassette.http.dispatcher import HttpAdapter, Send, exchange, find_class, make_exception
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Request
from aquila_cassette.session.failures import RAISED
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder


def install(lib: ModuleType) -> None:
    """Patch the connectors of aiohttp."""
    patch(lib.BaseConnector, "connect", _connect)


async def _connect(original: Any, connector: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    adapter = AiohttpAdapter(connector)
    return await exchange(adapter, request, lambda request: original(request, *args, **kwargs))


class AiohttpAdapter(HttpAdapter[Any]):
    """A call is a ``ClientRequest`` that asks `connector` for a connection, and gets one.

    aiohttp waits on that for a response.
    """

    raises_later = True

    def __init__(self, connector: Any) -> None:
        super().__init__(aiohttp)
        self._connector = connector

    async def to_request(self, call: Any) -> Request:
        headers = tuple([(str(name), value) for name, value in call.headers.items()])
        # What can be read but once is kept by aiohttp's payloads, and sent all the same.
        body = await call.body.as_bytes() if call.body else b""
        return Request(call.method, str(call.url), headers, body)

    async def to_response(self, call: Any, player: Player, make_error: MakeError) -> Any:
        return replayed_connection(player, make_error, self._connector, call)

    def make_error(self, call: Any, has_begun: bool, failure: Failure) -> Exception | None:
        if failure.type == "TimeoutError":  # aiohttp's own time-out of a whole request
            return TimeoutError(failure.message)
        found = find_class(failure, aiohttp, names=_RAISED_IN_THE_BODY if has_begun else RAISED)
        if found is None or not issubclass(found, aiohttp.ClientError):
            return None
        return _make(found, failure.message, call)

    async def record(self, call: Any, recorder: Recorder, send: Send[Any]) -> Any:
        listener = Listener(recorder, call, functools.partial(self.make_error, call, True))
        with listener.connecting():
            connection = await send(call)
        listener.listen(connection.protocol)
        return connection


# Failures.

_RAISED_IN_THE_BODY = RAISED | dict.fromkeys(
    ("reset", "closed", "protocol"), ("ClientPayloadError",)
)


def _make(kind: Any, message: str, request: Any) -> Exception:
    error: Exception
    if issubclass(kind, aiohttp.ClientConnectorCertificateError):
        error = kind(request.connection_key, ssl.SSLCertVerificationError(message))
    elif issubclass(kind, aiohttp.ClientConnectorError):
        # Its message has the system's error in brackets at its end.
        found = re.search(r"ssl:\S+ \[(.*)\]$", message, re.DOTALL)
        text = found[1] if found else message
        number = next((code for code in errno.errorcode if os.strerror(code) == text), None)
        error = kind(request.connection_key, OSError(number, text))
    elif issubclass(kind, aiohttp.ClientResponseError):
        # Its text has the status, and the message as Python writes it.
        found = re.match(r"(\d+), message=(.*), url='", message, re.DOTALL)
        status, text = (int(found[1]), ast.literal_eval(found[2])) if found else (400, message)
        error = kind(request.request_info, (), status=status, message=text)
    else:
        error = make_exception(kind, message)
    return error
