"""The head for lm15, which speaks HTTP over sockets of its own; dspy has a copy of it.

A request is met where a transport is asked for a stream: lm15 follows no redirects, and what it
tries again it asks for again.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Generator
from http.client import responses
from types import ModuleType
from typing import Any

from aquila_cassette.http import pacing
from aquila_cassette.http.bodies import Bodies
from aquila_cassette.http.patching import put_in
from aquila_cassette.model import Failure, Request
from aquila_cassette.session import current as scope
from aquila_cassette.session.player import Player
from aquila_cassette.session.recorder import Recorder

__all__ = ["install"]

Head = dict[str, Any]
"""What a response of lm15 is made of, but its body."""

_OF_OTHERS = {
    "BrokenPipeError": "ReadError",
    "ClientConnectorError": "ConnectError",
    "ClientOSError": "ReadError",
    "ClientPayloadError": "ProtocolError",
    "ConnectionRefusedError": "ConnectError",
    "ConnectionResetError": "ReadError",
    "ConnectionTimeoutError": "ConnectTimeout",
    "IncompleteRead": "ProtocolError",
    "RemoteDisconnected": "ReadError",
    "RemoteProtocolError": "ProtocolError",
    "ServerDisconnectedError": "ReadError",
    "SocketTimeoutError": "ReadTimeout",
    "TimeoutError": "ReadTimeout",
    "gaierror": "ConnectError",
}
"""What lm15 calls the errors of a cassette that another library recorded; httpx's have its names."""


def install(lib: ModuleType) -> None:
    """Put the dispatchers into the transports of one copy of lm15.

    Args:
        lib: The module ``lm15.transports``, wherever it lies.
    """
    if not (hasattr(lib, "StdlibTransport") and hasattr(lib, "StdlibAsyncTransport")):
        return  # another thread is importing it
    head = _Head(lib)
    put_in(lib.StdlibTransport, "stream", head.sync)
    put_in(lib.StdlibAsyncTransport, "stream", head.asynchronous)


class _Head:
    """The dispatchers of one copy of lm15; all that differs between two copies is `lib`."""

    def __init__(self, lib: Any) -> None:
        self._lib = lib
        self._bodies = Bodies()

    def sync(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Wrap ``StdlibTransport.stream``."""

        def stream(transport: Any, request: Any) -> Any:
            cassette = scope.current_session()
            answer = None if cassette is None else cassette.handle(_model(request))
            if answer is None:
                return original(transport, request)
            if isinstance(answer, Player):
                pacing.wait(answer.response_delay())
                self._begin(answer)
                body = self._bodies.recorded(answer, self._failure)
                return self._response(_played_head(answer), body)
            with answer:
                response = original(transport, request)
            body = self._bodies.tee(response, answer)
            return self._response(_live_head(answer, response), body)

        return stream

    def asynchronous(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Wrap ``StdlibAsyncTransport.stream``."""

        async def opened(transport: Any, request: Any) -> Any:
            cassette = scope.current_session()
            answer = None if cassette is None else cassette.handle(_model(request))
            if answer is None:
                return await original(transport, request)
            if isinstance(answer, Player):
                await pacing.wait_async(answer.response_delay())
                self._begin(answer)
                body = self._bodies.async_recorded(answer, self._failure)
                return self._async_response(_played_head(answer), body)
            with answer:
                response = await original(transport, request)
            body = self._bodies.async_tee(response, answer)
            return self._async_response(_live_head(answer, response), body)

        def stream(transport: Any, request: Any) -> _Opening:
            return _Opening(lambda: opened(transport, request))

        return stream

    def _response(self, head: Head, body: Any) -> Any:
        return self._lib.TransportResponse(
            **head, chunks=iter(body), release=lambda _whole: body.close()
        )

    def _async_response(self, head: Head, body: Any) -> Any:
        return self._lib.AsyncTransportResponse(
            **head, chunks=aiter(body), release=lambda _whole: body.aclose()
        )

    def _begin(self, replay: Player) -> None:
        """Raise what the recording failed with, if that was before there was any answer."""
        if replay.interaction.response.status is None:
            replay.finished()
            replay.raise_ending(self._failure)

    def _failure(self, failure: Failure) -> Exception | None:
        name, message = failure.type or "ConnectError", failure.message
        lib = self._lib
        found: Any = getattr(lib, _OF_OTHERS.get(name, name), None)
        if isinstance(found, type) and issubclass(found, lib.TransportError):
            return found(message)  # type: ignore[no-any-return]
        builtin = getattr(builtins, name, None)
        if builtin is not OSError and isinstance(builtin, type) and issubclass(builtin, OSError):
            return lib.TransportError(message)  # type: ignore[no-any-return]
        return None


class _Opening:
    """What ``StdlibAsyncTransport.stream`` gives: it is awaited, or entered."""

    def __init__(self, opened: Callable[[], Awaitable[Any]]) -> None:
        self._opened = opened
        self._response: Any = None

    def __await__(self) -> Generator[Any, None, Any]:
        return self._opened().__await__()

    async def __aenter__(self) -> Any:
        self._response = await self._opened()
        return self._response

    async def __aexit__(self, *_: object) -> None:
        if self._response is not None:
            await self._response.aclose()


def _played_head(replay: Player) -> Head:
    response = replay.interaction.response
    return {
        "status": response.status,
        "reason": responses.get(response.status or 0, ""),
        "headers": list(replay.headers),
        "http_version": response.http_version,
    }


def _live_head(recording: Recorder, response: Any) -> Head:
    # lm15 has decoded the body; the encoding it came in is not that of what is recorded.
    fields = tuple((name.lower(), value) for name, value in response.headers)
    kept = tuple(field for field in fields if field[0] != "content-encoding")
    recording.start_response(response.status, kept, response.http_version)
    return {
        "status": response.status,
        "reason": response.reason,
        "headers": response.headers,
        "http_version": response.http_version,
    }


def _model(request: Any) -> Request:
    fields = tuple((name.lower(), value) for name, value in request.headers)
    return Request(request.method.upper(), request.url, fields, request.body or b"")
