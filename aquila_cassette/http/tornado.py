"""The head for tornado's own HTTP client, which speaks HTTP over its own streams.

A request is met where the client takes it, and its answer where the connection hears it: redirects,
callbacks and limits are tornado's own, on replay too.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from http.client import responses
from types import ModuleType
from typing import Any

from aquila_cassette.http import pacing
from aquila_cassette.http.http_client.errors import failure, is_a_cut
from aquila_cassette.http.patching import put_in
from aquila_cassette.model import Failure, Headers, Request
from aquila_cassette.session import current as scope
from aquila_cassette.session.player import Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.session import Session
from aquila_cassette.session.stepped_player import SteppedPlayer

__all__ = ["install"]

_ANSWER = "_aquila_answer"


def install(lib: ModuleType) -> None:
    """Put the dispatchers into the client and its connections.

    Args:
        lib: The module ``tornado.simple_httpclient``.
    """
    if not hasattr(lib, "_HTTPConnection"):
        return  # another thread is importing it
    put_in(lib.SimpleAsyncHTTPClient, "fetch_impl", _fetch_impl)
    connection = lib._HTTPConnection
    put_in(connection, "run", functools.partial(_run, lib))
    put_in(connection, "headers_received", _headers_received)
    put_in(connection, "data_received", _data_received)
    put_in(connection, "finish", _finish)
    put_in(connection, "_handle_exception", functools.partial(_handle_exception, lib))


def _fetch_impl(original: Callable[..., Any]) -> Callable[..., Any]:
    def fetch_impl(client: Any, request: Any, callback: Any) -> Any:
        cassette = scope.current_session()
        if cassette is not None and "Upgrade" not in request.headers:
            produced = request.body_producer is not None
            answer = cassette if produced else cassette.handle(_model(request))
            vars(request)[_ANSWER] = answer
        return original(client, request, callback)

    return fetch_impl


def _run(lib: Any, original: Callable[[Any], Awaitable[None]]) -> Callable[..., Any]:
    async def run(connection: Any) -> None:
        try:
            answer = await _answer_to(connection.request)
            if isinstance(answer, Player):
                await _play(lib, connection, answer)
                return
        except Exception:
            if not connection._handle_exception(*sys.exc_info()):
                raise
            return
        if answer is None:
            await original(connection)
            return
        vars(connection)[_ANSWER] = answer
        try:
            await original(connection)
        finally:
            answer.closed()

    return run


def _headers_received(original: Callable[..., Any]) -> Callable[..., Any]:
    async def headers_received(connection: Any, first_line: Any, headers: Any) -> Any:
        recording = _recording(connection)
        if recording is not None and first_line.code != 100:
            fields = tuple((name.lower(), value) for name, value in headers.get_all())
            recording.start_response(first_line.code, fields, first_line.version)
            recording.add_reader()
        return await original(connection, first_line, headers)

    return headers_received


def _data_received(original: Callable[..., Any]) -> Callable[..., Any]:
    def data_received(connection: Any, chunk: bytes) -> Any:
        recording = _recording(connection)
        if recording is not None:
            recording.add_piece(chunk)
        try:
            return original(connection, chunk)
        except BaseException:
            if recording is not None:
                recording.closed()
            raise

    return data_received


def _finish(original: Callable[..., Any]) -> Callable[..., Any]:
    def finish(connection: Any) -> Any:
        recording = _recording(connection)
        if recording is not None:
            recording.body_ended()
        return original(connection)

    return finish


def _handle_exception(lib: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    def handle_exception(connection: Any, kind: Any, error: Any, traceback: Any) -> Any:
        recording = _recording(connection)
        if recording is not None and connection.final_callback is not None:
            told = error
            if type(error) is lib.StreamClosedError:  # the one that its callers are not shown
                told = error.real_error or lib.HTTPStreamClosedError("Stream closed")
            recording.__exit__(type(told), told, None)
        return original(connection, kind, error, traceback)

    return handle_exception


def _recording(connection: Any) -> Recorder | None:
    recording: Recorder | None = vars(connection).get(_ANSWER)
    return recording


async def _answer_to(request: Any) -> Recorder | Player | None:
    answer: Session | Recorder | Player | None = vars(request).pop(_ANSWER, None)
    if isinstance(answer, Session):
        request.body = await _produced(request)
        request.body_producer = None
        return answer.handle(_model(request))
    return answer


async def _produced(request: Any) -> bytes:
    """Have a body produced that is made while it is sent."""
    parts: list[bytes] = []

    def write(data: bytes) -> Awaitable[None]:
        parts.append(data)
        written = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written  # its producer may wait for it, or not

    producing = request.body_producer(write)
    if producing is not None:
        await producing
    return b"".join(parts)


async def _play(lib: Any, connection: Any, replay: Player) -> None:
    connection.stream = _NoStream()
    request = connection.request
    request.headers.setdefault("Host", lib.urllib.parse.urlsplit(request.url).netloc)
    response = replay.interaction.response
    try:
        await pacing.wait_async(replay.response_delay())
        if response.status is not None:
            reason = responses.get(response.status, "")
            line = lib.httputil.ResponseStartLine("HTTP/1.1", response.status, reason)
            headers = lib.httputil.HTTPHeaders()
            for name, value in replay.headers:
                headers.add(name, value)
            await connection.headers_received(line, headers)
            async for data in _parts(replay):
                taken = connection.data_received(data)
                if taken is not None:
                    await taken
        replay.raise_ending(functools.partial(_failure, lib))
    finally:
        replay.finished()
    connection.finish()


async def _parts(replay: Player) -> AsyncIterator[bytes]:
    if isinstance(replay, SteppedPlayer):
        replay.begin()
        while step := await replay.take_async():
            yield step
        return
    replay.add_reader()
    for piece in replay.pieces:
        await pacing.wait_async(replay.piece_delay(piece))
        yield piece.data


def _failure(lib: Any, told: Failure) -> Exception | None:
    name, message = told.type or "ConnectError", told.message
    if is_a_cut(name):
        return lib.HTTPStreamClosedError(message)  # type: ignore[no-any-return]
    found: Any = getattr(lib, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found(message)
    return failure(None, told)


class _NoStream:
    """The stream of a connection that was never made."""

    error = None

    def close(self) -> None:
        """Close nothing."""


def _model(request: Any) -> Request:
    fields: Headers = tuple((name.lower(), value) for name, value in request.headers.get_all())
    return Request(request.method.upper(), request.url, fields, request.body or b"")
