"""The head for httpx and httpx2, which share their shape: the transport classes, sync and async.

The transport is the lowest point that every request passes exactly once: above redirects, retries,
HTTP/2 and proxies would be hidden, below them the pool would be ours to keep whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, cast

from aquila_cassette.http import pacing
from aquila_cassette.http.bodies import Bodies
from aquila_cassette.http.headers import fields, raw
from aquila_cassette.http.other_mocks import belongs_to_others, past_others
from aquila_cassette.http.patching import put_in, stands
from aquila_cassette.model import Failure, Request
from aquila_cassette.session import current as scope
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder

__all__ = ["install"]


def install(lib: ModuleType) -> None:
    """Put the dispatchers into `lib`'s transport classes, unless they are there already.

    Args:
        lib: The module ``httpx`` or ``httpx2`` (after ``alias_httpx()`` both names are one module).
    """
    if not (hasattr(lib, "HTTPTransport") and hasattr(lib, "AsyncHTTPTransport")):
        return  # another thread is importing it; the next block that opens comes by again
    if stands(lib.HTTPTransport, "handle_request") and stands(
        lib.AsyncHTTPTransport, "handle_async_request"
    ):
        return
    head = _Head(lib)
    _wrap(lib.HTTPTransport, "handle_request", head.sync)
    _wrap(lib.AsyncHTTPTransport, "handle_async_request", head.asynchronous)


def _wrap(
    transport: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    if not _is_a_mock(vars(transport)[name]):
        put_in(transport, name, make)


def _is_a_mock(function: Callable[..., Any]) -> bool:
    """Tell whether pytest-httpx stands there for one test: it wins, and takes itself out again."""
    return function.__module__.partition(".")[0] == "pytest_httpx"


class _Head:
    """The dispatchers of one library; all that differs between two libraries is `lib`."""

    def __init__(self, lib: Any) -> None:
        self._lib = lib
        self._bodies = Bodies(lib.SyncByteStream, lib.AsyncByteStream)

    def sync(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Wrap ``HTTPTransport.handle_request``."""

        def handle_request(transport: Any, request: Any) -> Any:
            cassette = scope.current_session()
            if cassette is None or belongs_to_others(request):
                return original(transport, request)
            request.read()
            answer = cassette.handle(_model(request))
            if answer is None:
                return original(transport, request)
            if isinstance(answer, Player):
                pacing.wait(answer.response_delay())
                return self._replayed(answer, request, self._bodies.recorded)
            with answer, past_others():
                response = original(transport, self._uncompressed(request))
            return self._teed(answer, response, self._bodies.tee)

        return handle_request

    def asynchronous(
        self, original: Callable[[Any, Any], Awaitable[Any]]
    ) -> Callable[[Any, Any], Awaitable[Any]]:
        """Wrap ``AsyncHTTPTransport.handle_async_request``."""

        async def handle_async_request(transport: Any, request: Any) -> Any:
            cassette = scope.current_session()
            if cassette is None or belongs_to_others(request):
                return await original(transport, request)
            await request.aread()
            answer = cassette.handle(_model(request))
            if answer is None:
                return await original(transport, request)
            if isinstance(answer, Player):
                await pacing.wait_async(answer.response_delay())
                return self._replayed(answer, request, self._bodies.async_recorded)
            with answer, past_others():
                response = await original(transport, self._uncompressed(request))
            return self._teed(answer, response, self._bodies.async_tee)

        return handle_async_request

    def _replayed(
        self, replay: Player, request: Any, stream: Callable[[Any, MakeError], Any]
    ) -> Any:
        make_error = self._error_maker(request)
        response = replay.interaction.response
        if response.status is None:
            replay.finished()
            replay.raise_ending(make_error)
        return self._lib.Response(
            status_code=response.status,
            headers=raw(replay.headers),
            stream=stream(replay, make_error),
            extensions={"http_version": response.http_version.encode("ascii")},
        )

    def _teed(self, recording: Recorder, response: Any, tee: Callable[[Any, Recorder], Any]) -> Any:
        recording.start_response(
            response.status_code,
            fields(response.headers.raw),
            response.http_version,
        )
        response.stream = tee(response.stream, recording)
        return response

    def _uncompressed(self, request: Any) -> Any:
        """Ask for a body as it is, so that each piece can be read and kept as it comes."""
        if request.headers.get("accept-encoding", "identity") == "identity":
            return request
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        return self._lib.Request(
            method=request.method,
            url=request.url,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    def _error_maker(self, request: Any) -> MakeError:
        lib = self._lib

        def make_error(failure: Failure) -> Exception | None:
            name, message = failure.type or "ConnectError", failure.message
            found: Any = getattr(lib, name, None)
            if not (isinstance(found, type) and issubclass(found, Exception)):
                return None
            make = cast("Callable[..., Exception]", found)
            takes_request = issubclass(found, lib.RequestError)
            return make(message, request=request) if takes_request else make(message)

        return make_error


def _model(request: Any) -> Request:
    return Request(
        method=request.method,
        url=str(request.url),
        headers=fields(request.headers.raw),
        body=request.content,
    )
