"""The adapter for tornado's own HTTP client.

What is decided about a request is decided where the client takes it, in its caller's context. Its
response is recorded where the connection receives it, and replayed into the same methods:
redirects, callbacks and limits are tornado's own, on replay too.
"""

from __future__ import annotations

import asyncio
import builtins
import socket
import ssl
import sys
from collections.abc import Awaitable
from types import ModuleType, SimpleNamespace
from typing import Any

from aquila_cassette.http.dispatcher import (
    HttpAdapter,
    Send,
    decide,
    find_session,
    make_error,
    respond,
)
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Request
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.session import Session

_ANSWER = "_aquila_answer"


def install(lib: ModuleType) -> None:
    """Patch the client and its connections, of the module ``tornado.simple_httpclient``."""
    adapter = TornadoAdapter(lib)
    patch(lib.SimpleAsyncHTTPClient, "fetch_impl", adapter.fetch_impl)
    patch(lib._HTTPConnection, "run", adapter.run)


class TornadoAdapter(HttpAdapter[Any]):
    """A call is an ``_HTTPConnection``, which tornado makes for each request."""

    def fetch_impl(self, original: Any, _client: Any, request: Any, callback: Any) -> Any:
        __tracebackhide__ = True
        session = find_session()
        if session is not None:
            is_known = request.body_producer is None  # else its body is known when it is sent
            vars(request)[_ANSWER] = decide(session, _to_request(request)) if is_known else session
        return original(request, callback)

    async def run(self, original: Any, connection: Any) -> None:
        __tracebackhide__ = True
        answer = vars(connection.request).pop(_ANSWER, None)
        try:
            if isinstance(answer, Session):
                answer = decide(answer, await self.to_request(connection))
            await respond(self, connection, answer, lambda _connection: original())
        except Exception:
            if not connection._handle_exception(*sys.exc_info()):
                raise

    async def to_request(self, call: Any) -> Request:
        request = call.request
        request.body = await _produced(request.body_producer)
        request.body_producer = None
        return _to_request(request)

    async def to_response(self, call: Any, player: Player, make_error: MakeError) -> Any:
        lib, request = self._lib, call.request
        call.stream = SimpleNamespace(error=None, close=lambda: None)  # it was never connected
        request.headers.setdefault("Host", lib.urllib.parse.urlsplit(request.url).netloc)
        response = player.interaction.response
        try:
            line = lib.httputil.ResponseStartLine(
                "HTTP/1.1", response.status, response.reason_phrase
            )
            headers = lib.httputil.HTTPHeaders()
            for name, value in player.headers:
                headers.add(name, value)
            await call.headers_received(line, headers)
            if request.decompress_response:
                player.decode()
            async for piece in player.replay_async(make_error):
                taken = call.data_received(piece)
                if taken is not None:
                    await taken
        finally:
            player.finished()
        call.finish()

    async def record(self, call: Any, recorder: Recorder, send: Send[Any]) -> Any:
        """Listen to what this very connection receives: its methods are laid over."""
        headers_received, data_received = call.headers_received, call.data_received
        finish, handle_exception = call.finish, call._handle_exception

        async def on_headers(first_line: Any, headers: Any) -> Any:
            if first_line.code != 100:
                fields = tuple(headers.get_all())
                recorder.start_response(
                    first_line.code, fields, first_line.version, first_line.reason
                )
                recorder.add_reader()
                if recorder.holds:
                    return None
            return await headers_received(first_line, headers)

        def on_data(chunk: bytes) -> Any:
            recorder.add_piece(chunk)
            try:
                return data_received(chunk)
            except BaseException:  # the caller's own callback raised it
                recorder.closed()
                raise

        def on_finish() -> Any:
            recorder.body_ended()
            return finish()

        def on_exception(kind: Any, error: Any, traceback: Any) -> Any:
            if call.final_callback is not None:
                raised = error
                if type(error) is self._lib.StreamClosedError:  # callers are shown another
                    closed = self._lib.HTTPStreamClosedError("Stream closed")
                    raised = error.real_error or closed
                recorder.__exit__(type(raised), raised, None)
            return handle_exception(kind, error, traceback)

        def end_connection(*_error: Any) -> bool:
            call._remove_timeout()
            if (stream := getattr(call, "stream", None)) is not None:
                stream.set_close_callback(None)
                stream.close()
            return True

        if recorder.holds:  # the caller's own methods are for the replay
            data_received = _ignore
            finish = handle_exception = end_connection
        call.headers_received, call.data_received = on_headers, on_data
        call.finish, call._handle_exception = on_finish, on_exception
        try:
            await send(call)
        finally:
            recorder.closed()

    async def read_whole(self, call: Any, response: Any) -> None:
        """Give the connection its methods back: `record` has waited for the end."""
        for name in ("headers_received", "data_received", "finish", "_handle_exception"):
            del vars(call)[name]

    def make_error(self, call: Any, has_begun: bool, failure: Failure) -> Exception | None:
        error = make_error(failure, self._lib, builtins, socket, ssl)
        if error is not None and isinstance(error, self._lib.HTTPError):
            return type(error)(failure.message)  # which sets more than its arguments
        return error


def _ignore(_chunk: bytes) -> None:
    pass


def _to_request(request: Any) -> Request:
    headers = tuple(request.headers.get_all())
    return Request(request.method.upper(), request.url, headers, request.body or b"")


async def _produced(body_producer: Any) -> bytes:
    """Return a body that is otherwise produced while it is sent."""
    parts: list[bytes] = []

    def write(data: bytes) -> Awaitable[None]:
        parts.append(data)
        written = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written  # its producer may wait for it, or not

    producing = body_producer(write)
    if producing is not None:
        await producing
    return b"".join(parts)
