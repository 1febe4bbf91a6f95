"""The adapter for aiohttp.

Each request of a session passes its middlewares, below redirects and retries. Ours is the innermost
one: a recording asks on, and a replay makes aiohttp read the response off a connection without a
socket. All else stays aiohttp's own, and whoever patches `ClientSession` wins over us (aioresponses,
vcrpy).
"""

from __future__ import annotations

import ast
import asyncio
import errno
import functools
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import ModuleType
from typing import Any

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection
from aiohttp.streams import EMPTY_PAYLOAD

from aquila_cassette.http.aiohttp_bodies import RecordedReader, ReplayProtocol
from aquila_cassette.http.dispatcher import (
    HttpAdapter,
    Send,
    decode_headers,
    exchange,
    find_class,
    make_exception,
)
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Headers, Request
from aquila_cassette.session.failures import RAISED
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import OF_THE_ENCODING, Recorder

_DECODED = ("gzip", "x-gzip", "deflate", "br", "zstd")
"""The content encodings that aiohttp removes; it refuses those of them that it cannot."""


def install(lib: ModuleType) -> None:
    """Patch the sessions of aiohttp; before 3.12 they have no middlewares, and are not recorded."""
    if hasattr(lib, "ClientMiddlewareType"):
        patch(lib.ClientSession, "_request", _request)


def _request(original: Any, session: Any, *args: Any, **options: Any) -> Any:
    adapter = AiohttpAdapter(session, options)
    given = options.pop("middlewares", None)
    others = session._middlewares if given is None else given
    return original(*args, middlewares=(*others, functools.partial(exchange, adapter)), **options)


class AiohttpAdapter(HttpAdapter[Any]):
    """A call is a ``ClientRequest``; `options` are those with which the session was asked."""

    def __init__(self, session: Any, options: dict[str, Any]) -> None:
        super().__init__(aiohttp)
        self._session = session
        self._limit = options.get("read_bufsize") or session._read_bufsize
        decompresses = options.get("auto_decompress")
        self._decompresses = session.auto_decompress if decompresses is None else decompresses

    async def to_request(self, call: Any) -> Request:
        headers = tuple([(str(name), value) for name, value in call.headers.items()])
        # What can be read but once is kept by aiohttp's payloads, and sent all the same.
        body = await call.body.as_bytes() if call.body else b""
        return Request(call.method, str(call.url), headers, body)

    async def to_response(self, call: Any, player: Player, make_error: MakeError) -> Any:
        if self._decompresses:
            player.decode()
        protocol = ReplayProtocol(call.loop)
        protocol.replay(player, make_error, call, self._limit)
        connection = Connection(self._session.connector, call.connection_key, protocol, call.loop)
        if call._continue is not None:  # it asked for "100 Continue" before its body
            call._continue.set_result(True)
        response = await call.send(connection)
        return await response.start(connection)

    def make_error(self, call: Any, has_begun: bool, failure: Failure) -> Exception | None:
        if failure.type == "TimeoutError":  # aiohttp's own time-out of a whole request
            return TimeoutError(failure.message)
        found = find_class(failure, aiohttp, names=_RAISED_IN_THE_BODY if has_begun else RAISED)
        if found is None or not issubclass(found, aiohttp.ClientError):
            return None
        return _make(found, failure.message, call)

    async def record(self, call: Any, recorder: Recorder, send: Send[Any]) -> Any:
        recorder.keeps_encoding = not self._decompresses
        asks_for = call.headers.get(hdrs.ACCEPT_ENCODING)
        if asks_for is not None:  # each piece can be read, and kept, as it comes
            call.headers[hdrs.ACCEPT_ENCODING] = "identity"
        try:
            with recorder, _timed(call, recorder):
                response = await send(call)
        finally:
            if asks_for is not None:
                call.headers[hdrs.ACCEPT_ENCODING] = asks_for
        headers, version = self._headers(response), response.version
        http_version = f"HTTP/{version.major}.{version.minor}"
        recorder.start_response(response.status, headers, http_version, response.reason)
        live = response.content
        if live is EMPTY_PAYLOAD or live.at_eof():
            recorder.body_ended()
        else:
            response.content = RecordedReader(live, recorder, unread=response.status >= 300)
        return response

    def _headers(self, response: Any) -> Headers:
        """Return the headers of the body as it is read: aiohttp removes its encoding before."""
        headers = decode_headers(response.raw_headers)
        is_encoded = response.headers.get("content-encoding", "").lower() in _DECODED
        if not (is_encoded and self._decompresses) or response.content is EMPTY_PAYLOAD:
            return headers
        return tuple(one for one in headers if one[0].lower() not in OF_THE_ENCODING)

    async def read_whole(self, call: Any, response: Any) -> None:
        with closing(response):
            while await response.content.readany():
                pass


@contextmanager
def _timed(call: Any, recorder: Recorder) -> Iterator[None]:
    """Note the time-out of a whole request (``ClientTimeout(total=...)``), which cancels it."""
    try:
        yield
    except asyncio.CancelledError:
        if getattr(call._timer, "_cancelled", False):
            recorder.failed(TimeoutError())
        raise


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
